"""Threads follow the share of CPU that there is, and a file that is no model is refused in words."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hpe.engine.session import OnnxSession
from hpe.errors import BadModel


def write_model(path: Path, kind: int) -> Path:
    """A model that casts its picture to float."""
    picture = helper.make_tensor_value_info("image", kind, ["N", 32, 32, 3])
    out = helper.make_tensor_value_info("heatmaps", TensorProto.FLOAT, ["N", 32, 32, 3])
    graph = helper.make_graph([helper.make_node("Cast", ["image"], ["heatmaps"], to=1)], "tiny", [picture], [out])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_a_uint8_model_runs(tmp_path: Path) -> None:
    picture = np.full((1, 32, 32, 3), 7, np.uint8)
    found = OnnxSession(write_model(tmp_path / "tiny.onnx", TensorProto.UINT8), 1, (32, 32)).run(picture)
    assert found.dtype == np.float32
    assert (found == 7).all()


def test_a_model_of_float_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="expected one uint8 picture"):
        OnnxSession(write_model(tmp_path / "tiny.onnx", TensorProto.FLOAT))


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(BadModel, match=r"tiny\.onnx cannot be loaded"):
        OnnxSession(path)


@pytest.mark.parametrize(("frame", "wanted"), [((64, 32), "64x32"), (None, "any multiples of 32")])
def test_a_model_of_another_size_than_its_manifest_says_is_refused(tmp_path: Path, frame, wanted: str) -> None:
    path = write_model(tmp_path / "tiny.onnx", TensorProto.UINT8)
    with pytest.raises(BadModel, match=f"takes pictures of 32x32 px, its manifest says {wanted}"):
        OnnxSession(path, 1, frame)


def test_a_model_of_other_outputs_than_its_task_has_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path / "tiny.onnx", TensorProto.UINT8)
    with pytest.raises(BadModel, match=r"tiny\.onnx gives .*32, 32, 3.*a network of this kind gives 16 maps"):
        OnnxSession(path, 1, (32, 32), 16)
