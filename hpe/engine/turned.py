"""A photo stored on its side or upside down, without EXIF that says so: how it is found out, and points turned back.

A quarter is a turn by 90 degrees, counterclockwise as `numpy.rot90` counts.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

QUARTERS: Final[tuple[int, ...]] = (1, 2, 3)


def turned_picture(rgb: NDArray[np.uint8], quarter: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB -> the same, turned by so many quarters."""
    return np.ascontiguousarray(np.rot90(rgb, quarter))


def likeliest_quarter(rgb: NDArray[np.uint8], surest: Callable[[NDArray[np.uint8]], float], least: float) -> int:
    """The turn that shows the surest person, by the score of its best box; 0 if none reaches `least`.

    surest: (H, W, 3) uint8 RGB -> the best box's score, 0 without any.
    """
    scores = {quarter: surest(turned_picture(rgb, quarter)) for quarter in QUARTERS}
    best = max(scores, key=lambda quarter: scores[quarter])
    return best if scores[best] >= least else 0


def turned_back(points: NDArray[np.floating], quarter: int, height: int, width: int) -> NDArray[np.float64]:
    """(..., 2) x, y px of a turned picture -> px of the picture itself, which is of height x width px."""
    x, y = np.moveaxis(np.asarray(points, np.float64), -1, 0)
    for turn in reversed(range(quarter)):
        x, y = (height if turn % 2 else width) - 1 - y, x
    return np.stack([x, y], axis=-1)


def boxes_turned_back(boxes: NDArray[np.floating], quarter: int, height: int, width: int) -> NDArray[np.float64]:
    """(K, 4) x0, y0, x1, y1 px of a turned picture -> px of the picture itself."""
    corners = turned_back(np.asarray(boxes).reshape(-1, 2, 2), quarter, height, width)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
