"""Checkpoints from here and from Microsoft load; others are refused by name."""

from pathlib import Path

import pytest
import torch

from hpe.errors import BadModel
from hpe.export.to_onnx import to_onnx
from hpe.train.checkpoint import read_network
from hpe.train.network import PoseResNet


def saved(path: Path, state: object) -> Path:
    torch.save(state, path)
    return path


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_depth_is_read_off_the_weights(tmp_path: Path, depth: int) -> None:
    network, _ = read_network(
        saved(tmp_path / "a.pth.tar", PoseResNet(depth, deconv_channels=16, width=8).state_dict())
    )
    assert (network.depth, network.deconv_channels, network.training) == (depth, (16, 16, 16), False)


def test_a_locator_is_read_as_well(tmp_path: Path) -> None:
    narrow = PoseResNet(18, 3, deconv_channels=64, width=32)
    network, _ = read_network(saved(tmp_path / "a.pt", narrow.state_dict()))
    assert network.joints == 3
    assert network.conv1.weight.shape[0] == 32


def test_data_parallel_names_and_missing_batch_counters_load(tmp_path: Path) -> None:
    state = PoseResNet(18, deconv_channels=16).state_dict()
    old = {f"module.{k}": v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    network, _ = read_network(saved(tmp_path / "a.pth.tar", old))
    assert torch.equal(network.conv1.weight, state["conv1.weight"])


def test_half_precision_checkpoint_under_state_dict_loads_as_float(tmp_path: Path) -> None:
    state = {
        k: v.half() if v.is_floating_point() else v for k, v in PoseResNet(18, deconv_channels=16).state_dict().items()
    }
    assert read_network(saved(tmp_path / "a.pt", {"state_dict": state}))[0].conv1.weight.dtype == torch.float32


def test_missing_and_unexpected_keys_are_named(tmp_path: Path) -> None:
    state = PoseResNet(18, deconv_channels=16).state_dict()
    del state["layer2.0.bn1.weight"]
    state["extra.weight"] = torch.zeros(1)
    with pytest.raises(BadModel, match=r"missing layer2\.0\.bn1\.weight; unexpected extra\.weight"):
        read_network(saved(tmp_path / "a.pt", state))


def test_wrong_shape_is_named(tmp_path: Path) -> None:
    state = PoseResNet(18, deconv_channels=16).state_dict()
    state["conv1.weight"] = torch.zeros(64, 3, 3, 3)
    with pytest.raises(BadModel, match=r"conv1\.weight is \(64, 3, 3, 3\), expected \(64, 3, 7, 7\)"):
        read_network(saved(tmp_path / "a.pt", state))


def test_a_classifier_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="lacks deconv_layers"):
        read_network(saved(tmp_path / "a.pt", {"conv1.weight": torch.zeros(64, 3, 7, 7)}))


@pytest.mark.parametrize("content", [{"model": {}, "epoch": 3}, {1: torch.zeros(1)}, {"state_dict": [1, 2]}])
def test_a_checkpoint_of_another_make_is_refused(tmp_path: Path, content: dict[object, object]) -> None:
    with pytest.raises(BadModel, match="not a dict of weights by name"):
        read_network(saved(tmp_path / "a.pt", content))


def test_other_joints_than_those_of_mpii_are_refused(tmp_path: Path) -> None:
    network = PoseResNet(18, 17, deconv_channels=16)
    with pytest.raises(BadModel, match="has 17 outputs; expected the 16 joints of MPII"):
        read_network(saved(tmp_path / "coco.pt", network.state_dict()))


@pytest.mark.parametrize("size", [0, 32, 100, 250, (256, 100), (32, 256)])
def test_an_odd_input_size_is_refused(size: int | tuple[int, int]) -> None:
    with pytest.raises(BadModel, match="multiples of 32"):
        to_onnx(PoseResNet(18, deconv_channels=16), size)
