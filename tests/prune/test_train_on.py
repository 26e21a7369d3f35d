"""A pruned network is trained on with labels, and stays pruned."""

import dataclasses
from pathlib import Path

import pytest
import torch
from train.figures import tiny_config

from hpe.errors import BadModel
from hpe.prune.importance import prune
from hpe.prune.least_squares import refit
from hpe.train.checkpoint import read_network
from hpe.train.config import TrainConfig
from hpe.train.loop import Trainer
from hpe.train.network import PoseResNet, is_trimmed


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    monkeypatch.setattr("hpe.train.loop.draw_curve", lambda log, out: None)
    torch.manual_seed(3)
    whole = PoseResNet(18, 21, 32, 16)
    for name, value in whole.named_parameters():
        if "deconv" in name or "final_layer.weight" in name:
            torch.nn.init.normal_(value, std=0.05)
    batches = [torch.randn(4, 3, 64, 64) for _ in range(4)]
    small, kept = prune(whole.eval(), 0.6, batches, lambda outputs: torch.ones_like(outputs))
    refit(small, whole, kept, batches)
    torch.save({"state_dict": small.state_dict(), "sigma": 1.0, "size": 64}, tmp_path / "small.pt")
    return tiny_config(tmp_path, deconv_channels=32, width=16, init=str(tmp_path / "small.pt"), steps=6)


def test_it_learns_and_stays_pruned(config, tmp_path):
    before, _ = read_network(Path(config.init))
    Trainer(config, tmp_path / "run").run()
    after, _ = read_network(tmp_path / "run" / "best.pt")
    assert after.inner == before.inner != PoseResNet.widths(18, 16)
    assert is_trimmed(after.conv1)  # training did not undo it
    assert not torch.equal(after.conv1.weight, before.conv1.weight)


def test_its_run_is_resumed(config, tmp_path):
    first = Trainer(config, tmp_path / "run")
    first.save()
    again = Trainer(config, tmp_path / "run")
    assert again.model.inner == first.model.inner
    for name, value in first.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], value)


def test_one_of_another_task_is_refused(config, tmp_path):
    saved = torch.load(config.init)
    saved["state_dict"] = {k: v[:3] if k.startswith("final_layer") else v for k, v in saved["state_dict"].items()}
    torch.save(saved, tmp_path / "locate.pt")
    with pytest.raises(BadModel, match="gives 3 maps: the task pose has 21"):
        Trainer(dataclasses.replace(config, init=str(tmp_path / "locate.pt")), tmp_path / "run")
