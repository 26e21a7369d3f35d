"""What a person looks like: the colours of the trunk. Tells who is who when two have crossed; nothing else is kept."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.skeleton import INDEX

_CORNERS: Final = tuple(INDEX[name] for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip"))
_BINS: Final = 6
_SIDE: Final = 16
# From the side a trunk is a line: it is taken for at least so wide, in shares of its height.
_LEAST_WIDTH: Final = 0.35
_OF_BOX: Final = np.array([0.3, 0.2, 0.7, 0.5])


def look_of(
    rgb: NDArray[np.uint8], points: NDArray[np.floating], sure: NDArray[np.bool_], box: NDArray[np.floating]
) -> NDArray[np.float32]:
    """(H, W, 3) uint8 RGB, (J, 2) px, (J,) bool, (4,) px -> (216,) float32 histogram of colours, adding up to 1.

    Of the rectangle round shoulders and hips; without those, of where they are in most people's boxes.
    """
    corners = list(_CORNERS)
    if sure[corners].all():
        low, high = points[corners].min(axis=0), points[corners].max(axis=0)
        lacking = max(0.0, _LEAST_WIDTH * float(high[1] - low[1]) - float(high[0] - low[0])) / 2
        aside = np.array([lacking, 0.0])
        low, high = low - aside, high + aside
    else:
        size = np.tile(box[2:] - box[:2], 2)
        part = np.tile(box[:2], 2) + _OF_BOX * size
        low, high = part[:2], part[2:]
    x0, y0 = np.clip(np.floor(low), 0, (rgb.shape[1] - 1, rgb.shape[0] - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(high) + 1, (x0 + 1, y0 + 1), (rgb.shape[1], rgb.shape[0])).astype(int)
    patch = cv2.resize(rgb[y0:y1, x0:x1], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(int)
    bins = patch.reshape(-1, 3) * _BINS // 256
    counts = np.bincount(bins @ np.array([_BINS * _BINS, _BINS, 1]), minlength=_BINS**3)
    return np.asarray(counts / counts.sum(), np.float32)


def alike(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """(M, B), (N, B) histograms -> (M, N) their Bhattacharyya coefficient: 1 for the same colours, 0 for none."""
    return np.asarray(np.sqrt(a) @ np.sqrt(b).T, np.float64)
