"""Forms of the graph that were tried and not kept, and the steps that were: what `python -m bench tuning` compares."""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper

from hpe.export.deconvolutions import final_before_interleave, interleave_rows, split_deconvolutions
from hpe.export.graph import Graph, checked, like
from hpe.export.rewrite import fold_batch_norm, rewrite
from hpe.export.stem import FULL, INPUT_ZERO, MEAN_RGB, STD_RGB, uint8_input


def forms() -> dict[str, Callable[[onnx.ModelProto], onnx.ModelProto]]:
    """Name -> the whole rewriting of an exported model."""
    return {
        "as shipped": rewrite,
        "DepthToSpace for the interleave": lambda m: uint8_input(_split(m)),
        "stem of 7x7 on 4 channels": lambda m: four_channel_input(interleave_rows(_split(m))),
        "both of these": lambda m: four_channel_input(_split(m)),
        "one 2x2 convolution of 4x the channels": lambda m: uint8_input(
            interleave_rows(final_before_interleave(merged_deconvolutions(fold_batch_norm(m), kernel=2)))
        ),
        "one 3x3 convolution of 4x the channels": lambda m: uint8_input(
            interleave_rows(final_before_interleave(merged_deconvolutions(fold_batch_norm(m), kernel=3)))
        ),
    }


def _split(model: onnx.ModelProto) -> onnx.ModelProto:
    return final_before_interleave(split_deconvolutions(fold_batch_norm(model)))


def four_channel_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """As hpe.export.stem's, without the space-to-depth: RGB padded to four channels, 7x7 stride 2."""
    graph = Graph.copy_of(model)
    picture = graph.proto.input[0]
    stem = graph.readers(picture.name)[0]
    size = [d.dim_value for d in picture.type.tensor_type.shape.dim[2:]]
    weight = np.asarray(graph.weight(stem.input[1]), np.float64) / (255 * STD_RGB).reshape(1, 3, 1, 1)
    distance = (INPUT_ZERO - 255 * MEAN_RGB).reshape(1, 3, 1, 1)
    constant = (weight * distance).sum(axis=1, keepdims=True) / (FULL - INPUT_ZERO)
    kernel = graph.add_weight("stem.weight", np.concatenate([weight, constant], axis=1).astype(np.float32))
    pads = graph.add_weight("stem.pads", np.array([0, 0, 0, 0, 0, 0, 0, 1], np.int64))
    full = graph.add_weight("stem.full", np.array(FULL, np.uint8))
    one = graph.add_weight("stem.scale", np.array(1.0, np.float32))
    zero = graph.add_weight("stem.zero", np.array(INPUT_ZERO, np.uint8))
    nodes = [
        helper.make_node("Pad", ["image", pads, full], ["image_rgb1"], name="image_rgb1", mode="constant"),
        helper.make_node("Transpose", ["image_rgb1"], ["image_planes"], name="image_planes", perm=[0, 3, 1, 2]),
        helper.make_node("DequantizeLinear", ["image_planes", one, zero], ["image_float"], name="image_float"),
        like(stem, ["image_float", kernel, *stem.input[2:]], list(stem.output)),
    ]
    graph.replace([stem], nodes)
    picture.CopyFrom(helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", *size, 3]))
    return checked(graph)


def merged_deconvolutions(model: onnx.ModelProto, kernel: int) -> onnx.ModelProto:
    """Each deconvolution as one convolution of all four phases, then a slice a phase, Concat and DepthToSpace.

    kernel 3 holds each phase's 2x2 taps among zeros; kernel 2 puts out a row and a column too many, and each
    phase is cut out of it at its own place.
    """
    graph = Graph.copy_of(model)
    inferred = onnx.shape_inference.infer_shapes(model).graph.value_info
    sizes = {v.name: v.type.tensor_type.shape.dim[2].dim_value for v in inferred}
    for layer in graph.nodes("ConvTranspose"):
        weight = np.asarray(graph.weight(layer.input[1]), np.float32)
        relu = graph.sole_reader(layer.output[0], "Relu")
        assert relu is not None
        out, size, width = relu.output[0], sizes[layer.output[0]] // 2, weight.shape[1]
        phases = [(a, b) for a in (0, 1) for b in (0, 1)]
        rows = ((3, 1), (2, 0))
        taps = [weight[:, :, rows[a], :][:, :, :, rows[b]].transpose(1, 0, 2, 3) for a, b in phases]
        if kernel == 3:
            taps = [np.pad(t, ((0, 0), (0, 0), (a, 1 - a), (b, 1 - b))) for t, (a, b) in zip(taps, phases, strict=True)]
        stacked = graph.add_weight(f"{out}.kernel", np.concatenate(taps))
        bias = graph.add_weight(f"{out}.bias", np.tile(graph.weight(layer.input[2]), 4))
        inputs, shape = [layer.input[0], stacked, bias], [kernel, kernel]
        nodes = [
            helper.make_node("Conv", inputs, [f"{out}.raw"], name=f"{out}.raw", kernel_shape=shape, pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"{out}.raw"], [f"{out}.all"], name=f"{out}.all"),
        ]
        parts = []
        for number, (a, b) in enumerate(phases):
            top, left = (a, b) if kernel == 2 else (0, 0)
            bounds = [[number * width, top, left], [(number + 1) * width, top + size, left + size], [1, 2, 3]]
            names = [graph.add_weight(f"{out}.cut{number}", np.array(bound, np.int64)) for bound in bounds]
            part = f"{out}.part{number}"
            nodes.append(helper.make_node("Slice", [f"{out}.all", *names], [part], name=part))
            parts.append(part)
        nodes.append(helper.make_node("Concat", parts, [f"{out}.phases"], name=f"{out}.phases", axis=1))
        nodes.append(
            helper.make_node("DepthToSpace", [f"{out}.phases"], [out], name=f"{out}.d2s", blocksize=2, mode="DCR")
        )
        graph.replace([layer, relu], nodes)
    graph.drop_unused_weights()
    return checked(graph)
