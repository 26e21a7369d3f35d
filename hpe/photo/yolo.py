"""Answers as Ultralytics' label text for pose models: a line for each person, all numbers as shares of the photo."""

from typing import Final

import numpy as np

from hpe.photo.answer import Answer
from hpe.photo.coco import marked
from hpe.pose.result import Pose
from hpe.pose.skeleton import COCO_JOINTS

# "person" is the first of the classes.
PERSON: Final = 0


def document(answer: Answer) -> str:
    """Lines of `0 x y width height` of the box's middle, then x, y, visibility of COCO's 17 keypoints; '' for nobody.

    Visibility is 2 for a visible joint, 1 for a hidden one, else 0 with x and y of 0, as in COCO.
    """
    return "".join(_line(pose, answer.width, answer.height) for pose in answer.people)


def _line(pose: Pose, width: int, height: int) -> str:
    # px as shares of the photo's sides; its pixels' middles are at whole numbers
    shares = np.array([width, height], np.float64)
    low, high = np.clip((pose.box.reshape(2, 2).astype(np.float64) + 0.5) / shares, 0, 1)
    numbers = [*(low + high) / 2, *(high - low)]
    marks = marked(pose)
    for name in COCO_JOINTS:
        joint = pose[name]
        place = np.clip((np.array([joint.x, joint.y]) + 0.5) / shares, 0, 1) if marks[name] else np.zeros(2)
        numbers += [*place, marks[name]]
    return " ".join([str(PERSON), *(f"{number:.6g}" for number in numbers)]) + "\n"
