"""Joints from one frame to the next by optical flow, which costs a twentieth of a run of the pose network.

Pyramidal Lucas-Kanade (Bouguet, Intel 2001), forward and backward: who does not come back to where they started was not
followed (Kalal, Mikolajczyk and Matas, ICPR 2010). Poses have been carried by flow since Xiao, Wu and Wei (ECCV 2018,
arXiv 1804.06208).
"""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

# A person is halved until they are at most so high and wide, px; smaller ones are followed as they are.
_SIDE: Final = 256
# Of a box's sides: what is seen around it, so that a limb may leave it.
_ROOM: Final = 0.15
# What is narrower shows too little to follow.
_LEAST: Final = 16
_WINDOW: Final = (17, 17)
_LEVELS: Final = 2
# Of these px: how far from its start a joint may come back.
_ASTRAY: Final = 0.7
# Of the sure joints: how many have to be followed; every other joint moves as the nearest of them does.
_SHARE: Final = 0.7
_STOP: Final = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 12, 0.03)

Grey = NDArray[np.uint8]


def grey_of(rgb: NDArray[np.uint8]) -> Grey:
    """(H, W, 3) uint8 RGB -> (H, W) uint8, a copy."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def carried(
    before: Grey, after: Grey, points: NDArray[np.float64], sure: NDArray[np.bool_], box: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """(H, W) grey twice, one person's (J, 2) px, (J,) bool, (4,) box px in the first -> (J, 2) px in the second.

    None if too few joints can be followed: they left the picture, something came before them, or they moved too fast.
    """
    if before.shape != after.shape or not sure.any():
        return None
    low, high = _part(box, points[sure], before.shape)
    if (high - low).min() < _LEAST:
        return None
    halvings = max(0, math.ceil(math.log2(float((high - low).max()) / _SIDE)))
    scale = 0.5**halvings
    small = [_halved(picture[low[1] : high[1], low[0] : high[0]], halvings) for picture in (before, after)]
    start = ((points[sure] - low + 0.5) * scale - 0.5).astype(np.float32)[:, None]
    moved, seen, _ = _flow(small[0], small[1], start)
    back, seen_back, _ = _flow(small[1], small[0], moved)
    astray = np.hypot(*(back - start)[:, 0].T)
    size = (small[1].shape[1], small[1].shape[0])
    inside = ((moved[:, 0] >= 0) & (moved[:, 0] <= np.array(size) - 1)).all(axis=1)
    good = (seen[:, 0] == 1) & (seen_back[:, 0] == 1) & (astray <= _ASTRAY) & inside
    if good.mean() < _SHARE:
        return None
    shift = (moved - start)[good, 0].astype(np.float64) / scale
    apart = np.linalg.norm(points[:, None] - points[sure][good][None], axis=2)
    return np.asarray(points + shift[apart.argmin(axis=1)], np.float64)


def _part(
    box: NDArray[np.float64], points: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Box and sure joints -> the picture's part round them: (x0, y0), (x1, y1), whole px, the end not included."""
    room = _ROOM * (box[2:] - box[:2])
    low = np.minimum(box[:2], points.min(axis=0)) - room
    high = np.maximum(box[2:], points.max(axis=0)) + room
    limit = np.array([shape[1], shape[0]])
    return np.clip(np.floor(low), 0, limit).astype(int), np.clip(np.ceil(high) + 1, 0, limit).astype(int)


def _halved(part: Grey, times: int) -> Grey:
    """Each 2 x 2 px averaged to one, so often: several times as fast as any other way to make it smaller."""
    for _ in range(times):
        height, width = part.shape[0] // 2, part.shape[1] // 2
        part = np.asarray(
            cv2.resize(part[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
    return np.ascontiguousarray(part)


def _flow(one: Grey, other: Grey, at: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
    return cv2.calcOpticalFlowPyrLK(one, other, at, None, winSize=_WINDOW, maxLevel=_LEVELS, criteria=_STOP)  # type: ignore[call-overload,no-any-return]
