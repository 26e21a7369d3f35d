"""The first convolution, fed with raw uint8 RGB."""

from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from hpe.errors import BadModel
from hpe.export.graph import Graph, attribute, checked
from hpe.train.network import MEAN_RGB, STD_RGB

_MEAN: Final = np.array(MEAN_RGB)
_STD: Final = np.array(STD_RGB)
# The uint8 value that stands for zero at the input. Near the mean of all three channels, so that the constant
# channels, which carry each channel's distance from it, need small weights only.
INPUT_ZERO: Final[int] = 114
FULL: Final[int] = 255
# Four constant channels beside the twelve of a 2x2 block: int8 kernels want multiples of four
BLOCK: Final[int] = 12
CONSTANT: Final[int] = 4


def uint8_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """fp32 (N, 3, S, T) normalised RGB in -> uint8 (N, S, T, 3) RGB in.

    Blocks of 2x2 px become 12 channels, and the 7x7 stride-2 convolution a 4x4 stride-1 one on them: the same
    sums, but in runs of 16 bytes and not of 4, which int8 kernels do a third faster.

    With x the raw value, the convolution's w (x / 255 - mean) / std is (w / 255 std) (x - z) plus
    (w / 255 std) (z - 255 mean), z = INPUT_ZERO. The second term is constant, but not a bias: it must vanish
    over the convolution's zero padding. So it rides on constant channels that are 255 inside the picture and,
    like all channels, z (which stands for zero) in the padding. Exact at the borders as well.
    """
    graph = Graph.copy_of(model)
    picture = graph.proto.input[0]
    dims = picture.type.tensor_type.shape.dim
    stems = graph.readers(picture.name)
    if len(stems) != 1 or stems[0].op_type != "Conv" or dims[1].dim_value != 3:
        raise BadModel("expected one convolution on an input of (N, 3, S, T)")
    stem, height, width = stems[0], dims[2].dim_value, dims[3].dim_value
    weight = np.asarray(graph.weight(stem.input[1]), np.float64)
    _require_halving(stem, weight.shape, height, width)
    blocks = block_weights(weight)
    before = blocks.shape[-1] - 2
    first = helper.make_node(
        "Conv",
        ["image_float", graph.add_weight("stem.weight", blocks), *stem.input[2:]],
        list(stem.output),
        name=stem.name,
        kernel_shape=blocks.shape[2:],
        strides=[1, 1],
        pads=[before, before, 1, 1],  # columns 2j - 3 to 2j + 3 lie in blocks j - 2 to j + 1
    )
    graph.replace([stem], [*_blocks(graph, height, width), first])
    picture.CopyFrom(helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", height, width, 3]))
    graph.drop_unused_weights()
    return checked(graph)


def block_weights(weight: NDArray[np.float64]) -> NDArray[np.float32]:
    """(O, 3, 7, 7) for normalised RGB -> (O, 16, 4, 4) for 2x2 blocks of raw RGB less INPUT_ZERO.

    (O, 16, 3, 3) where the first row and column are zero, as `hpe.prune` leaves them.
    """
    raw = weight / (255 * _STD).reshape(1, 3, 1, 1)
    constant = (raw * (INPUT_ZERO - 255 * _MEAN).reshape(1, 3, 1, 1)).sum(axis=1) / (FULL - INPUT_ZERO)
    before = ((0, 0), (1, 0), (1, 0))  # an eighth row and column in front: a block's first half is not used there
    raw = np.pad(raw, ((0, 0), *before))
    constant = np.pad(constant, before)
    blocks = [raw[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)]
    share = np.sum([constant[:, row::2, column::2] for row in (0, 1) for column in (0, 1)], axis=0) / CONSTANT
    whole = np.concatenate([*blocks, *[share[:, None]] * CONSTANT], axis=1).astype(np.float32)
    return whole if whole[:, :, 0].any() or whole[:, :, :, 0].any() else whole[:, :, 1:, 1:]


def _blocks(graph: Graph, height: int, width: int) -> list[onnx.NodeProto]:
    """(N, H, W, 3) uint8 `image` -> (N, 16, H/2, W/2) `image_float`, in copies of 6 bytes."""
    rows, columns = height // 2, width // 2
    weights: dict[str, NDArray[np.generic]] = {
        "pairs": np.array([-1, rows, width, BLOCK // 2], np.int64),
        "halves": np.array([columns, columns], np.int64),
        "full": np.full((1, rows, columns, CONSTANT), FULL, np.uint8),
        "ones": np.ones(3, np.int64),
        "scale": np.array(1.0, np.float32),
        "zero": np.array(INPUT_ZERO, np.uint8),
    }
    name = {key: graph.add_weight(f"stem.{key}", value) for key, value in weights.items()}

    def node(kind: str, inputs: list[str], *outputs: str, **settings: Any) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, list(outputs), name=outputs[0], **settings)

    return [
        # two rows are one row of twice as many pairs of pixels: the even row's, then the odd row's
        node("Reshape", ["image", name["pairs"]], "image_pairs"),
        node("Split", ["image_pairs", name["halves"]], "image_even", "image_odd", axis=2),
        node("Shape", ["image"], "image_count", start=0, end=1),
        node("Concat", ["image_count", name["ones"]], "image_counts", axis=0),
        node("Expand", [name["full"], "image_counts"], "image_full"),
        node("Concat", ["image_even", "image_odd", "image_full"], "image_blocks", axis=3),
        node("Transpose", ["image_blocks"], "image_planes", perm=[0, 3, 1, 2]),
        node("DequantizeLinear", ["image_planes", name["scale"], name["zero"]], "image_float"),
    ]


def _require_halving(stem: onnx.NodeProto, shape: tuple[int, ...], height: int, width: int) -> None:
    strides, pads = (list(attribute(stem, key, [])) for key in ("strides", "pads"))  # type: ignore[call-overload]
    if shape[1:] != (3, 7, 7) or strides != [2, 2] or pads != [3, 3, 3, 3] or height % 2 or width % 2:
        raise BadModel(
            f"{stem.name}: a first convolution of {shape[1:]} with strides {strides}, pads {pads} on {height}x{width}: "
            "only 7x7, stride 2, padding 3 on even sides can be rewritten"
        )
