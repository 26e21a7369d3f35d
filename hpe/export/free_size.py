"""Any picture whose sides are multiples of 32 px, not only those that were exported."""

import math

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from hpe.errors import BadModel
from hpe.export.graph import Graph, checked, like
from hpe.pose.crops import MULTIPLE


def free_size(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model from `uint8_input`, (N, S, T, 3) in -> the same for (N, H, W, 3), H and W multiples of 32.

    Convolutions take any size; what is fixed is where bytes are moved. Each of those shapes (N, h, w, c) becomes
    (N, H h/S, W w/T, c), computed from the picture's own in a handful of integers.
    """
    graph = Graph.copy_of(model)
    picture = graph.proto.input[0]
    sides = [d.dim_value for d in picture.type.tensor_type.shape.dim][1:]
    if len(sides) != 3 or sides[2] != 3 or sides[0] % MULTIPLE or sides[1] % MULTIPLE or 0 in sides:
        raise BadModel(f"expected a picture of (N, S, T, 3), S and T multiples of {MULTIPLE}, found {sides}")
    dims = graph.fresh(f"{picture.name}.dims")
    made = [helper.make_node("Shape", [picture.name], [dims], name=dims)]
    for mover in [*graph.nodes("Reshape"), *graph.nodes("Expand")]:
        fixed = _fixed_dims(graph, mover)
        nodes, shape = _scaled(graph, dims, sides, fixed, mover.output[0])
        made += nodes
        source = mover.input[0]
        if mover.op_type == "Expand":
            source = graph.add_weight(f"{source}.one", np.asarray(graph.weight(source)).reshape(-1)[:1])
        graph.replace([mover], [like(mover, [source, shape], list(mover.output))])
    for split in graph.nodes("Split"):  # in equal parts, where no others are given
        graph.replace([split], [like(split, list(split.input[:1]), list(split.output))])
    for node in reversed(made):
        graph.proto.node.insert(0, node)
    picture.CopyFrom(helper.make_tensor_value_info(picture.name, TensorProto.UINT8, ["N", "H", "W", 3]))
    out = graph.proto.output[0]
    joints = out.type.tensor_type.shape.dim[1].dim_value
    out.CopyFrom(helper.make_tensor_value_info(out.name, TensorProto.FLOAT, ["N", joints, "H/4", "W/4"]))
    graph.drop_unused_nodes()
    graph.drop_unused_weights()
    return checked(graph)


def _fixed_dims(graph: Graph, mover: onnx.NodeProto) -> NDArray[np.int64]:
    """The dimensions after the first that a Reshape asks for, or that an Expand's constant has."""
    name = mover.input[1] if mover.op_type == "Reshape" else mover.input[0]
    value = np.asarray(graph.weight(name))
    dims = value if mover.op_type == "Reshape" else np.array(value.shape)
    if len(dims) != 4 or (dims[1:] < 1).any():
        raise BadModel(f"{mover.name}: expected fixed (N, h, w, c), found {dims.tolist()}")
    return dims[1:].astype(np.int64)


def _scaled(
    graph: Graph, dims: str, sides: list[int], fixed: NDArray[np.int64], name: str
) -> tuple[list[onnx.NodeProto], str]:
    """Nodes that make (N, H h/S, W w/T, c) of the picture's (N, H, W, 3), and the name of what they make."""
    times, over = np.ones(4, np.int64), np.ones(4, np.int64)
    for axis, (wanted, have) in enumerate(zip(fixed, sides, strict=True), start=1):
        common = math.gcd(int(wanted), have)
        times[axis], over[axis] = wanted // common, have // common
    product, shape = graph.fresh(f"{name}.product"), graph.fresh(f"{name}.dims")
    factors = graph.add_weight(f"{name}.times", times), graph.add_weight(f"{name}.over", over)
    return [
        helper.make_node("Mul", [dims, factors[0]], [product], name=product),
        helper.make_node("Div", [product, factors[1]], [shape], name=shape),
    ], shape
