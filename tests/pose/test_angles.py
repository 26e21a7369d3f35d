"""Angles as a protractor on the picture gives them, and how far off they are believed to be."""

import numpy as np
import pytest

from hpe.pose.angles import ANGLES
from hpe.pose.result import Pose
from hpe.pose.skeleton import KEYPOINTS

# A person who stands upright, the left arm bent by a right angle at the elbow, the right one raised.
PLACES = {
    **{"head_top": (100, 20), "upper_neck": (100, 50), "thorax": (100, 60), "pelvis": (100, 140)},
    **{"left_shoulder": (120, 60), "left_elbow": (120, 100), "left_wrist": (160, 100)},
    **{"right_shoulder": (80, 60), "right_elbow": (80, 20), "right_wrist": (80, -20)},
    **{"left_hip": (120, 140), "left_knee": (120, 190), "left_ankle": (120, 240)},
    **{"right_hip": (80, 140), "right_knee": (80, 190), "right_ankle": (80, 240)},
}


def person(turned: float = 0.0, sure: float = 0.9, scale: float = 1.0, **scores: float) -> Pose:
    """PLACES, turned clockwise by so many degrees."""
    names = KEYPOINTS[:16]
    points = np.array([PLACES[name] for name in names], np.float64) * scale
    cos, sin = np.cos(np.radians(turned)), np.sin(np.radians(turned))
    points = points @ np.array([[cos, sin], [-sin, cos]])
    all_scores = np.array([scores.get(name, sure) for name in names], np.float32)
    box = np.array([0, 0, 150 * scale, 260 * scale], np.float32)
    return Pose(points.astype(np.float32), all_scores, box, 0.9, 0.5)


def degrees(pose: Pose) -> dict[str, float | None]:
    return {name: angle and round(angle.degrees, 2) for name, angle in pose.angles().items()}


def test_a_person_who_stands_with_one_arm_bent_and_one_raised() -> None:
    assert degrees(person()) == {
        **{"left_elbow": 90, "right_elbow": 180, "left_shoulder": 0, "right_shoulder": 180},
        **{"left_hip": 180, "right_hip": 180, "left_knee": 180, "right_knee": 180, "trunk": 0, "neck": 180},
    }


@pytest.mark.parametrize(("turned", "lean"), [(90, 90), (-90, 90), (30, 30), (180, 180)])
def test_only_the_trunk_knows_how_a_person_is_turned(turned: float, lean: float) -> None:
    found, upright = degrees(person(turned)), degrees(person())
    assert found["trunk"] == pytest.approx(lean, abs=0.05)
    assert {name: value for name, value in found.items() if name != "trunk"} == pytest.approx(
        {name: value for name, value in upright.items() if name != "trunk"}, abs=0.05
    )


@pytest.mark.parametrize("joint", sorted({joint for ends in ANGLES.values() for joint in ends} - {""}))
def test_an_unsure_joint_leaves_its_angles_open(joint: str) -> None:
    found = person(**{joint: 0.4}).angles()
    assert {name for name, angle in found.items() if angle is None} == {
        n for n, ends in ANGLES.items() if joint in ends
    }


def test_joints_in_one_place_have_no_angle() -> None:
    pose = person()
    points = pose.points.copy()
    points[KEYPOINTS.index("left_wrist")] = points[KEYPOINTS.index("left_elbow")]
    assert Pose(points, pose.scores, pose.box, 0.9, 0.5).angles()["left_elbow"] is None


def test_less_sure_joints_make_a_larger_error() -> None:
    sure, unsure = person().angles()["left_elbow"], person(left_elbow=0.55).angles()["left_elbow"]
    assert sure
    assert unsure
    assert 0 < sure.error < unsure.error < 90


def test_the_error_does_not_depend_on_the_size_of_the_photo() -> None:
    small, large = person().angles()["left_knee"], person(scale=8).angles()["left_knee"]
    assert small
    assert large
    assert large.error == pytest.approx(small.error, rel=1e-4)


def test_json_has_them_if_asked_to_a_tenth_of_a_degree() -> None:
    pose = person(left_wrist=0.1)
    assert "angles" not in pose.to_dict()
    found = pose.to_dict(angles=True)["angles"]
    assert (list(found), found["left_elbow"]) == (list(ANGLES), None)
    assert found["right_elbow"]["degrees"] == 180.0
    assert found["right_elbow"]["error"] == round(found["right_elbow"]["error"], 1) > 0
