"""The networks that are timed, made once and kept in build/bench/.

Weights are random: time does not depend on them. Batch-norm statistics are random too, so that the signal
survives to the heatmaps and int8 ranges are those of a live network.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

BUILD = Path(__file__).parents[1] / "build" / "bench"


@dataclass(frozen=True)
class Net:
    """A network to time: ResNet depth, side of its input in px, width of its transposed convolutions."""

    depth: int
    size: int
    deconv_channels: int

    @property
    def name(self) -> str:
        return f"ResNet-{self.depth} {self.size}x{self.size}"

    @property
    def stem(self) -> str:
        return f"r{self.depth}-{self.size}-{self.deconv_channels}"


RESNET50 = Net(50, 256, 256)
DEFAULT = Net(18, 224, 128)  # the shape of the model in models/


def pictures(size: int, count: int = 8) -> NDArray[np.uint8]:
    """(count, size, size, 3) uint8 RGB: random blobs of several sizes, as photographs have."""
    rng = np.random.default_rng(0)
    total = np.zeros((count, size, size, 3))
    for cell in (4, 16, size // 4):
        side = -(-size // cell)
        coarse = rng.normal(size=(count, side, side, 3))
        total += coarse.repeat(cell, axis=1).repeat(cell, axis=2)[:, :size, :size]
    return np.clip(128 + 45 * total, 0, 255).astype(np.uint8)


def normalised(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, S, S, 3) uint8 RGB -> (N, 3, S, S) as the network was trained on."""
    from hpe.export.stem import MEAN_RGB, STD_RGB

    planes = (images / 255 - MEAN_RGB) / STD_RGB
    return np.ascontiguousarray(planes.transpose(0, 3, 1, 2), dtype=np.float32)


def exported(net: Net) -> Path:
    """fp32 as torch exports it: float planes in, transposed convolutions."""
    return _kept(net, "fp32", lambda: _export(net))


def int8(net: Net) -> Path:
    """Ours: rewritten, then static int8, uint8 picture in."""
    return _kept(net, "int8", lambda: _quantize(net))


def dynamic(net: Net) -> Path:
    """The 2020 recipe: onnxruntime's quantize_dynamic on the exported model."""
    return _kept(net, "dynamic", lambda: _dynamic(exported(net)))


def static_plain(net: Net) -> Path:
    """onnxruntime's static QDQ on the exported model, prepared as its documentation says, not rewritten."""
    return _kept(net, "static", lambda: _static(exported(net), normalised(pictures(net.size))))


def _kept(net: Net, kind: str, make: "Callable[[], onnx.ModelProto]") -> Path:
    import onnx

    path = BUILD / f"{net.stem}-{kind}.onnx"
    sources = Path(__file__).parents[1].glob("hpe/export/*.py")
    newest = max(p.stat().st_mtime for p in (*sources, Path(__file__)))
    if not path.exists() or path.stat().st_mtime < newest:
        BUILD.mkdir(parents=True, exist_ok=True)
        logging.getLogger().setLevel(logging.ERROR)  # the quantizer advises a preparation that was done
        onnx.save(make(), path)
    return path


def _export(net: Net) -> "onnx.ModelProto":
    import torch
    from torch import nn

    from hpe.export.to_onnx import to_onnx
    from hpe.train.network import PoseResNet

    torch.manual_seed(net.depth)
    network = PoseResNet(net.depth, deconv_channels=net.deconv_channels).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.4, 1.1)
            nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0, 0.03)
    # a random network that is sure of itself: the estimator looks twice and does not go searching for somebody small
    nn.init.constant_(network.final_layer.bias, 1.0)
    return to_onnx(network, net.size)


def _quantize(net: Net) -> "onnx.ModelProto":
    import onnx

    from hpe.export.quantize import quantize
    from hpe.export.rewrite import rewrite

    return quantize(rewrite(onnx.load(exported(net))), pictures(net.size))


def _dynamic(source: Path) -> "onnx.ModelProto":
    from onnxruntime.quantization import quantize_dynamic

    target = source.with_suffix(".tmp")
    quantize_dynamic(source, target)
    return _taken(target)


def _static(source: Path, planes: NDArray[np.float32]) -> "onnx.ModelProto":
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Planes(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.left = iter(planes)

        def get_next(self) -> dict[str, Any] | None:
            plane = next(self.left, None)
            return None if plane is None else {"image": plane[None]}

    prepared, target = source.with_suffix(".prepared"), source.with_suffix(".tmp")
    quant_pre_process(source, prepared)
    quantize_static(
        prepared,
        target,
        Planes(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    prepared.unlink()
    return _taken(target)


def _taken(path: Path) -> "onnx.ModelProto":
    import onnx

    model = onnx.load(path)
    path.unlink()
    return model
