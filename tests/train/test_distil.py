"""A student learns a teacher's answers: what it is asked, and that it comes closer."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from train.figures import tiny_config

from hpe.errors import BadModel
from hpe.measure.models import open_network
from hpe.pose.skeleton import FLIP_ORDER
from hpe.prune.importance import prune
from hpe.prune.least_squares import refit
from hpe.train.config import Augmentation, TrainConfig
from hpe.train.distil import Teacher, distance
from hpe.train.loop import Trainer
from hpe.train.network import PoseResNet, is_trimmed, normalise


class Sides:
    """A task whose maps have a left and a right."""

    def mirrored(self, outputs: torch.Tensor) -> torch.Tensor:
        return outputs.flip(3)[:, torch.tensor(FLIP_ORDER)]


def bright(batch: np.ndarray) -> np.ndarray:
    """A "network" that is equivariant to the letter: cell c is the brightness of px 4 c."""
    return np.repeat(batch[:, None, ::4, ::4, 0].astype(np.float32), 21, axis=1)


def test_cells_of_the_mirror_image_fall_on_cells():
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3), dtype=np.uint8))
    torch.testing.assert_close(Teacher(bright, Sides())(pixels), torch.from_numpy(bright(pixels.numpy())))


def test_the_teacher_is_the_mean_of_both_sights():
    def left(batch: np.ndarray) -> np.ndarray:
        """Says that everything is on the left: 1 in the first column of the first joint, whatever it is shown."""
        maps = np.zeros((len(batch), 21, batch.shape[1] // 4, batch.shape[2] // 4), np.float32)
        maps[:, 0, :, 0] = 1
        return maps

    said = Teacher(left, Sides())(torch.zeros(1, 32, 32, 3, dtype=torch.uint8))
    assert said[0, 0, :, 0].unique().tolist() == [0.5]
    assert said[0, FLIP_ORDER[0], :, -1].unique().tolist() == [0.5]
    assert float(said.sum()) == 8


def test_the_distance_is_a_weighted_mean():
    ones = torch.ones(1, 1, 1, 2)
    wanted, weight = torch.zeros(1, 1, 1, 2), torch.tensor([[[[3.0, 1.0]]]])
    assert float(distance(ones * torch.tensor([2.0, 0.0]), wanted, weight)) == pytest.approx(3.0)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    torch.manual_seed(3)
    teacher = PoseResNet(18, 21, 32, 16)
    for name, value in teacher.named_parameters():
        if "deconv" in name or "final_layer.weight" in name:
            torch.nn.init.normal_(value, std=0.05)
    torch.save({"state_dict": teacher.state_dict(), "sigma": 1.0, "size": 64}, tmp_path / "teacher.pt")
    whole = str(tmp_path / "teacher.pt")
    batches = [torch.randn(4, 3, 64, 64) for _ in range(4)]
    small, kept = prune(teacher.eval(), 0.6, batches, lambda outputs: torch.ones_like(outputs))
    refit(small, teacher, kept, batches)
    torch.save({"state_dict": small.state_dict(), "sigma": 1.0, "size": 64}, tmp_path / "small.pt")
    return tiny_config(
        tmp_path,
        deconv_channels=32,
        width=16,
        init=str(tmp_path / "small.pt"),
        teacher=whole,
        steps=30,
        lr=1e-3,
        ema=0.8,
        augmentation=Augmentation(occlude_p=0, rotation_p=0),
    )


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("hpe.train.loop.draw_curve", lambda log, out: None)


def error(trainer: Trainer, network: PoseResNet) -> float:
    """How far its answers are from the teacher's, on batches that no step sees."""
    total = 0.0
    for step in range(1000, 1004):
        images, _ = trainer.task.batch(step, trainer.config.stages[0])
        wanted = trainer.teacher(images)
        with torch.no_grad():
            total += float(distance(network(normalise(images)), wanted, torch.ones_like(wanted)))
    return total


def test_a_student_comes_closer_to_its_teacher(config, tmp_path):
    trainer = Trainer(config, tmp_path / "run", teacher=open_network(config.teacher, "pose").run)
    statistics = {k: v.clone() for k, v in trainer.model.state_dict().items() if "running" in k}
    before = error(trainer, trainer.model.eval())
    trainer.run()
    assert error(trainer, trainer.ema) < 0.8 * before
    after = trainer.model.state_dict()
    assert all(torch.equal(after[k], v) for k, v in statistics.items())


def test_a_run_of_a_pruned_network_is_resumed(config, tmp_path):
    first = Trainer(config, tmp_path / "run", teacher=open_network(config.teacher, "pose").run)
    first.save()
    again = Trainer(config, tmp_path / "run", teacher=open_network(config.teacher, "pose").run)
    assert again.model.inner == first.model.inner != PoseResNet.widths(18, 16)
    for name, value in first.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], value)


def test_a_pruned_network_is_taught_on(config, tmp_path):
    teacher = open_network(config.teacher, "pose").run
    first = Trainer(config, tmp_path / "run", teacher=teacher)
    first.run()
    going_on = dataclasses.replace(config, init=str(tmp_path / "run" / "best.pt"))
    again = Trainer(going_on, tmp_path / "more", teacher=teacher)
    assert again.model.inner == first.model.inner
    assert is_trimmed(again.model.conv1)  # training did not undo it
    torch.testing.assert_close(again.model.conv1.weight, first.ema.conv1.weight.half().float())


def test_a_student_of_another_task_is_refused(config, tmp_path):
    torch.save(PoseResNet(18, 3, 16, 8).state_dict(), tmp_path / "locate.pt")
    with pytest.raises(BadModel, match="gives 3 maps: the task pose has 21"):
        Trainer(dataclasses.replace(config, init=str(tmp_path / "locate.pt")), tmp_path / "run")
