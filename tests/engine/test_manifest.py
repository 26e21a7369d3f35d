"""Manifests: what is read, and what is refused with a word on why."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from hpe.engine.card import Calibration, CoarseLook, FineLook, FlipTest, LocatorCard, ModelCard
from hpe.engine.manifest import parse_manifest, read_manifest, write_manifest
from hpe.errors import BadModel
from hpe.pose.skeleton import JOINTS, KEYPOINTS

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
    assert parse_manifest(changed(), "pose.json").photo_threshold == 0.0
    assert parse_manifest(changed(photo_threshold=0.7), "pose.json").photo_threshold == 0.7


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
        (changed(input_size="256"), "input_size is '256', it must be a int or [height, width]"),
        (changed(input_size=[256]), "input_size is [256], it must be a int or [height, width]"),
        (changed(input_size=[256, 100]), "input_size 100 must be a multiple of 32"),
        (changed(input_size=True), "input_size is True"),
        (changed(input_size=100), "multiple of 32"),
        (changed(input_size=0), "multiple of 32"),
        (changed(threshold=1.5), "threshold 1.5 must lie between 0 and 1"),
        (changed(person_threshold=-0.1), "person_threshold -0.1"),
        (changed(photo_threshold=1.1), "photo_threshold 1.1 must lie between 0 and 1"),
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


def test_a_manifest_that_was_written_is_read_as_it_was() -> None:
    locate = LocatorCard("locate.onnx", "a" * 64, "a net", 416, 0.3, Calibration(9.5, -4.0))
    card = ModelCard("pose", "pose.onnx", "b" * 64, (256, 192), "a net", 0.2, 0.25, 1.5, {"ap": 61.0})
    for wanted in (
        card,
        replace(card, keypoints=KEYPOINTS),
        replace(card, locate=locate),
        replace(card, calibration=Calibration(4.0, -1.0), locate=locate),
        replace(card, locate=replace(locate, threshold=0.0, size_unit=384, coarse=CoarseLook(50_000, 48, 0.5))),
        replace(card, locate=replace(locate, photo_threshold=0.4)),
        replace(card, flip_test=FlipTest(0.3, 0.7)),
        replace(card, locate=replace(locate, coarse=CoarseLook(50_000, 48, 0.5), fine=FineLook(80, 768))),
    ):
        assert parse_manifest(write_manifest(wanted), "pose.json") == wanted


def test_a_manifest_names_the_keypoints_unless_they_are_the_16_joints_alone() -> None:
    assert "keypoints" not in json.loads(write_manifest(CARD))["pose"]
    named = json.loads(write_manifest(replace(CARD, keypoints=KEYPOINTS)))
    assert named["pose"]["keypoints"] == list(KEYPOINTS)
    del named["pose"]["keypoints"]
    assert parse_manifest(json.dumps(named).encode(), "pose.json").keypoints == JOINTS


def test_schema_2_has_two_networks() -> None:
    content = json.loads(write_manifest(replace(CARD, locate=LOCATE)))
    assert content["schema"] == 2
    assert content["pose"]["input_size"] == [256, 192]
    assert content["locate"] == {
        "file": "locate.onnx",
        "sha256": "a" * 64,
        "architecture": "a net",
        "input_size": 416,
        "threshold": 0.3,
    }


LOCATE = LocatorCard("locate.onnx", "a" * 64, "a net", 416, 0.3)
CARD = ModelCard("pose", "pose.onnx", "b" * 64, (256, 192), "a net", 0.2, 0.25, 1.5, locate=LOCATE)


@pytest.mark.parametrize(
    ("network", "changes", "why"),
    [
        ("locate", {"file": "../x.onnx"}, "locate.file '../x.onnx' must be a plain file name"),
        ("locate", {"threshold": 3}, "locate.threshold 3.0 must lie between 0 and 1"),
        ("locate", {"input_size": [416, 416]}, "locate.input_size is [416, 416], it must be a int"),
        ("pose", {"keypoints": KEYPOINTS[:20]}, "pose.keypoints are 20 names that this version of hpe does not know"),
        ("pose", {"keypoints": KEYPOINTS[::-1]}, "followed by nose, left_eye, right_eye, left_ear, right_ear"),
        ("pose", {"keypoints": 21}, "pose.keypoints is 21, it must be a list"),
        ("locate", {"input_size": 400}, "locate.input_size 400 must be a multiple of 32"),
        ("locate", {"calibration": {"slope": 0, "intercept": 0}}, "locate.calibration.slope 0.0 must be above 0"),
        (
            "locate",
            {"coarse": {"pixels": 9, "small_px": 4, "score": 1}},
            "locate.coarse.pixels 9 must be from 16384 to",
        ),
        (
            "locate",
            {"coarse": {"pixels": 50000, "small_px": -1, "score": 1}},
            "locate.coarse.small_px -1 must be from 0",
        ),
        (
            "locate",
            {"coarse": {"pixels": 50000, "small_px": 48, "score": 3}},
            "locate.coarse.score 3.0 must lie between",
        ),
        ("locate", {"coarse": {"pixels": 50000}}, "it has no 'locate.coarse.small_px'"),
        ("locate", {"size_unit": 400}, "locate.size_unit 400 must be a multiple of 32 from 32 to 4096"),
        ("locate", {"fine": {"person_px": 0, "longest": 768}}, "locate.fine.person_px 0 must be from 1 to 4096"),
        ("locate", {"fine": {"person_px": 80}}, "it has no 'locate.fine.longest'"),
        (
            "locate",
            {"fine": {"person_px": 80, "longest": 384}},
            "locate.fine.longest 384 must be a multiple of 32 from 416",
        ),
        ("pose", {"calibration": {"slope": 1}}, "it has no 'pose.calibration.intercept'"),
        ("pose", {"sha256": None}, "pose.sha256 is None, it must be a str"),
        ("pose", {"sigma": "wide"}, "pose.sigma is 'wide', it must be a float"),
    ],
)
def test_a_broken_network_of_two_is_named(network: str, changes: dict[str, object], why: str) -> None:
    content = json.loads(write_manifest(CARD))
    content[network] |= changes
    with pytest.raises(BadModel) as caught:
        parse_manifest(json.dumps(content).encode(), "models/pose.json")
    assert why in str(caught.value)
    del content[network]
    if network == "pose":
        with pytest.raises(BadModel, match="it has no 'pose'"):
            parse_manifest(json.dumps(content).encode(), "models/pose.json")


def test_a_manifest_from_the_future_is_refused() -> None:
    with pytest.raises(BadModel, match="schema 3 is newer than this version of hpe"):
        parse_manifest(changed(schema=3), "pose.json")
