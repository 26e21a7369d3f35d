"""Kinds of people, told by their labels: who is seen from behind, lies, is hidden; and what goes wrong with them."""

import dataclasses

import numpy as np
import pytest
from measure.test_people import answer, photo

from hpe.measure.kinds import MIRROR, by_kind, close, half_hidden, headless, side_seen, tilt
from hpe.measure.shown import LIMBS
from hpe.pose.skeleton import FLIP_ORDER, INDEX, JOINTS
from hpe.train.data.samples import Photo


def person(face: bool = True, turn: float = 0.0, behind: bool = False) -> Photo:
    """One person of 100x160 px with shoulders and hips as seen from the front, turned about the hips' middle."""
    one = photo()
    places = {
        "left_shoulder": (120, 80),
        "right_shoulder": (80, 80),
        "left_hip": (112, 140),
        "right_hip": (88, 140),
    }
    angle = np.deg2rad(turn)
    around = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for name, place in places.items():
        name = JOINTS[FLIP_ORDER[INDEX[name]]] if behind else name
        one.joints[0, INDEX[name], :2] = around @ (np.array(place) - [100, 140]) + [100, 140]
    return dataclasses.replace(one, face=np.full((1, 5, 3), 1.0 if face else 0.0, np.float32))


@pytest.mark.parametrize("turn", [0, 40, 90, 180, 270])
def test_front_and_behind_are_told_in_any_posture(turn: float) -> None:
    assert side_seen(person(turn=turn), 0) == "front"
    assert side_seen(person(turn=turn, behind=True, face=False), 0) == "behind"


def test_who_looks_back_or_shows_no_side_is_neither() -> None:
    assert side_seen(person(behind=True), 0) == ""  # a face over a back
    assert side_seen(person(face=False), 0) == ""
    narrow = person()
    narrow.joints[0, [INDEX["left_shoulder"], INDEX["right_shoulder"]], 0] = 103, 97
    assert side_seen(narrow, 0) == ""
    unknown = person()
    unknown.joints[0, INDEX["left_hip"], 2] = 0
    assert side_seen(unknown, 0) == ""
    assert np.isnan(tilt(unknown, 0))


@pytest.mark.parametrize(("turn", "degrees"), [(0, 0), (35, 35), (90, 90), (-90, 90), (180, 180)])
def test_tilt_is_between_torso_and_upright(turn: float, degrees: float) -> None:
    assert tilt(person(turn=turn), 0) == pytest.approx(degrees, abs=0.1)


def test_hidden_headless_and_close_people() -> None:
    one = person(face=False)
    assert not headless(one, 0)
    assert headless(dataclasses.replace(one, boxes=np.array([[50, 0, 150, 200]], np.float32)), 0)
    hidden = np.zeros((1, 16), np.bool_)
    hidden[0, LIMBS[:5]] = True
    assert not half_hidden(dataclasses.replace(one, hidden=hidden), 0)
    hidden[0, LIMBS[5]] = True
    assert half_hidden(dataclasses.replace(one, hidden=hidden), 0)
    two = photo(2)
    assert not close(two, 0)
    two.boxes[1] = two.boxes[0] + [45, 0, 45, 0]
    assert close(two, 0)


def test_swapped_sides_and_confident_errors_are_counted() -> None:
    one = person(behind=True, face=False)
    one.joints[0, LIMBS, 0] = 60 + 80 * (np.arange(12) % 2)  # left and right 80 px apart, rows 30 px
    one.joints[0, LIMBS, 1] = 50 + 25 * np.array([0, 1, 2, 2, 1, 0, 5, 4, 3, 3, 4, 5])
    right = answer(one, joint_score=0.8)
    (row,) = [by_kind([right], [one], 0.5)["all"]]
    assert (row["people"], row["found"], row["joints"]) == (1, 100, 12)
    assert (row["right"], row["confident_wrong"], row["swapped"]) == (100, 0, 0)
    swapped = dataclasses.replace(right, points=right.points[:, FLIP_ORDER[:16]])
    row = by_kind([swapped], [one], 0.5)["all"]
    assert (row["right"], row["confident_wrong"], row["swapped"]) == (0, 100, 100)
    unsure = dataclasses.replace(swapped, joint_scores=np.full((1, 16), 0.4))
    assert by_kind([unsure], [one], 0.5)["all"]["confident_wrong"] == 0
    astray = dataclasses.replace(right, points=right.points + np.array([0, 300]))
    row = by_kind([astray], [one], 0.5)["all"]
    assert (row["right"], row["confident_wrong"], row["swapped"]) == (0, 100, 0)


def test_every_limb_joint_has_its_mirror() -> None:
    assert [JOINTS[LIMBS[m]] for m in MIRROR] == [JOINTS[FLIP_ORDER[j]] for j in LIMBS]
