"""Whole photos: their parts, joints that are left out, and faces of which all that can be seen is labelled."""

import json
from pathlib import Path

import numpy as np
import pytest
from train.figures import write_people, write_photos

from hpe.errors import BadData
from hpe.pose.skeleton import INDEX, NUM_JOINTS
from hpe.train.config import Source
from hpe.train.data.people import HELD_OUT, photos_of, read_photos
from hpe.train.data.readers import read_source
from hpe.train.tasks.locate import read_whole_photos

FACE = list(range(NUM_JOINTS, 21))


def ids(source: Source) -> set[str]:
    return {sample.id.split("#")[0] for sample in read_source(source)}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path, 2 * HELD_OUT + 1, side_px=40)


def test_what_is_held_out_is_every_eighth_photo_and_nothing_of_it_is_trained_on(photos: Path) -> None:
    everything, train, held = (
        ids(Source("people", str(photos), options={"min_px": 8, "part": part})) for part in ("all", "train", "held-out")
    )
    assert everything == train | held
    assert not train & held
    assert (len(train), len(held)) == (2 * HELD_OUT - 2, 3)
    assert held == {sorted(everything)[place] for place in (0, HELD_OUT, 2 * HELD_OUT)}


def test_parts_do_not_depend_on_the_order_of_the_rows(photos: Path) -> None:
    read = read_photos(photos)
    held = {photo.id for photo in photos_of(read, "held-out")}
    assert {photo.id for photo in photos_of(read[::-1], "held-out")} == held


def test_the_locator_trains_on_the_same_parts(photos: Path) -> None:
    train, held = (
        {photo.id for photo in read_whole_photos(Source("people", str(photos), options={"part": part}))}
        for part in ("train", "held-out")
    )
    assert held == {photo.id for photo in photos_of(read_photos(photos), "held-out")}
    assert train == {photo.id for photo in read_photos(photos)} - held


def test_an_unknown_part_is_refused(photos: Path) -> None:
    with pytest.raises(BadData, match="part 'test': choose all, train or held-out"):
        read_source(Source("people", str(photos), options={"part": "test"}))


def test_joints_that_are_not_believed_are_left_out_on_both_sides(tmp_path: Path) -> None:
    path = str(write_photos(tmp_path, 2))
    whole = read_source(Source("people", path))
    fewer = read_source(Source("people", path, options={"without": ["hip", "pelvis", "eye"]}))
    gone = [INDEX[name] for name in ("left_hip", "right_hip", "pelvis", "left_eye", "right_eye")]
    for before, after in zip(whole, fewer, strict=True):
        assert before.labelled.all()
        assert np.flatnonzero(~after.labelled).tolist() == sorted(gone)
        kept = np.setdiff1d(np.arange(21), gone)
        np.testing.assert_array_equal(after.points[kept], before.points[kept])
        np.testing.assert_array_equal(after.box, before.box)


def test_better_labels_of_joints_that_are_left_out_count(tmp_path: Path) -> None:
    path, labels = write_photos(tmp_path, 1), tmp_path / "labels.json"
    labels.write_text(json.dumps([["photo/0", 0, [[INDEX["left_hip"], 12.0, 34.0]]]]))
    (person,) = read_source(Source("people", str(path), labels=str(labels), options={"without": ["hip"]}))
    assert person.points[INDEX["left_hip"]].tolist() == [12.0, 34.0]
    assert person.labelled[INDEX["left_hip"]]
    assert not person.labelled[INDEX["right_hip"]]


def test_an_unknown_name_of_a_joint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"without 'left_hip': choose from ankle, knee, hip, .*nose, eye, ear"):
        read_source(Source("people", str(write_photos(tmp_path, 1)), options={"without": ["left_hip"]}))


def test_of_whole_faces_what_is_not_labelled_is_absent(tmp_path: Path) -> None:
    path = str(write_photos(tmp_path, 1, labelled=[*range(14), INDEX["nose"], INDEX["left_eye"], INDEX["left_ear"]]))
    (unknown,) = read_source(Source("people", path))
    (seen,) = read_source(Source("people", path, options={"whole_faces": True}))
    assert not unknown.absent.any()
    assert np.flatnonzero(seen.absent).tolist() == [INDEX["right_eye"], INDEX["right_ear"]]
    np.testing.assert_array_equal(seen.labelled, unknown.labelled)
    assert not seen.labelled[INDEX["left_wrist"]], "a joint that nobody labelled stays unknown"


def test_a_photo_that_was_resized_to_a_square_says_so_to_its_people(tmp_path: Path) -> None:
    path = write_photos(tmp_path, 2)
    rows = json.loads(path.read_text())
    rows[1]["squashed"] = True
    path.write_text(json.dumps(rows))
    assert [sample.squashed for sample in read_source(Source("people", str(path)))] == [False, True]


def test_shards_have_16_joints_or_21_keypoints(tmp_path: Path) -> None:
    path = write_people(tmp_path, 2)
    rows = json.loads(path.read_text())
    rows[0]["joints"] = rows[0]["joints"][:16]
    path.write_text(json.dumps(rows))
    joints, whole = read_source(Source("shards", str(path)))
    assert joints.labelled.tolist() == [True] * 16 + [False] * 5
    assert whole.labelled.all()
    np.testing.assert_allclose(whole.points[FACE], np.array(rows[1]["joints"])[FACE, :2], atol=1e-4)
