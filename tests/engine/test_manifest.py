"""Manifests: what is read, and what is refused with a word on why."""

import json
from pathlib import Path

import pytest

from hpe.engine.manifest import parse_manifest, read_manifest
from hpe.errors import BadModel

GOOD = {
    "name": "pose",
    "file": "pose.onnx",
    "sha256": "0123456789abcdef" * 4,
    "input_size": 256,
    "architecture": "PoseResNet-50",
    "threshold": 0.2,
    "person_threshold": 0,
    "sigma": 2.0,
}


def changed(**changes: object) -> bytes:
    return json.dumps({key: value for key, value in {**GOOD, **changes}.items() if value is not ...}).encode()


def test_figures_and_unknown_fields_are_optional() -> None:
    card = parse_manifest(changed(trained_on="LSP", figures={"pck": 80.1}), "pose.json")
    assert (card.name, card.input_size, card.person_threshold, card.figures) == ("pose", 256, 0.0, {"pck": 80.1})
    assert parse_manifest(changed(), "pose.json").figures == {}


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a model manifest"),
        (b"\xff\xfe{}", "not a model manifest"),
        (b"[1, 2]", "a JSON object is wanted, this is a list"),
        (b"5", "this is a int"),
        (changed(sha256=...), "it has no 'sha256'"),
        (changed(sha256="ABC"), "64 lower-case hexadecimal digits"),
        (changed(sha256=None), "sha256 is None, it must be a str"),
        (changed(file="../pose.onnx"), "must be a plain file name"),
        (changed(file=""), "must be a plain file name"),
        (changed(input_size="256"), "input_size is '256', it must be a int"),
        (changed(input_size=True), "input_size is True"),
        (changed(input_size=100), "multiple of 32"),
        (changed(input_size=0), "multiple of 32"),
        (changed(threshold=1.5), "threshold 1.5 must lie between 0 and 1"),
        (changed(person_threshold=-0.1), "person_threshold -0.1"),
        (changed(threshold=float("nan")), "threshold nan"),
        (changed(sigma=0), "sigma 0.0"),
        (changed(figures=[1]), "figures is [1]"),
    ],
)
def test_broken_manifest_is_refused_with_its_name_and_why(data: bytes, why: str) -> None:
    with pytest.raises(BadModel) as caught:
        parse_manifest(data, "models/pose.json")
    assert "models/pose.json" in str(caught.value)
    assert why in str(caught.value)


def test_missing_manifest_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="a model needs its manifest beside it"):
        read_manifest(tmp_path / "pose.json")
