"""The int8 model is int8 throughout, small, and says what fp32 says."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from networks import SIZE, lively_network, run
from numpy.typing import NDArray

from hpe.export.exact import ratios, short
from hpe.export.quantize import quantize
from hpe.export.rewrite import rewrite
from hpe.export.to_onnx import to_onnx


def smooth_pictures(count: int, seed: int) -> NDArray[np.uint8]:
    """Random blobs rather than noise: what calibration sees in photographs."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, SIZE // 8, SIZE // 8, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def models() -> tuple[onnx.ModelProto, onnx.ModelProto]:
    fp32 = rewrite(to_onnx(lively_network(18, 32), SIZE))
    return fp32, quantize(fp32, smooth_pictures(8, seed=1))


def test_every_layer_runs_in_int8(models: tuple[onnx.ModelProto, onnx.ModelProto], tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(models[1].SerializeToString(), options, providers=["CPUExecutionProvider"])
    types = Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert types["QLinearConv"] == 20 + 12 + 4  # backbone, three deconvolutions of four phases, final of four
    assert types["QLinearAdd"] == 8
    assert not types.keys() & {"Conv", "Add", "Relu", "QuantizeLinear"}
    assert types["DequantizeLinear"] == 1  # the heatmaps on their way out
    assert types["Transpose"] == 1  # and there from channels last to first


def test_heatmaps_follow_fp32(models: tuple[onnx.ModelProto, onnx.ModelProto]) -> None:
    pictures = smooth_pictures(4, seed=2)
    expected, found = run(models[0], pictures), run(models[1], pictures)
    error = np.abs(found - expected).mean() / np.abs(expected - expected.mean()).mean()
    assert error < 0.1
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99


def test_weights_take_a_quarter(models: tuple[onnx.ModelProto, onnx.ModelProto]) -> None:
    assert models[1].ByteSize() < 0.27 * models[0].ByteSize()


def test_an_interleave_moves_bytes_at_one_scale(models: tuple[onnx.ModelProto, onnx.ModelProto]) -> None:
    makers = {node.output[0]: node for node in models[1].graph.node}
    readers = {name: node for node in models[1].graph.node for name in node.input}
    concats = [node for node in models[1].graph.node if node.op_type == "Concat" and node.input[0] in makers]
    interleaves = [node for node in concats if makers[node.input[0]].op_type == "DequantizeLinear"]
    assert len(interleaves) == 3 * 3  # two rows and their pair, for each of three deconvolutions
    for concat in interleaves:
        scales = {makers[phase].input[1] for phase in concat.input}
        assert scales == {readers[concat.output[0]].input[1]}


def test_pictures_of_any_sizes_calibrate() -> None:
    fp32 = rewrite(to_onnx(lively_network(18, 16), (SIZE, 96)))
    pictures = smooth_pictures(4, seed=3)
    of_each_size = [*pictures[:2], np.concatenate([pictures[2], pictures[3]], axis=1)]
    found = run(quantize(fp32, of_each_size), pictures)
    assert np.corrcoef(found.ravel(), run(fp32, pictures).ravel())[0, 1] > 0.95


def test_what_is_added_has_a_short_ratio_to_its_sum(models: tuple[onnx.ModelProto, onnx.ModelProto]) -> None:
    """Then no processor rounds a product, with a fused multiply-add or without: bytes are the same everywhere."""
    found = ratios(models[1])
    assert len(found) == 2 * 8
    assert [short(ratio) for ratio in found] == found
    assert all(0 <= float(np.float32(255 * ratio)) == 255 * ratio for ratio in found)
