"""Transposed convolutions as plain ones whose outputs interleave."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from hpe.errors import BadModel
from hpe.export.graph import Graph, attribute, checked, like


def split_deconvolutions(model: onnx.ModelProto) -> onnx.ModelProto:
    """Each 4x4 stride-2 pad-1 ConvTranspose [+ Relu] -> four 2x2 Conv [+ Relu], Concat, DepthToSpace.

    Output row 2i + a takes kernel rows 3, 1 of input rows i - 1, i (a = 0) or 2, 0 of rows i, i + 1 (a = 1);
    columns alike. The missing neighbour is the Conv's own one-sided padding.
    """
    graph = Graph.copy_of(model)
    for layer in graph.nodes("ConvTranspose"):
        _require_doubling(layer, graph.weight(layer.input[1]).shape)
        weight = np.asarray(graph.weight(layer.input[1]), np.float32)
        relu = graph.sole_reader(layer.output[0], "Relu")
        out = (relu or layer).output[0]
        nodes, phases = [], []
        for a in (0, 1):
            for b in (0, 1):
                phase = _phase(graph, layer, weight, a, b, out)
                nodes.append(phase)
                phases.append(phase.output[0])
                if relu is not None:
                    active = graph.fresh(f"{out}.phase{a}{b}.relu")
                    nodes.append(helper.make_node("Relu", [phases[-1]], [active], name=active))
                    phases[-1] = active
        stacked = graph.fresh(f"{out}.phases")
        nodes.append(helper.make_node("Concat", phases, [stacked], name=stacked, axis=1))
        # DCR: channel (2a + b) * C + c goes to output phase (a, b) of channel c
        interleave = graph.fresh(f"{out}.interleave")
        nodes.append(helper.make_node("DepthToSpace", [stacked], [out], name=interleave, blocksize=2, mode="DCR"))
        graph.replace([layer] if relu is None else [layer, relu], nodes)
    graph.drop_unused_weights()
    return checked(graph)


def _phase(
    graph: Graph, layer: onnx.NodeProto, weight: NDArray[np.float32], a: int, b: int, out: str
) -> onnx.NodeProto:
    rows = ((3, 1), (2, 0))
    kernel = weight[:, :, rows[a], :][:, :, :, rows[b]].transpose(1, 0, 2, 3)
    inputs = [layer.input[0], graph.add_weight(f"{out}.phase{a}{b}.weight", kernel), *layer.input[2:3]]
    name = graph.fresh(f"{out}.phase{a}{b}")
    pads = [1 - a, 1 - b, a, b]
    return helper.make_node("Conv", inputs, [name], name=name, kernel_shape=[2, 2], strides=[1, 1], pads=pads)


def _require_doubling(layer: onnx.NodeProto, shape: tuple[int, ...]) -> None:
    settings = (
        list(attribute(layer, "strides", [1, 1])),  # type: ignore[call-overload]
        list(attribute(layer, "pads", [0, 0, 0, 0])),  # type: ignore[call-overload]
        attribute(layer, "group", 1),
        list(attribute(layer, "output_padding", [0, 0])),  # type: ignore[call-overload]
    )
    if shape[2:] != (4, 4) or settings != ([2, 2], [1, 1, 1, 1], 1, [0, 0]):
        raise BadModel(
            f"{layer.name}: a transposed convolution of {shape[2:]} with strides {settings[0]}, pads {settings[1]}: "
            "only 4x4, stride 2, padding 1 can be rewritten"
        )


def final_before_interleave(model: onnx.ModelProto) -> onnx.ModelProto:
    """Concat, DepthToSpace, 1x1 Conv -> 1x1 Conv on each phase, Concat, DepthToSpace."""
    graph = Graph.copy_of(model)
    for interleave in graph.nodes("DepthToSpace"):
        final = graph.sole_reader(interleave.output[0], "Conv")
        concat = graph.maker(interleave.input[0])
        if final is None or concat is None or graph.weight(final.input[1]).shape[2:] != (1, 1):
            continue
        nodes, phases = [], []
        for phase in concat.input:
            name = graph.fresh(f"{phase}.final")
            nodes.append(like(final, [phase, *final.input[1:]], [name], name))
            phases.append(name)
        stacked = graph.fresh(f"{final.output[0]}.phases")
        nodes.append(helper.make_node("Concat", phases, [stacked], name=stacked, axis=1))
        nodes.append(
            helper.make_node(
                "DepthToSpace", [stacked], list(final.output), name=interleave.name, blocksize=2, mode="DCR"
            )
        )
        graph.replace([concat, interleave, final], nodes)
    return checked(graph)


def interleave_rows(model: onnx.ModelProto) -> onnx.ModelProto:
    """Concat, DepthToSpace -> the same interleave as copies of rows of channels.

    Channels last, (N, H, W, C), the phases of one output row side by side along the channels are that row:
    (N, H, W, 2C) is (N, H, 2W, C) in memory. Two such rows side by side along W are two rows of the result.
    onnxruntime's int8 convolutions run channels last, so it cancels the Transposes that stand here against
    its own, and what is left are four copies. DepthToSpace moves single bytes, in channels-first order.
    """
    graph = Graph.copy_of(model)
    shapes = _shapes(model)
    for interleave in graph.nodes("DepthToSpace"):
        concat = graph.maker(interleave.input[0])
        if concat is None or concat.op_type != "Concat" or len(concat.input) != 4:
            continue
        out = interleave.output[0]
        nodes = [_turned(graph, phase, f"{phase}.last", [0, 2, 3, 1]) for phase in concat.input]
        last = [node.output[0] for node in nodes]
        nodes += [_beside(graph, last[2 * a : 2 * a + 2], f"{out}.row{a}", axis=3) for a in (0, 1)]
        nodes.append(_beside(graph, [node.output[0] for node in nodes[-2:]], f"{out}.rows", axis=2))
        channels, height, width = shapes[concat.input[0]]
        dims = np.array([-1, 2 * height, 2 * width, channels], np.int64)
        grid = graph.fresh(f"{out}.grid")
        shape = graph.add_weight(f"{out}.shape", dims)
        nodes.append(helper.make_node("Reshape", [nodes[-1].output[0], shape], [grid], name=grid))
        nodes.append(_turned(graph, grid, out, [0, 3, 1, 2]))
        graph.replace([concat, interleave], nodes)
    return checked(graph)


def _turned(graph: Graph, tensor: str, out: str, perm: list[int]) -> onnx.NodeProto:
    return helper.make_node("Transpose", [tensor], [out], name=graph.fresh(f"{out}.turned"), perm=perm)


def _beside(graph: Graph, tensors: list[str], out: str, axis: int) -> onnx.NodeProto:
    name = graph.fresh(out)
    return helper.make_node("Concat", tensors, [name], name=name, axis=axis)


def _shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Tensor -> its dimensions after the first, which is free."""
    inferred = onnx.shape_inference.infer_shapes(model).graph.value_info
    return {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim[1:]) for v in inferred}
