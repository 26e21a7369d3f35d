"""fp32 ONNX, rewritten -> fully int8 ONNX: static, per-channel weights, calibrated on training pictures.

onnxruntime's own static quantizer does the work (its maintainers advise static over dynamic for CNNs, issue
12854). Around it: the uint8 picture itself becomes the first quantized tensor, so nothing is converted on
the way in.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from hpe.export.exact import exact_sums
from hpe.export.graph import Graph

MOVERS: Final[list[str]] = ["Concat", "Reshape", "Transpose"]  # move values, compute nothing
OPERATORS: Final[list[str]] = ["Conv", "Relu", "Add", "MaxPool", *MOVERS]


def quantize(model: onnx.ModelProto, calibration: Sequence[NDArray[np.uint8]]) -> onnx.ModelProto:
    """A model from `rewrite` and (H, W, 3) uint8 RGB training pictures, of any sizes -> int8 QDQ model.

    Activations uint8 per tensor, their ranges the least and the most that was seen; weights int8 per output channel,
    of 7 bits, biases int32. On x86 without VNNI two u8 x s8 products are added in 16 bits, and
    saturate with 8-bit weights: docs/decisions/avx2.md. Sums are exact, see `hpe.export.exact`.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "fp32.onnx"), Path(folder, "int8.onnx")
        onnx.save(model, source)
        quantize_static(
            source,
            target,
            _reader(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return exact_sums(share_scales(quantized_input(onnx.load(target))))


def quantized_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """Lets the first convolution read the uint8 picture's own DequantizeLinear, not a re-quantized copy of it."""
    graph = Graph.copy_of(model)
    picture = next(n for n in graph.nodes("DequantizeLinear") if n.output[0] == "image_float")
    for again in graph.readers(picture.output[0]):
        if again.op_type != "QuantizeLinear":
            continue
        back = graph.sole_reader(again.output[0], "DequantizeLinear")
        if back is None:
            continue
        kept = _copy_to(picture, back.output[0])
        graph.replace([picture, again, back], [kept])
    graph.drop_unused_weights()
    return graph.model


def _copy_to(node: onnx.NodeProto, output: str) -> onnx.NodeProto:
    copied = onnx.NodeProto()
    copied.CopyFrom(node)
    copied.output[0] = output
    return copied


def share_scales(model: onnx.ModelProto) -> onnx.ModelProto:
    """Gives what goes into an interleave the scale of what comes out, so that it only moves bytes."""
    graph = Graph.copy_of(model)
    movers = [node for node in graph.proto.node if node.op_type in MOVERS]
    for mover in reversed(movers):  # from the end: a scale travels back over several of them
        after = graph.sole_reader(mover.output[0], "QuantizeLinear")
        if after is None:
            continue
        for source in mover.input if mover.op_type == "Concat" else mover.input[:1]:
            back = graph.maker(source)
            forth = graph.maker(back.input[0]) if back is not None else None
            if back is None or forth is None or back.op_type != "DequantizeLinear" or forth.op_type != "QuantizeLinear":
                continue
            for node in (back, forth):
                node.input[1], node.input[2] = after.input[1], after.input[2]
    graph.drop_unused_weights()
    return graph.model


def _reader(calibration: Sequence[NDArray[np.uint8]]) -> Any:
    """onnxruntime's CalibrationDataReader over single pictures, rewindable."""
    from onnxruntime.quantization import CalibrationDataReader

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.rewind()

        def rewind(self) -> None:
            self._left: Iterator[NDArray[np.uint8]] = iter(calibration)

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            picture = next(self._left, None)
            return None if picture is None else {"image": picture[None]}

    return Pictures()
