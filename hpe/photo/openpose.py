"""Answers as OpenPose writes them (its documentation, "Output Information"): one JSON a photo, BODY_25 layout."""

from typing import Any, Final

from hpe.photo.answer import Answer
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX

# BODY_25's 25 joints in its order. Its neck is the middle of the shoulders, which MPII calls thorax. Nose, eyes, ears
# and feet are not estimated.
BODY_25: Final[tuple[str | None, ...]] = (
    *(None, "thorax", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *[None] * 10,
)
_NONE: Final = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d")


def document(answer: Answer) -> dict[str, Any]:
    """{"version": 1.3, "people": [...]}: x, y, score of 25 joints; 0, 0, 0 for those that are unsure or not known."""
    people = [
        {"person_id": [-1], "pose_keypoints_2d": _flat(pose), **{name: [] for name in _NONE}} for pose in answer.people
    ]
    return {"version": 1.3, "people": people}


def _flat(pose: Pose) -> list[float]:
    flat: list[float] = []
    for name in BODY_25:
        if name is None or not pose.confident[INDEX[name]]:
            flat += [0, 0, 0]
        else:
            x, y = pose.points[INDEX[name]]
            flat += [round(float(x), 2), round(float(y), 2), round(float(pose.scores[INDEX[name]]), 4)]
    return flat
