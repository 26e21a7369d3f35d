"""What a run starts from: 21 keypoints from a network of 16 joints, and first stages that learn nothing."""

import dataclasses
from pathlib import Path

import pytest
import torch
from train.figures import tiny_config

from hpe.train.config import TrainConfig
from hpe.train.loop import Trainer
from hpe.train.network import PoseResNet


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    monkeypatch.setattr("hpe.train.loop.draw_curve", lambda log, out: None)
    return tiny_config(tmp_path, deconv_channels=16, width=8, steps=2, lr=1e-2, warmup_steps=0)


def test_a_network_of_16_joints_keeps_their_maps_and_the_faces_are_new(config: TrainConfig, tmp_path: Path) -> None:
    joints = PoseResNet(18, 16, 16, 8)
    torch.nn.init.normal_(joints.final_layer.bias)
    torch.save({"state_dict": joints.state_dict()}, tmp_path / "joints.pt")
    model = Trainer(dataclasses.replace(config, init=str(tmp_path / "joints.pt")), tmp_path / "run").model
    assert model.joints == 21
    for name in ("weight", "bias"):
        ours, theirs = getattr(model.final_layer, name), getattr(joints.final_layer, name)
        assert torch.equal(ours[:16], theirs)
        assert ours.shape[0] == 21
    assert torch.equal(model.final_layer.bias[16:], torch.zeros(5))
    assert torch.equal(model.deconv_layers[6].weight, joints.deconv_layers[6].weight)


def test_frozen_stages_stay_as_they_are_with_their_statistics_and_the_others_learn(
    config: TrainConfig, tmp_path: Path
) -> None:
    for freeze, still in ((0, ()), (1, ("conv1.", "bn1.")), (2, ("conv1.", "bn1.", "layer1."))):
        trainer = Trainer(dataclasses.replace(config, freeze=freeze), tmp_path / f"run{freeze}")
        before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
        trainer.run()
        after = trainer.model.state_dict()
        kept = {name for name, value in before.items() if torch.equal(after[name], value)}
        frozen = {name for name in before if name.startswith(still)} if still else set()
        assert kept == frozen, freeze
