"""Answers as OpenPose writes them (its documentation, "Output Information"): one JSON a photo, in two layouts."""

from typing import Any, Final, Literal

from hpe.photo.answer import Answer
from hpe.pose.openpose import BODY_25, COCO_18
from hpe.pose.result import Pose

Layout = Literal["BODY_25", "COCO_18"]
_LAYOUTS: Final[dict[Layout, tuple[str | None, ...]]] = {"BODY_25": BODY_25, "COCO_18": COCO_18}
_NONE: Final = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d", "pose_keypoints_3d")


def document(answer: Answer, layout: Layout = "BODY_25") -> dict[str, Any]:
    """{"version": 1.3, "people": [...], "canvas_width", "canvas_height"}: x, y, score of 25 or 18 joints each.

    Joints that are unsure or not estimated are 0, 0, 0. In COCO_18, which ControlNet's editors read, a sure joint's
    score is 1: they drop joints of less.
    """
    people = [
        {"person_id": [-1], "pose_keypoints_2d": _flat(pose, layout), **{name: [] for name in _NONE}}
        for pose in answer.people
    ]
    return {"version": 1.3, "people": people, "canvas_width": answer.width, "canvas_height": answer.height}


def _flat(pose: Pose, layout: Layout) -> list[float]:
    sure = dict(zip(pose.names, pose.confident, strict=True))
    flat: list[float] = []
    for name in _LAYOUTS[layout]:
        if name is None or not sure.get(name, False):
            flat += [0, 0, 0]
        else:
            x, y, score = pose[name]
            flat += [round(x, 2), round(y, 2), 1 if layout == "COCO_18" else round(score, 4)]
    return flat
