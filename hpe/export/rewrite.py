"""Graph surgery that makes every layer of a PoseResNet int8-able. Each step leaves the function unchanged.

onnxruntime has no int8 transposed convolution, and its exporter leaves batch normalisation after one
unfolded, so the plain graph keeps two thirds of its weights in fp32. `rewrite` mends that:

1. `fold_batch_norm`: y = g (W x + b - m) / sqrt(v + e) + B is a convolution again.
2. `split_deconvolutions`: a 4x4 stride-2 pad-1 transposed convolution is four 2x2 convolutions, one an output
   phase, whose outputs interleave (Shi et al., CVPR 2016, run backwards).
3. `final_before_interleave`: a 1x1 convolution commutes with the interleave, so only 16 channels are shuffled.
4. `uint8_input`: raw uint8 RGB in; mean and standard deviation move into the first convolution.
"""

from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from hpe.errors import BadModel
from hpe.export.graph import Graph, attribute

MEAN_RGB: Final = np.array([0.485, 0.456, 0.406])
STD_RGB: Final = np.array([0.229, 0.224, 0.225])
# The uint8 value that stands for zero at the input. Near the mean of all three channels, so that the constant
# fourth channel, which carries each channel's distance from it, needs small weights only.
INPUT_ZERO: Final[int] = 114
FULL: Final[int] = 255


def rewrite(model: onnx.ModelProto) -> onnx.ModelProto:
    """All four steps. fp32 (N, 3, S, S) normalised RGB in -> uint8 (N, S, S, 3) RGB in, the same heatmaps out."""
    return uint8_input(final_before_interleave(split_deconvolutions(fold_batch_norm(model))))


def fold_batch_norm(model: onnx.ModelProto) -> onnx.ModelProto:
    """Folds each BatchNormalization into the Conv or ConvTranspose that alone feeds it."""
    graph = Graph.copy_of(model)
    graph.unshare_weights()
    for layer in [*graph.nodes("Conv"), *graph.nodes("ConvTranspose")]:
        norm = graph.sole_reader(layer.output[0], "BatchNormalization")
        if norm is None:
            continue
        scale, shift, mean, variance = (np.asarray(graph.weight(n), np.float64) for n in norm.input[1:5])
        gain = scale / np.sqrt(variance + float(attribute(norm, "epsilon", 1e-5)))  # type: ignore[arg-type]
        weight = np.asarray(graph.weight(layer.input[1]), np.float64)
        bias = np.asarray(graph.weight(layer.input[2]), np.float64) if len(layer.input) > 2 else 0.0
        # output channels are axis 0 of a Conv's weights and axis 1 of a ConvTranspose's
        axes = (-1, 1, 1, 1) if layer.op_type == "Conv" else (1, -1, 1, 1)
        inputs = [
            layer.input[0],
            graph.add_weight(f"{layer.input[1]}.folded", (weight * gain.reshape(axes)).astype(np.float32)),
            graph.add_weight(f"{layer.input[1]}.bias", ((bias - mean) * gain + shift).astype(np.float32)),
        ]
        folded = _like(layer, inputs, list(norm.output))
        graph.replace([layer, norm], [folded])
    graph.drop_unused_weights()
    return _checked(graph)


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
    return _checked(graph)


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
            nodes.append(_like(final, [phase, *final.input[1:]], [name], name))
            phases.append(name)
        stacked = graph.fresh(f"{final.output[0]}.phases")
        nodes.append(helper.make_node("Concat", phases, [stacked], name=stacked, axis=1))
        nodes.append(
            helper.make_node(
                "DepthToSpace", [stacked], list(final.output), name=interleave.name, blocksize=2, mode="DCR"
            )
        )
        graph.replace([concat, interleave, final], nodes)
    return _checked(graph)


def uint8_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """fp32 (N, 3, S, S) normalised RGB in -> uint8 (N, S, S, 3) RGB in.

    With x the raw value, the first convolution's w (x / 255 - mean) / std is (w / 255 std) (x - z) plus
    (w / 255 std) (z - 255 mean), z = INPUT_ZERO. The second term is constant, but not a bias: it must vanish
    over the convolution's zero padding. So it rides on a fourth channel that is 255 inside the picture and,
    like all channels, z (which stands for zero) in the padding. Exact at the borders as well.
    """
    graph = Graph.copy_of(model)
    picture = graph.proto.input[0]
    dims = picture.type.tensor_type.shape.dim
    stems = graph.readers(picture.name)
    if len(stems) != 1 or stems[0].op_type != "Conv" or dims[1].dim_value != 3:
        raise BadModel("expected one convolution on an input of (N, 3, S, S)")
    stem, size = stems[0], (dims[2].dim_value, dims[3].dim_value)
    weight = np.asarray(graph.weight(stem.input[1]), np.float64) / (255 * STD_RGB).reshape(1, 3, 1, 1)
    distance = (INPUT_ZERO - 255 * MEAN_RGB).reshape(1, 3, 1, 1)
    constant = (weight * distance).sum(axis=1, keepdims=True) / (FULL - INPUT_ZERO)
    stem_weight = graph.add_weight("stem.weight", np.concatenate([weight, constant], axis=1).astype(np.float32))
    pads = graph.add_weight("stem.pads", np.array([0, 0, 0, 0, 0, 0, 0, 1], np.int64))
    full = graph.add_weight("stem.full", np.array(FULL, np.uint8))
    one = graph.add_weight("stem.scale", np.array(1.0, np.float32))
    zero = graph.add_weight("stem.zero", np.array(INPUT_ZERO, np.uint8))
    nodes = [
        helper.make_node("Pad", ["image", pads, full], ["image_rgb1"], name="image_rgb1", mode="constant"),
        helper.make_node("Transpose", ["image_rgb1"], ["image_planes"], name="image_planes", perm=[0, 3, 1, 2]),
        helper.make_node("DequantizeLinear", ["image_planes", one, zero], ["image_float"], name="image_float"),
        _like(stem, ["image_float", stem_weight, *stem.input[2:]], list(stem.output)),
    ]
    graph.replace([stem], nodes)
    graph.proto.input[0].CopyFrom(helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", *size, 3]))
    graph.drop_unused_weights()
    return _checked(graph)


def _like(node: onnx.NodeProto, inputs: list[str], outputs: list[str], name: str | None = None) -> onnx.NodeProto:
    """The same operator with the same attributes on other tensors."""
    copied = onnx.NodeProto()
    copied.CopyFrom(node)
    del copied.input[:]
    del copied.output[:]
    copied.input.extend(inputs)
    copied.output.extend(outputs)
    copied.name = name or node.name or outputs[0]
    return copied


def _checked(graph: Graph) -> onnx.ModelProto:
    del graph.proto.value_info[:]
    onnx.checker.check_model(graph.model)
    return graph.model
