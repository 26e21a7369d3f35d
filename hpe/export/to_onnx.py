"""PoseResNet -> fp32 ONNX, as torch exports it."""

import tempfile
import warnings
from pathlib import Path
from typing import Final

import onnx
import torch

from hpe.errors import BadModel
from hpe.pose.crops import MULTIPLE, Frame, height_width
from hpe.train.network import PoseResNet

OPSET: Final[int] = 17


def to_onnx(network: PoseResNet, frame: Frame) -> onnx.ModelProto:
    """-> fp32 ONNX, (N, 3, height, width) normalised RGB to (N, joints, height/4, width/4), N free."""
    height, width = height_width(frame)
    if height % MULTIPLE or width % MULTIPLE or min(height, width) < 64:
        raise BadModel(f"input size {height}x{width}: sides must be multiples of {MULTIPLE} from 64 up")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the TorchScript exporter announces its retirement on every call
        torch.onnx.export(
            network.cpu().eval(),
            (torch.zeros(1, 3, height, width),),
            str(Path(folder, "plain.onnx")),
            input_names=["image"],
            output_names=["heatmaps"],
            dynamic_axes={"image": {0: "N"}, "heatmaps": {0: "N"}},
            opset_version=OPSET,
            dynamo=False,
        )
        return onnx.load(Path(folder, "plain.onnx"))
