"""Checkpoint (ours, or Microsoft's .pth.tar) -> PoseResNet -> fp32 ONNX."""

import re
import tempfile
import warnings
from pathlib import Path
from typing import Final

import onnx
import torch
from torch import Tensor

from hpe.errors import BadModel
from hpe.train.loop import read_checkpoint
from hpe.train.network import BLOCKS, PoseResNet

OPSET: Final[int] = 17


def load_network(path: Path) -> PoseResNet:
    """A checkpoint -> PoseResNet in eval mode, its depth and widths read off the weights.

    Takes a bare state_dict or one under `state_dict`, with or without DataParallel's `module.` prefix.
    Raises BadModel naming the missing or unexpected keys.
    """
    state = {k.removeprefix("module."): v for k, v in read_checkpoint(path)["state_dict"].items()}
    missing = [k for k in ("conv1.weight", "deconv_layers.0.weight", "final_layer.weight") if k not in state]
    if missing:
        raise BadModel(f"{path}: not a PoseResNet checkpoint: it lacks {', '.join(missing)}")
    network = PoseResNet(
        _depth(state, path),
        joints=len(state["final_layer.weight"]),
        deconv_channels=state["deconv_layers.0.weight"].shape[1],
    )
    expected = network.state_dict()
    state = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    # very old checkpoints have no batch counters, which play no part in eval mode
    counters = {k: v for k, v in expected.items() if k.endswith("num_batches_tracked") and k not in state}
    state |= counters
    problems = [
        *(f"missing {k}" for k in expected if k not in state),
        *(f"unexpected {k}" for k in state if k not in expected),
        *(
            f"{k} is {tuple(state[k].shape)}, expected {tuple(v.shape)}"
            for k, v in expected.items()
            if k in state and state[k].shape != v.shape
        ),
    ]
    if problems:
        more = f" and {len(problems) - 6} more" if len(problems) > 6 else ""
        raise BadModel(f"{path}: does not fit PoseResNet-{network.depth}: {'; '.join(problems[:6])}{more}")
    network.load_state_dict(state)
    return network.eval()


def _depth(state: dict[str, Tensor], path: Path) -> int:
    counts = tuple(
        len({m[1] for k in state if (m := re.match(rf"layer{stage}\.(\d+)\.", k))}) for stage in (1, 2, 3, 4)
    )
    bottleneck = "layer1.0.conv3.weight" in state
    for depth, blocks in BLOCKS.items():
        if blocks == counts and (depth >= 50) == bottleneck:
            return depth
    raise BadModel(f"{path}: stages of {counts} blocks are no ResNet-{'/'.join(map(str, BLOCKS))}")


def to_onnx(network: PoseResNet, size: int) -> onnx.ModelProto:
    """-> fp32 ONNX, (N, 3, size, size) normalised RGB to (N, joints, size/4, size/4), N free."""
    if size % 32 or size < 64:
        raise BadModel(f"input size {size}: must be a multiple of 32 from 64 up")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the TorchScript exporter announces its retirement on every call
        torch.onnx.export(
            network.cpu().eval(),
            (torch.zeros(1, 3, size, size),),
            str(Path(folder, "plain.onnx")),
            input_names=["image"],
            output_names=["heatmaps"],
            dynamic_axes={"image": {0: "N"}, "heatmaps": {0: "N"}},
            opset_version=OPSET,
            dynamo=False,
        )
        return onnx.load(Path(folder, "plain.onnx"))
