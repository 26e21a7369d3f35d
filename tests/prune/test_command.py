"""`hpe prune`: a checkpoint in, a smaller one out that a run can start from and an export can read."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from train.figures import write_people

from hpe.commands.prune import prune
from hpe.errors import BadModel, BadSettings
from hpe.train.checkpoint import read_network
from hpe.train.network import PoseResNet, is_trimmed


@pytest.fixture
def config(tmp_path: Path) -> Path:
    people = write_people(tmp_path, 4, side_px=64)
    text = f"""
name: tiny
task: pose
depth: 18
deconv_channels: 32
width: 16
train: [{{kind: shards, path: {people}}}]
val: [{{kind: shards, path: {people}}}]
stages: [{{start: 0.0, size: 64, batch: 4}}]
steps: 1
cache: {tmp_path / "cache"}
"""
    (tmp_path / "tiny.yaml").write_text(text)
    return tmp_path / "tiny.yaml"


def checkpoint(path: Path, joints: int) -> Path:
    torch.manual_seed(0)
    network = PoseResNet(18, joints, 32, 16)
    torch.save({"state_dict": network.state_dict(), "size": [64, 64], "sigma": 1.5, "task": "pose"}, path)
    return path


def run(*arguments: object):
    return CliRunner().invoke(prune, [str(a) for a in arguments])


def test_a_checkpoint_becomes_a_smaller_one(config: Path, tmp_path: Path) -> None:
    whole = checkpoint(tmp_path / "whole.pt", 21)
    small = tmp_path / "small.pt"
    result = run(whole, "--config", config, "--keep", 0.7, "--examples", 16, "-o", small)
    assert result.exit_code == 0, result.output
    assert "people: " in result.output
    assert str(small) in result.output
    network, saved = read_network(small)
    assert network.joints == 21
    assert is_trimmed(network.conv1)
    before = sum(v.numel() for v in read_network(whole)[0].parameters())
    assert sum(v.numel() for v in network.parameters()) < before
    assert (saved["size"], saved["sigma"], saved["task"]) == ([64, 64], 1.5, "pose")


def test_what_does_not_fit_is_refused_in_one_line(config: Path, tmp_path: Path) -> None:
    locator = checkpoint(tmp_path / "locate.pt", 3)
    wrong = run(locator, "--config", config, "--keep", 0.7, "-o", tmp_path / "small.pt")
    assert isinstance(wrong.exception, BadModel)
    assert "gives 3 maps" in str(wrong.exception)
    nowhere = run(locator, "--config", config, "--keep", 0.7, "-o", tmp_path / "gone/small.pt")
    assert isinstance(nowhere.exception, BadSettings)
    assert "no such folder" in str(nowhere.exception)
    assert not (tmp_path / "small.pt").exists()
