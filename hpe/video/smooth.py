"""Joints through time -> the same without the tremble: One-Euro, causal for live, forward and backward for files.

The 1 euro filter (Casiez, Roussel and Vogel, CHI 2012): a low-pass filter whose cutoff rises with speed, so that a
joint at rest is still and a fast one is not late. Run forward and backward and averaged it has no lag at all, as
zero-phase filters have (Gustafsson, IEEE Trans. Signal Processing 44, 1996). A joint's score weighs each new position.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Euro:
    """cutoff: Hz at rest. beta: how much it rises, Hz for each size/s of speed. speed_cutoff: Hz, of the speed itself.

    A size is the root of the person's box, so that near and far people are smoothed alike.
    """

    cutoff: float
    beta: float
    speed_cutoff: float


LIVE: Final = Euro(cutoff=1.0, beta=7.0, speed_cutoff=1.5)
FILE: Final = Euro(cutoff=1.2, beta=6.0, speed_cutoff=1.5)
# The score at which a joint's new position counts for half of what it would; below, it hardly moves.
_HALF: Final = 0.3
_LEAST: Final = 0.02


class OneEuro:
    """One person's joints, frame by frame. A joint that was not sure yet is taken as it is."""

    def __init__(self, euro: Euro = LIVE) -> None:
        self._euro = euro
        self._at: Points | None = None
        self._speed: Points | None = None
        self._last: Points | None = None
        self._time = 0.0

    def __call__(self, points: Points, scores: NDArray[np.floating], size: float, time: float) -> Points:
        """(J, 2) px, (J,) scores, the root of the box's area in px, s -> (J, 2) px. Times rise, or fall throughout."""
        if self._at is None or self._speed is None or self._last is None:
            self._at, self._last, self._speed = points.copy(), points, np.zeros_like(points)
            self._time = time
            return points
        passed = max(abs(time - self._time), 1e-3)
        weight = weights(scores)[:, None]
        gain = _gain(self._euro.speed_cutoff, passed) * weight
        self._speed = self._speed + gain * ((points - self._last) / passed - self._speed)
        speed = np.hypot(*self._speed.T)[:, None] / max(size, 1.0)
        self._at = self._at + _gain(self._euro.cutoff + self._euro.beta * speed, passed) * weight * (points - self._at)
        self._last, self._time = points, time
        return self._at


def weights(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """(J,) scores in 0..1 -> (J,) how much a new position counts, 0.02 to 1."""
    squares = np.asarray(scores, np.float64) ** 2
    return np.maximum(squares / (squares + _HALF**2) * (1 + _HALF**2), _LEAST)


def _gain(cutoff: NDArray[np.float64] | float, passed: float) -> NDArray[np.float64]:
    turns = 2 * np.pi * cutoff * passed
    return np.asarray(turns / (turns + 1))


def both_ways(
    points: Points, scores: NDArray[np.floating], sizes: NDArray[np.floating], times: NDArray[np.floating]
) -> Points:
    """(T, J, 2) px of one person, (T, J), (T,) px, (T,) s -> (T, J, 2) px: forward and backward, without lag."""
    ahead, back = OneEuro(FILE), OneEuro(FILE)
    forward = np.stack([ahead(points[t], scores[t], float(sizes[t]), float(times[t])) for t in range(len(points))])
    order = range(len(points) - 1, -1, -1)
    backward = np.stack([back(points[t], scores[t], float(sizes[t]), float(times[t])) for t in order])[::-1]
    return np.asarray((forward + backward) / 2)
