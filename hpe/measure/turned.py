"""Photos stored turned by a quarter, without EXIF to say so: who is still found."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.estimator import PoseEstimator
from hpe.measure.found import Found, as_found
from hpe.measure.report import Figure, percent
from hpe.measure.shown import false_people, found_by_joints
from hpe.pose.result import Pose
from hpe.train.data.samples import Photo

# Quarter turns counterclockwise -> degrees clockwise.
TURNS: Final[dict[int, int]] = {3: 90, 2: 180, 1: 270}


@dataclass
class Turned:
    """found: by quarter turns, of each person found upright. silent: of photos without people, turned."""

    found: dict[int, list[bool]] = field(default_factory=lambda: {quarters: [] for quarters in TURNS})
    silent: list[bool] = field(default_factory=list)

    def add(self, estimator: PoseEstimator, photo: Photo, rgb: NDArray[np.uint8], upright: Sequence[Pose]) -> None:
        """One photo. upright: who is shown in it as it is."""
        known = {p for p in found_by_joints(as_found(upright), photo) if not photo.ignore[p]}
        empty = bool(photo.ignore.all())
        if not known and not empty:
            return
        for quarters, marks in self.found.items():
            one = back(as_found(estimator(np.ascontiguousarray(np.rot90(rgb, quarters)))), quarters, rgb.shape[:2])
            still = found_by_joints(one, photo)
            marks += [p in still for p in known]
            if empty:
                self.silent.append(not false_people(one, photo))

    def figures(self) -> dict[str, Figure]:
        text = "of {of} people found upright are found in the photo turned by"
        every = [mark for marks in self.found.values() for mark in marks]
        return {
            "turned_found": percent(f"{text} 90, 180 or 270 degrees", every),
            **{f"turned_{TURNS[q]}_found": percent(f"{text} {TURNS[q]}", marks) for q, marks in self.found.items()},
            "turned_nobody_found": percent("of {of} turned photos without people: nobody found", self.silent),
        }


def back(one: Found, quarters: int, upright: tuple[int, ...]) -> Found:
    """Who is found in `np.rot90(photo, quarters)` -> the same in px of the photo, of (height, width) `upright`."""
    height, width = upright[:2]
    corners = _unturned(one.boxes.reshape(-1, 2, 2), quarters, height, width)
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return replace(one, boxes=boxes, points=_unturned(one.points, quarters, height, width))


def _unturned(points: NDArray[np.float64], quarters: int, height: int, width: int) -> NDArray[np.float64]:
    """(..., 2) x, y px of the turned photo -> of the photo as it was."""
    x, y = points[..., 0], points[..., 1]
    if quarters == 1:
        x, y = width - 1 - y, x
    elif quarters == 2:
        x, y = width - 1 - x, height - 1 - y
    elif quarters == 3:
        x, y = y, height - 1 - x
    return np.stack([x, y], axis=-1)
