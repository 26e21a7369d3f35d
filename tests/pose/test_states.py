"""What is said of joints that are seen, believed hidden, beyond the edge, or not known."""

import numpy as np
import pytest

from hpe.pose.result import Pose
from hpe.pose.skeleton import KEYPOINTS, LIMB_JOINTS

# Half-length: the picture ends at y = 200, and the legs would be below.
SIZE = (200, 200)
PLACES = {
    **{"head_top": (100, 20), "upper_neck": (100, 60), "thorax": (100, 80), "pelvis": (100, 195)},
    **{"shoulder": (140, 80), "elbow": (155, 130), "wrist": (150, 170), "hip": (120, 195)},
    **{"knee": (125, 198), "ankle": (128, 199), "nose": (100, 45), "eye": (106, 40), "ear": (115, 45)},
}


def portrait(sure: float = 0.9, size: tuple[int, int] | None = SIZE, bottom: float = 199, **scores: float) -> Pose:
    """A person from head to hips, as sure as said; knees and ankles are guesses at the edge."""
    points = []
    for name in KEYPOINTS:
        x, y = PLACES[name.removeprefix("left_").removeprefix("right_")]
        points.append((200 - x if name.startswith("right_") else x, y))
    guesses = dict.fromkeys(("left_knee", "right_knee", "left_ankle", "right_ankle"), 0.1)
    all_scores = [{**guesses, **scores}.get(name, sure) for name in KEYPOINTS]
    box = np.array([40, 15, 160, bottom], np.float32)
    return Pose(np.array(points, np.float32), np.array(all_scores, np.float32), box, 0.9, 0.5, size)


def test_legs_of_a_person_whom_the_edge_cuts_off_are_outside() -> None:
    states = portrait().states
    assert {name for name, state in states.items() if state == "outside"} == {
        *("left_knee", "right_knee", "left_ankle", "right_ankle")
    }
    assert all(states[name] == "visible" for name in ("left_wrist", "nose", "head_top"))


def test_a_joint_found_beyond_the_edge_is_outside_whatever_is_known_of_the_picture() -> None:
    assert portrait(size=None, left_wrist=0.0).states["left_wrist"] == "outside"


@pytest.mark.parametrize("changes", [{"size": None}, {"bottom": 160}])
def test_without_an_edge_at_the_person_a_guess_is_unsure(changes: dict[str, None]) -> None:
    states = portrait(**changes).states  # type: ignore[arg-type]
    assert "outside" not in states.values()
    assert states["left_knee"] in ("unsure", "hidden")


def test_a_confident_joint_is_never_outside_or_unsure() -> None:
    pose = portrait(left_knee=0.55, right_wrist=0.51)
    confident = {name for name, sure in zip(pose.names, pose.confident, strict=True) if sure}
    assert {pose.states[name] for name in confident} <= {"visible", "hidden"}
    assert {pose.states[name] for name in set(KEYPOINTS) - confident} <= {"hidden", "outside", "unsure"}


def test_a_doubtful_joint_of_a_person_who_is_else_clear_is_hidden_before_a_sure_one_is() -> None:
    doubtful = portrait(sure=0.99, bottom=160, left_hip=0.2).states
    assert doubtful["left_hip"] == "hidden"
    assert doubtful["right_shoulder"] == "visible"


def test_only_arms_and_legs_are_called_hidden() -> None:
    names = {KEYPOINTS[joint] for joint in LIMB_JOINTS}
    for seed in range(50):
        rng = np.random.default_rng(seed)
        pose = portrait(**dict(zip(KEYPOINTS, rng.uniform(0, 1, 21).tolist(), strict=True)))
        assert {name for name, state in pose.states.items() if state == "hidden"} <= names


def test_states_do_not_depend_on_the_size_of_the_photo() -> None:
    pose = portrait(left_wrist=0.3, right_hip=0.2)
    assert pose.scaled(4, 4).states == pose.states


def test_a_model_without_a_face_has_states_of_its_own_joints() -> None:
    pose = portrait()
    smaller = Pose(pose.points[:16], pose.scores[:16], pose.box, 0.9, 0.5, SIZE)
    assert list(smaller.states) == list(KEYPOINTS[:16])
    assert smaller.states == {name: pose.states[name] for name in KEYPOINTS[:16]}
