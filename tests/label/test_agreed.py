"""Doubtful people of a set, that the locator sees as well, become people to train on."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from engine.stand_ins import CARD, DotSession, box_of, estimator_of, person
from train.figures import write_photos

from hpe.engine.estimator import PoseEstimator
from hpe.engine.networks import compose
from hpe.errors import BadData, BadSettings
from hpe.label.agreed import agreed, write_agreed
from hpe.train.config import Source
from hpe.train.data.people import read_photos
from hpe.train.data.samples import Photo
from hpe.train.tasks.locate import read_whole_photos

THERE = person(40, 40, 12)
SEEN = box_of(THERE)
SIZE = (150, 110)


def photo_with(boxes: list[np.ndarray], ignore: list[bool]) -> Photo:
    picture = cv2.imencode(".png", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))[1].tobytes()
    joints = np.zeros((len(boxes), 16, 3), np.float32)
    return Photo("one", picture, np.array(boxes, np.float32), np.array(ignore, np.bool_), joints)


def test_a_box_to_ignore_that_the_locator_sees_is_a_person_between_both_boxes() -> None:
    far = np.array([100, 60, 140, 100])
    wide = SEEN + np.array([-4, 0, 4, 0])
    rows = agreed(estimator_of([THERE], SIZE), photo_with([far, wide], [True, True]))
    assert [(name, number) for name, number, _ in rows] == [("one", 1)]
    assert rows[0][2] == pytest.approx((SEEN + wide) / 2, abs=1.5)


def test_a_person_who_counts_already_is_no_second_one() -> None:
    estimator = estimator_of([THERE], SIZE)
    assert agreed(estimator, photo_with([SEEN, SEEN + 1], [False, True])) == []
    # the locator sees the one who counts, and the other box overlaps that by more than half
    assert agreed(estimator, photo_with([SEEN, SEEN + np.array([0, 0, 9, 0])], [False, True])) == []


def test_of_two_boxes_to_ignore_on_one_person_the_nearer_counts() -> None:
    rows = agreed(estimator_of([THERE], SIZE), photo_with([SEEN + np.array([0, 0, 8, 0]), SEEN], [True, True]))
    assert [number for _, number, _ in rows] == [1]


def test_what_is_too_small_to_tell_stays_to_be_ignored() -> None:
    points = person(60, 60, 0.0)
    assert agreed(estimator_of([points], SIZE), photo_with([box_of(points, 11)], [True])) != []
    assert agreed(estimator_of([points], SIZE), photo_with([box_of(points, 9)], [True])) == []


def test_the_file_is_one_that_the_locators_source_reads(tmp_path: Path) -> None:
    path = write_photos(tmp_path, 1)
    rows = json.loads(path.read_text())
    there = person(20, 20, 8)
    rows[0]["people"].append({"box": box_of(there, 9).tolist(), "ignore": True})
    path.write_text(json.dumps(rows))
    source = Source("people", str(path))
    photo = read_photos(path)[0]
    height, width = photo.image().shape[:2]
    out = tmp_path / "labels" / "agreed.json"
    summary = write_agreed(estimator_of([there], (width, height)), [photo], out)
    assert f"1 of {int(photo.ignore.sum())} boxes to ignore" in summary
    before, after = read_whole_photos(source)[0], read_whole_photos(dataclasses.replace(source, labels=str(out)))[0]
    assert before.ignore[-1]
    assert not after.ignore[-1]
    assert after.boxes[-1] == pytest.approx(box_of(there), abs=2)
    np.testing.assert_array_equal(after.boxes[:-1], before.boxes[:-1])


def test_labels_of_other_photos_are_refused(tmp_path: Path) -> None:
    labels = tmp_path / "agreed.json"
    labels.write_text(json.dumps([["elsewhere", 0, [1, 2, 3, 4]]]))
    with pytest.raises(BadData, match="not of this set's photos: make them again"):
        read_whole_photos(Source("people", str(write_photos(tmp_path, 1)), labels=str(labels)))


def test_a_model_without_a_locator_cannot_say(tmp_path: Path) -> None:
    estimator = PoseEstimator(compose(None, DotSession(), dataclasses.replace(CARD, locate=None)))
    with pytest.raises(BadSettings, match="has no locator"):
        write_agreed(estimator, [], tmp_path / "labels.json")
