"""Angles and states beside labels: what is counted, and what is fitted."""

import numpy as np
import pytest

from hpe.measure.angles import Angles
from hpe.measure.states import CUTS, States, through_somebody
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX, JOINTS, LIMB_JOINTS
from hpe.train.data.samples import Photo

BOX = np.array([[40, 10, 160, 290]], np.float32)
RGB = np.zeros((320, 240, 3), np.uint8)


def places() -> np.ndarray:
    """(16, 2): an upright person, legs and arms a little apart."""
    down = {"ankle": 280, "knee": 220, "hip": 160, "pelvis": 160, "thorax": 70, "upper_neck": 60, "head_top": 15}
    down |= {"shoulder": 70, "elbow": 110, "wrist": 150}
    wide = {"shoulder": 25, "elbow": 35, "wrist": 40, "hip": 15, "knee": 18, "ankle": 20}
    found = []
    for name in JOINTS:
        plain = name.removeprefix("left_").removeprefix("right_")
        sign = {"l": 1, "r": -1}.get(name[0], 0) if name != plain else 0
        found.append((100 + sign * wide.get(plain, 0), down[plain]))
    return np.array(found, np.float32)


def photo(hidden: tuple[str, ...] = ()) -> Photo:
    joints = np.concatenate([places(), np.ones((16, 1), np.float32)], axis=1)[None].copy()
    marks = np.zeros((1, 16), np.bool_)
    marks[0, [INDEX[name] for name in hidden]] = True
    return Photo("p", b"", BOX, np.array([False]), joints, hidden=marks)


def pose(moved: dict[str, tuple[float, float]] | None = None, **scores: float) -> Pose:
    points = places()
    for name, by in (moved or {}).items():
        points[INDEX[name]] += by
    all_scores = np.array([scores.get(name, 0.95) for name in JOINTS], np.float32)
    return Pose(points, all_scores, BOX[0], 0.9, 0.5, (240, 320))


class Says:
    """An estimator that finds nobody in the cut photos."""

    def __call__(self, image: np.ndarray) -> list[Pose]:
        return []


def test_angles_that_are_right_are_off_by_nothing() -> None:
    angles = Angles()
    angles.add(photo(), [pose()])
    assert len(angles.off) == 10
    assert max(angles.off) == pytest.approx(0, abs=0.01)


def test_a_moved_wrist_is_counted_at_its_elbow_alone() -> None:
    angles = Angles()
    # from straight down along the arm to a right angle
    points = places()
    arm = points[INDEX["left_wrist"]] - points[INDEX["left_elbow"]]
    angles.add(photo(), [pose({"left_wrist": (-arm[1] - arm[0], arm[0] - arm[1])})])
    off = dict(zip(angles.kinds, angles.off, strict=True))
    assert sorted(angles.off)[-1] == pytest.approx(90, abs=0.1)
    assert off["knee"] == pytest.approx(0, abs=0.01)
    figures = angles.figures()
    assert figures["angle_elbow"].of == 2
    assert figures["angle_elbow"].value == pytest.approx(45, abs=0.1)


def test_unsure_and_unlabelled_joints_are_not_counted() -> None:
    angles = Angles()
    angles.add(photo(), [pose(left_knee=0.3)])
    assert angles.kinds.count("knee") == 1
    people = photo()
    people.joints[0, INDEX["right_ankle"], 2] = 0
    other = Angles()
    other.add(people, [pose()])
    assert other.kinds.count("knee") == 1


def test_a_fit_of_angles_finds_how_far_joints_are_off() -> None:
    rng = np.random.default_rng(0)
    near, far = Angles(), Angles()
    for angles, apart in ((near, 2.0), (far, 12.0)):
        for _ in range(60):
            moves = {name: tuple(rng.normal(0, apart, 2)) for name in JOINTS}
            angles.add(photo(), [pose(moves, **{name: float(rng.uniform(0.5, 0.99)) for name in JOINTS})])
    assert near.fit()[0] < far.fit()[0] - 1


def test_states_are_counted_beside_labels() -> None:
    states = States()
    states.add(Says(), photo(hidden=("left_wrist",)), RGB, [pose()])  # type: ignore[arg-type]
    assert len(states.truth) == len(LIMB_JOINTS)
    assert states.truth.count("hidden") == 1
    figures = states.figures()
    assert (figures["visible_recall"].of, figures["hidden_recall"].of) == (11, 1)
    assert figures["hidden_recall"].value == 0
    assert figures["visible_precision"].value == pytest.approx(100 * 11 / 12)


def test_an_unsure_joint_is_right_to_be_if_it_is_elsewhere() -> None:
    states = States()
    moved = {"left_wrist": (60.0, 0.0)}
    states.add(Says(), photo(), RGB, [pose(moved, left_wrist=0.48, right_wrist=0.48)])  # type: ignore[arg-type]
    figures = states.figures()
    said = [one for one in states.said if one == "unsure"]
    assert figures["unsure_precision"].of == len(said)
    assert figures["unsure_recall"].of == 1


@pytest.mark.parametrize(("edge", "share"), CUTS)
def test_a_cut_moves_labels_with_the_picture_and_leaves_joints_beyond(edge: str, share: float) -> None:
    cut = through_somebody(photo(), RGB, edge, share)
    assert cut is not None
    smaller, picture = cut
    assert (picture.shape[0] < 320) != (picture.shape[1] < 240)
    moved = smaller.joints[0, :, :2] - places()
    assert (moved == moved[0]).all()
    height, width = picture.shape[:2]
    inside = (smaller.joints[0, :, :2] >= -0.5) & (smaller.joints[0, :, :2] <= (width - 0.5, height - 0.5))
    assert 0 < inside.all(axis=1).sum() < 16
    x0, y0, x1, y1 = smaller.boxes[0]
    assert (x0 >= -0.5, y0 >= -0.5, x1 <= width - 0.5, y1 <= height - 0.5) == (True,) * 4


def test_photos_without_anybody_large_enough_are_not_cut() -> None:
    people = photo()
    people.ignore[0] = True
    assert through_somebody(people, RGB, "bottom", 0.5) is None
