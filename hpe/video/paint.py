"""A frame with its people drawn, each with its identity in a colour of its own."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.draw import OUTLINE_RGB, draw_onto
from hpe.pose.strokes import Colour
from hpe.video.result import TrackedFrame, TrackedPose

# Far apart by hue and by lightness; identity n has the (n - 1)th, and they come round again.
COLOURS_RGB: Final[tuple[Colour, ...]] = (
    (255, 196, 61),
    (94, 207, 255),
    (255, 123, 172),
    (131, 233, 126),
    (190, 149, 255),
    (255, 150, 102),
    (79, 224, 199),
    (240, 240, 240),
    (214, 219, 92),
    (146, 178, 255),
)
_FONT: Final = cv2.FONT_HERSHEY_DUPLEX
# Of the picture's height: how tall the number is.
_TALL: Final = 0.022


def colour_of(id: int) -> Colour:
    """An identity's colour, RGB: the same in every frame."""
    return COLOURS_RGB[(id - 1) % len(COLOURS_RGB)]


def draw_frame(frame: TrackedFrame) -> None:
    """Skeletons, and each person's identity above the head, onto the frame's own picture: a copy costs a tenth more."""
    draw_onto(frame.rgb, frame.poses)
    for pose in frame.poses:
        _tag(frame.rgb, pose)


def _tag(canvas: NDArray[np.uint8], pose: TrackedPose) -> None:
    height, width = canvas.shape[:2]
    sure = pose.points[pose.confident]
    if not len(sure):
        return
    size = max(_TALL * height, 9.0) / 21  # a capital of this font is 21 px high at a scale of 1
    text, thick = str(pose.id), max(1, round(1.4 * size))
    (wide, tall), _ = cv2.getTextSize(text, _FONT, size, thick)
    room = round(0.45 * tall)
    top = sure[sure[:, 1].argmin()]
    x = int(np.clip(top[0] - wide / 2, room, max(room, width - wide - room)))
    y = int(np.clip(min(top[1], pose.box[1]) - 2 * room, tall + 2 * room, height - room))
    cv2.rectangle(canvas, (x - room, y - tall - room), (x + wide + room, y + room), colour_of(pose.id), cv2.FILLED)
    cv2.rectangle(canvas, (x - room, y - tall - room), (x + wide + room, y + room), OUTLINE_RGB, 1, cv2.LINE_AA)
    cv2.putText(canvas, text, (x, y), _FONT, size, OUTLINE_RGB, thick, cv2.LINE_AA)
