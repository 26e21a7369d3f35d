"""OpenPose's two layouts of a person, and the picture that ControlNet's openpose models were trained on."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.draw import drawable
from hpe.pose.result import Pose
from hpe.pose.skeleton import KEYPOINTS
from hpe.pose.strokes import Colour

# Joints by OpenPose's order. Its neck is the middle of the shoulders, which MPII calls thorax.
COCO_18: Final[tuple[str, ...]] = (
    *("nose", "thorax", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
)
# The feet, its last six, are not estimated.
BODY_25: Final[tuple[str | None, ...]] = (*COCO_18[:8], "pelvis", *COCO_18[8:], *[None] * 6)

# Hues round the circle, one a joint. Limbs have those of the same number, at LIMB_LIGHT.
COLOURS_RGB: Final[tuple[Colour, ...]] = (
    *((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0)),
    *((0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255)),
    *((170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85)),
)
LIMB_LIGHT: Final[float] = 0.6
LIMBS_18: Final[tuple[tuple[str, str], ...]] = (
    *(("thorax", "right_shoulder"), ("thorax", "left_shoulder"), ("right_shoulder", "right_elbow")),
    *(("right_elbow", "right_wrist"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
    *(("thorax", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle")),
    *(("thorax", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("thorax", "nose")),
    *(("nose", "right_eye"), ("right_eye", "right_ear"), ("nose", "left_eye"), ("left_eye", "left_ear")),
)
# Half a limb's width and a joint's radius, px of a picture whose shorter side is AT_PX: what ControlNet works at.
HALF_WIDTH: Final[float] = 4.0
AT_PX: Final[int] = 512


def draw_controlnet(poses: Sequence[Pose], width: int, height: int) -> NDArray[np.uint8]:
    """Poses in px of a picture of this size -> (height, width, 3) uint8 RGB: on black, in OpenPose's colours.

    Confident joints alone, smaller people first. Scaled to ControlNet's 512 px, lines are as wide as its own.
    """
    canvas = np.zeros((height, width, 3), np.uint8)
    radius = max(1, round(HALF_WIDTH * min(width, height) / AT_PX))
    for pose in sorted(poses, key=lambda pose: float((pose.box[2:] - pose.box[:2]).prod())):
        sure = drawable(pose, width, height)
        at = {
            name: pose.points[KEYPOINTS.index(name)].astype(np.float64)
            for name in COCO_18
            if name in pose.names and sure[KEYPOINTS.index(name)]
        }
        for (first, second), colour in zip(LIMBS_18, COLOURS_RGB, strict=False):
            if first in at and second in at:
                _limb(canvas, at[first], at[second], radius, tuple(int(LIMB_LIGHT * value) for value in colour))
        for name, colour in zip(COCO_18, COLOURS_RGB, strict=True):
            if name in at:
                cv2.circle(canvas, at[name].round().astype(int).tolist(), radius, colour, cv2.FILLED)
    return canvas


def _limb(
    canvas: NDArray[np.uint8], a: NDArray[np.float64], b: NDArray[np.float64], radius: int, colour: tuple[int, ...]
) -> None:
    """An ellipse from a to b, in place."""
    across = b - a
    axes = (max(int(np.hypot(*across) / 2), 1), radius)
    middle = ((a + b) / 2).round().astype(int).tolist()
    cv2.ellipse(canvas, middle, axes, float(np.degrees(np.arctan2(across[1], across[0]))), 0, 360, colour, cv2.FILLED)
