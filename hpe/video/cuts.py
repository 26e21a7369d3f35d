"""Where a clip is cut: the picture changes at once, and more than it did just before."""

from collections import deque
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_SIZE: Final = (32, 18)
# Mean change of a px of the thumbnail, 0..255. Hand-held cameras and fast pans stay below 16; cuts are 30 and more.
_LEAST: Final = 18.0
_TIMES: Final = 4.0
_BEFORE: Final = 8


class Cuts:
    """Tells of each frame in turn whether a new scene begins with it."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._changes: deque[float] = deque(maxlen=_BEFORE)

    def __call__(self, rgb: NDArray[np.uint8]) -> bool:
        """(H, W, 3) uint8 RGB -> whether it is of another scene than the frame before it."""
        step = max(1, min(rgb.shape[0] // (4 * _SIZE[1]), rgb.shape[1] // (4 * _SIZE[0])))
        small = cv2.resize(rgb[::step, ::step], _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        last, self._last = self._last, small
        if last is None:
            return False
        change = float(np.abs(small - last).mean())
        usual = float(np.median(self._changes)) if self._changes else 0.0
        cut = change >= max(_LEAST, _TIMES * usual)
        if cut:
            self._changes.clear()
        else:
            self._changes.append(change)
        return cut
