"""What a Python program may give: wrong types and values are HpeErrors that say what to give instead."""

import copy
import dataclasses
import io
import pickle
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
from engine.stand_ins import estimator_of, person, scene
from PIL import Image

import hpe
from hpe import BadRequest, BadSettings, DrawStyle, Pose, PoseEstimator, UnsupportedImage, draw_pose

SIZE = (400, 300)
ONE = person(150, 90, 40)
IMAGE = scene(*SIZE, [ONE], 8)


@pytest.fixture
def estimator() -> PoseEstimator:
    return estimator_of([ONE], SIZE)


@pytest.fixture
def png() -> bytes:
    out = io.BytesIO()
    Image.fromarray(IMAGE).save(out, "PNG")
    return out.getvalue()


# --- options

WRONG = [
    *[("threshold", value) for value in ("0.5", True, [0.5], 30, -1, float("nan"), 1j)],
    *[("max_people", value) for value in ("2", 0, 21, 2.0, True, None)],
    *[("flip", value) for value in ("no", 1, None)],
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_option_of_a_call_is_named(estimator: PoseEstimator, name: str, value: object) -> None:
    if value is None:
        return  # the estimator's own
    with pytest.raises(BadSettings, match=f"{name}=.*: give "):
        estimator(IMAGE, **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *WRONG,
        *[("threads", value) for value in ("2", -1, 257, 10_000, 1.5, True, None)],
        *[(name, value) for name in ("model", "cache_dir") for value in (5, b"models/pose.json", ["x"])],
    ],
)
def test_wrong_option_of_an_estimator_is_named_before_a_model_is_loaded(name: str, value: object) -> None:
    with pytest.raises(BadSettings, match=f"{name}=.*: give "):
        PoseEstimator(**{name: value})


def test_numbers_of_numpy_are_numbers(estimator: PoseEstimator) -> None:
    (pose,) = estimator(IMAGE, threshold=np.float32(0.5), max_people=np.int64(1), flip=np.bool_(False))
    assert pose.threshold == 0.5


def test_no_boxes_are_no_poses_however_they_are_written(estimator: PoseEstimator) -> None:
    for boxes in ([], (), np.array([]), np.empty((0, 4)), np.empty((0, 4), int)):
        assert estimator(IMAGE, boxes=boxes) == []


@pytest.mark.parametrize("boxes", [[["1", "2", "30", "40"]], [[True] * 4], "1,2,30,40", [1, 2, 30, 40], [[1j] * 4]])
def test_boxes_that_are_no_numbers_are_refused(estimator: PoseEstimator, boxes: object) -> None:
    with pytest.raises(BadRequest, match="give \\(K, 4\\) numbers"):
        estimator(IMAGE, boxes=boxes)


@pytest.mark.parametrize(
    "options", [{"stroke": "2"}, {"stroke": -1}, {"stroke": float("nan")}, {"opacity": 2}, {"outline": None}]
)
def test_wrong_style_is_named(options: dict) -> None:
    with pytest.raises(BadSettings, match=f"{next(iter(options))}=.*: give a number from 0"):
        DrawStyle(**options)


def test_what_is_drawn_are_poses(estimator: PoseEstimator) -> None:
    (pose,) = estimator(IMAGE)
    for poses in (pose, [pose.points], "poses", None):
        with pytest.raises(BadRequest, match="give the list that a PoseEstimator returned"):
            draw_pose(IMAGE, poses)
    with pytest.raises(BadSettings, match="give a DrawStyle"):
        draw_pose(IMAGE, [pose], 2)


# --- files that are open


def test_open_file_is_read_and_left_where_it_was(estimator: PoseEstimator, png: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.write(tmp_path / "a.png", "a.png")
    expected = estimator(png)
    with zipfile.ZipFile(tmp_path / "a.zip") as members, (tmp_path / "a.png").open("rb") as opened:
        for file in (io.BytesIO(png), opened, members.open("a.png")):
            assert estimator(file) == expected
            np.testing.assert_array_equal(draw_pose(file, expected), draw_pose(png, expected))


def test_open_file_that_cannot_seek_is_read(estimator: PoseEstimator, png: bytes) -> None:
    class Stream:
        def read(self, size: int) -> bytes:
            return png[:size]

    assert estimator(Stream()) == estimator(png)


def test_open_file_without_a_photo_is_refused_in_one_line(estimator: PoseEstimator, png: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png)
    ended, closed = io.BytesIO(png), io.BytesIO(png)
    ended.read()
    closed.close()
    with (tmp_path / "a.png").open(encoding="latin-1") as text, (tmp_path / "b.png").open("wb") as writing:
        cases = [(ended, "nothing left"), (closed, "closed"), (text, "gives str instead of bytes"), (writing, "read")]
        for file, why in cases:
            with pytest.raises(UnsupportedImage, match=f"{why}.*opened with 'rb'"):
                estimator(file)


@pytest.mark.parametrize("path", ["a\0b.jpg", "", "none.jpg", "."])
def test_path_that_leads_nowhere_is_refused(estimator: PoseEstimator, path: str) -> None:
    with pytest.raises(UnsupportedImage, match="give the path of an image file"):
        estimator(path)


# --- poses


def test_arrays_of_a_pose_cannot_be_written_to(estimator: PoseEstimator) -> None:
    (pose,) = estimator(IMAGE)
    copies = (copy.copy(pose), copy.deepcopy(pose), pickle.loads(pickle.dumps(pose)), dataclasses.replace(pose))
    for one in (pose, pose.scaled(2, 2), *copies):
        for array in (one.points, one.scores, one.box):
            assert array.dtype == np.float32
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 5
    assert all(one == pose for one in copies)


def test_a_pose_does_not_change_with_the_arrays_it_was_made_of() -> None:
    points, scores, box = np.ones((16, 2)), np.ones(16), np.array([0, 0, 9, 9])
    pose = Pose(points, scores, box, 0.9, 0.2)
    before = hash(pose)
    points[:] = scores[:] = box[:] = 0
    assert hash(pose) == before


def test_every_error_that_a_program_may_meet_is_public() -> None:
    kinds = ["BadModel", "BadRequest", "BadSettings", "BrokenImage", "ModelUnavailable", "TooLarge", "UnsupportedImage"]
    assert set(kinds) <= set(hpe.__all__)
    assert all(issubclass(getattr(hpe, kind), hpe.HpeError) for kind in kinds)


@pytest.mark.parametrize("people", [0, 1])
def test_snippet_for_supervision_works_whether_or_not_somebody_is_there(
    people: int, root: Path, png: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for supervision that checks what its KeyPoints checks: (K, J, 2) and (K, J) bool."""
    given = []

    class KeyPoints:
        def __init__(self, xy: np.ndarray, visible: np.ndarray) -> None:
            assert (xy.shape, visible.shape, visible.dtype) == ((people, 16, 2), (people, 16), bool)
            given.append(self)

    edges = types.SimpleNamespace(annotate=lambda photo, shown: photo)
    fake = types.SimpleNamespace(KeyPoints=KeyPoints, EdgeAnnotator=lambda edges: edges and globals()["_edges"])
    monkeypatch.setitem(globals(), "_edges", edges)
    monkeypatch.setitem(sys.modules, "supervision", fake)
    monkeypatch.setattr(hpe, "PoseEstimator", lambda: estimator_of([ONE][:people], SIZE), raising=False)
    (tmp_path / "photo.png").write_bytes(png)
    page = (root / "docs" / "formats.md").read_text()
    snippet = page.partition("## supervision")[2].partition("```python\n")[2].partition("```")[0]
    exec(snippet.replace("photos/astronaut.jpg", str(tmp_path / "photo.png")), {})
    assert len(given) == 1
