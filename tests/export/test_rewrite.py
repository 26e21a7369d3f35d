"""Each rewriting step leaves the network's output as torch computes it."""

import copy

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from networks import SIZE, lively_network, run
from numpy.typing import NDArray
from torch import nn

from hpe.errors import BadModel
from hpe.export.quantize import quantize
from hpe.export.rewrite import (
    final_before_interleave,
    fold_batch_norm,
    free_size,
    interleave_rows,
    rewrite,
    split_deconvolutions,
    uint8_input,
)
from hpe.export.to_onnx import to_onnx
from hpe.train.network import PoseResNet, normalise


def relative_error(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def pictures(count: int = 2, height: int = SIZE, width: int = SIZE) -> torch.Tensor:
    seeded = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (count, height, width, 3), dtype=torch.uint8, generator=seeded)


@pytest.fixture(scope="module")
def network() -> PoseResNet:
    return lively_network(18, 32)


@pytest.fixture(scope="module")
def exported(network: PoseResNet) -> onnx.ModelProto:
    return to_onnx(network, SIZE)


@pytest.fixture(scope="module")
def rewritten(exported: onnx.ModelProto) -> onnx.ModelProto:
    return rewrite(exported)


@pytest.mark.parametrize(("depth", "deconv_channels"), [(18, 32), (50, 256)])
def test_every_step_equals_torch_for_both_kinds_of_block(depth: int, deconv_channels: int) -> None:
    network = lively_network(depth, deconv_channels)
    raw = pictures()
    normalised = normalise(raw).contiguous()
    with torch.no_grad():
        expected = network(normalised).numpy()
    assert np.abs(expected).max() > 1e-3  # a dead network would agree with anything
    model = to_onnx(network, SIZE)
    assert relative_error(run(model, normalised.numpy()), expected) < 1e-4
    for step in (fold_batch_norm, split_deconvolutions, final_before_interleave, interleave_rows):
        model = step(model)
        assert relative_error(run(model, normalised.numpy()), expected) < 1e-4, step.__name__
    model = uint8_input(model)
    assert relative_error(run(model, raw.numpy()), expected) < 1e-4
    assert relative_error(run(free_size(model), raw.numpy()), expected) < 1e-4


@pytest.mark.parametrize(("height", "width"), [(SIZE // 2, SIZE // 2), (2 * SIZE, 2 * SIZE), (SIZE, 32), (96, 160)])
def test_a_rewritten_model_takes_pictures_of_other_sizes(
    network: PoseResNet, rewritten: onnx.ModelProto, height: int, width: int
) -> None:
    raw = pictures(3, height, width)
    with torch.no_grad():
        expected = network(normalise(raw).contiguous()).numpy()
    found = run(rewritten, raw.numpy())
    assert found.shape == (3, 16, height // 4, width // 4)
    assert relative_error(found, expected) < 1e-4


@pytest.fixture(scope="module")
def locator() -> tuple[PoseResNet, onnx.ModelProto]:
    """As torch has it, and rewritten."""
    network = lively_network(18, 64, width=32, joints=3)
    return network, rewrite(to_onnx(network, 416))


@pytest.mark.parametrize(("height", "width"), [(416, 256), (416, 416), (256, 416)])
def test_a_locator_takes_the_frames_that_photos_are_fitted_into(
    locator: tuple[PoseResNet, onnx.ModelProto], height: int, width: int
) -> None:
    network, fp32 = locator
    raw = pictures(1, height, width)
    with torch.no_grad():
        expected = network(normalise(raw).contiguous()).numpy()
    found = run(fp32, raw.numpy())
    assert found.shape == (1, 3, height // 4, width // 4)
    assert relative_error(found, expected) < 1e-4
    int8 = run(quantize(fp32, list(raw.numpy())), raw.numpy())
    assert np.corrcoef(int8.ravel(), expected.ravel())[0, 1] > 0.98


def test_a_frame_taller_than_wide_is_exported_as_it_is(network: PoseResNet) -> None:
    raw = pictures(2, 128, 96)
    with torch.no_grad():
        expected = network(normalise(raw).contiguous()).numpy()
    found = run(rewrite(to_onnx(network, (128, 96))), raw.numpy())
    assert found.shape == (2, 16, 32, 24)
    assert relative_error(found, expected) < 1e-4


def test_only_a_picture_of_bytes_is_set_free(exported: onnx.ModelProto) -> None:
    with pytest.raises(BadModel, match="expected a picture of"):
        free_size(exported)


def test_nothing_is_left_that_has_no_int8_kernel(rewritten: onnx.ModelProto) -> None:
    types = {node.op_type for node in rewritten.graph.node}
    assert types == {
        *("Conv", "Relu", "Add", "MaxPool"),
        *("Concat", "Reshape", "Transpose"),  # the interleaves
        *("Split", "Expand", "DequantizeLinear"),  # the picture
        *("Shape", "Mul", "Div"),  # sides of what is moved: a handful of integers
    }


def test_only_sixteen_channels_are_shuffled_at_full_size(rewritten: onnx.ModelProto) -> None:
    model = copy.deepcopy(rewritten)
    last = [node for node in model.graph.node if node.op_type == "Reshape"][-1]
    model.graph.output.append(onnx.helper.make_tensor_value_info(last.output[0], onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert session.run([last.output[0]], {"image": pictures(1).numpy()})[0].shape == (1, SIZE // 4, SIZE // 4, 16)


def test_another_first_convolution_is_refused() -> None:
    network = lively_network(18, 32)
    network.conv1 = nn.Conv2d(3, 64, 5, 2, 2, bias=False)
    with pytest.raises(BadModel, match="only 7x7, stride 2, padding 3"):
        rewrite(to_onnx(network, SIZE))


def test_the_border_is_exact_on_a_plain_picture(network: PoseResNet, rewritten: onnx.ModelProto) -> None:
    """Where padding and mean colour differ, a folded mean that ignores the padding shows at once."""
    raw = torch.full((1, SIZE, SIZE, 3), 255, dtype=torch.uint8)
    with torch.no_grad():
        expected = network(normalise(raw).contiguous()).numpy()
    assert relative_error(run(rewritten, raw.numpy()), expected) < 1e-4


def test_the_given_model_is_left_alone(exported: onnx.ModelProto) -> None:
    before = exported.SerializeToString()
    rewrite(exported)
    assert exported.SerializeToString() == before


def test_another_transposed_convolution_is_refused() -> None:
    network = lively_network(18, 32)
    network.deconv_layers[0] = nn.ConvTranspose2d(512, 32, 3, 2, 1, output_padding=1, bias=False)
    with pytest.raises(BadModel, match="only 4x4, stride 2, padding 1"):
        split_deconvolutions(to_onnx(network, SIZE))
