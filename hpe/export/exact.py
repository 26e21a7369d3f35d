"""Sums that every processor rounds alike, so that an int8 model gives the same bytes everywhere.

onnxruntime adds two int8 tensors in float32, each times its scale over the sum's. Processors with a fused multiply-add
(x86 with FMA) do not round the product, others (WebAssembly) do: close to a half the sum is another byte, and the
layers behind it make more of that. With short ratios both are exact, and nothing is left to be rounded but the sum.
"""

import math
from typing import Final

import numpy as np
import onnx

from hpe.export.graph import Graph

# Of a ratio's mantissa: a byte times it, and sums of those, fit into float32's 24. Scales grow by 2^-7 at most.
BITS: Final = 8
# These give out the scale that they were given.
SAME_SCALE: Final = ("MaxPool", "Concat", "Reshape", "Transpose")


def exact_sums(model: onnx.ModelProto) -> onnx.ModelProto:
    """A QDQ model -> the same with scales a little larger, so that what is added has a short ratio to its sum."""
    graph = Graph.copy_of(model)
    done: set[str] = set()
    for add in reversed(graph.nodes("Add")):  # from the end: a sum is added again
        after = graph.sole_reader(add.output[0], "QuantizeLinear")
        if after is None:
            continue
        if after.name not in done:
            _rescale(graph, after, np.float32(short(float(_scale(graph, after)))))
        for source in add.input:
            before = _quantizer(graph, source)
            if before is not None:
                _rescale(graph, before, _in_proportion(_scale(graph, before), _scale(graph, after)))
                done.add(before.name)
    graph.drop_unused_weights()
    return graph.model


def ratios(model: onnx.ModelProto) -> list[float]:
    """Of each tensor that is added: its scale over the sum's, in float32 as onnxruntime divides them."""
    graph, found = Graph(model), []
    for add in graph.nodes("Add"):
        after = graph.sole_reader(add.output[0], "QuantizeLinear")
        for source in add.input if after is not None else ():
            before = _quantizer(graph, source)
            if after is not None and before is not None:
                found.append(float(_scale(graph, before) / _scale(graph, after)))
    return found


def short(value: float) -> float:
    """A positive number -> the least of at least it with a mantissa of BITS bits."""
    mantissa, exponent = math.frexp(value)
    return math.ldexp(math.ceil(mantissa * 2**BITS) / 2**BITS, exponent)


def _in_proportion(scale: np.float32, total: np.float32) -> np.float32:
    """The least scale of at least this one whose float32 quotient by `total` is short, to the bit."""
    ratio = short(float(scale / total))
    while np.float32(np.float32(total * np.float32(ratio)) / total) != np.float32(ratio):
        ratio = short(math.nextafter(ratio, math.inf))
    return np.float32(total * np.float32(ratio))


def _scale(graph: Graph, node: onnx.NodeProto) -> np.float32:
    return np.float32(graph.weight(node.input[1]).reshape(-1)[0])


def _quantizer(graph: Graph, tensor: str) -> onnx.NodeProto | None:
    """What made the bytes behind a float tensor; None for a constant, and without one."""
    back = graph.maker(tensor)
    if back is None or back.op_type != "DequantizeLinear":
        return None
    forth = graph.maker(back.input[0])
    return forth if forth is not None and forth.op_type == "QuantizeLinear" else None


def _rescale(graph: Graph, forth: onnx.NodeProto, scale: np.float32) -> None:
    """Another scale of the bytes that `forth` makes, also before what only moves them; in place."""
    name = graph.add_weight(forth.input[1], np.full(graph.weight(forth.input[1]).shape, scale, np.float32))
    forth.input[1] = name
    for back in graph.readers(forth.output[0]):
        back.input[1] = name
        for reader in graph.readers(back.output[0]):
            if reader.op_type == "Conv" and len(reader.input) == 3:
                _rescale_bias(graph, reader, scale)
    maker = graph.maker(forth.input[0])
    if maker is not None and maker.op_type in SAME_SCALE:
        for source in maker.input[: None if maker.op_type == "Concat" else 1]:
            before = _quantizer(graph, source)
            if before is not None:
                _rescale(graph, before, scale)


def _rescale_bias(graph: Graph, conv: onnx.NodeProto, scale: np.float32) -> None:
    """A convolution's int32 bias is in steps of its input's scale times its weights'."""
    weights, bias = graph.maker(conv.input[1]), graph.maker(conv.input[2])
    if weights is None or bias is None:
        return  # not in int8
    steps = graph.weight(bias.input[1]).astype(np.float64)
    wanted = (scale * graph.weight(weights.input[1]).astype(np.float32)).astype(np.float32)
    whole = np.rint(graph.weight(bias.input[0]).astype(np.float64) * steps / wanted)
    bias.input[0] = graph.add_weight(bias.input[0], whole.astype(np.int32))
    bias.input[1] = graph.add_weight(bias.input[1], wanted.reshape(np.shape(steps)))
