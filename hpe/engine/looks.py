"""Two looks at one person: what they agree on is surer and more exact than either.

A network that finds a joint in scenery finds it elsewhere when the frame changes; a person's joint stays. So the
second pass does not only replace the first. Constants were chosen on training photos (docs/model.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.pose.heatmaps import STRIDE

# Of one look: a person cut off at the waist still shows this many joints.
_LOOK_JOINTS: Final[int] = 8
# Of both: a portrait shows head, neck and shoulders.
_PERSON_JOINTS: Final[int] = 5
# Distances between two looks at a joint, in shares of the person: at which their agreement has fallen to 1/e, and up to
# which both mean the same place.
_APART: Final[float] = 0.15
_SAME_PLACE: Final[float] = 0.1
_LEAST_SCORE: Final[float] = 1e-3
# A peak counts towards the person's box the more the higher it is, not at all at the first of these heights and fully
# from the second on: a small person's peaks are low, and the second pass decides.
BOX_SCORES: Final[tuple[float, float]] = (0.02, 0.12)


@dataclass(frozen=True)
class Look:
    """What one pass sees: points (16, 2) float64 image px, scores (16,) float32, peak heights in 0..1.

    scale: network px to an image px, that is how close it looked. framed: gives `box`, worked out when it is asked
    for, since only a first look, and of nine windows only the best, is followed by a crop.
    """

    points: NDArray[np.float64]
    scores: NDArray[np.float32]
    scale: float
    framed: Callable[[], NDArray[np.float64] | None]

    @property
    def box(self) -> NDArray[np.float64] | None:
        """`person_box` as (4,) float64 x0, y0, x1, y1 in image px, None where hardly anything was seen."""
        return self.framed()

    @property
    def score(self) -> float:
        """How sure it is that somebody is there: the mean of the best joints' scores."""
        return float(np.sort(self.scores)[-_LOOK_JOINTS:].mean())


@dataclass(frozen=True)
class Finding:
    """A person, or what comes nearest to one. points (16, 2) float64 image px, scores (16,) float32 in 0..1.

    score: 0..1, how sure it is that somebody is there.
    """

    points: NDArray[np.float64]
    scores: NDArray[np.float32]
    score: float

    def share(self, rgb: NDArray[np.uint8]) -> float:
        """The longer side of the joints' box over the picture's longer side."""
        return float(np.ptp(self.points, axis=0).max() / max(rgb.shape[:2]))


def together(first: Look, second: Look) -> Finding:
    """A first look and a closer second one at the same person -> what both say.

    A joint counts as much as its score and, as errors shrink with the px that one looks at, as the square of the
    scale; the first look at most as much as the second. Where both mean the same place it is their weighted mean,
    elsewhere the weightier of them. The joint's score is lower, by up to a half, the further they are apart. The
    person's is the mean of the best joints' sqrt(s1 s2) exp(-(d / 0.15)^2), d the distance in shares of the person.
    """
    person_px = max(float(np.ptp(second.points, axis=0).max()), 1e-6)
    apart = np.linalg.norm(first.points - second.points, axis=1) / person_px
    agreement = np.exp(-((apart / _APART) ** 2))
    coarser = min(first.scale / second.scale, 1.0) ** 2
    weights = np.maximum(np.stack([first.scores * coarser, second.scores]), _LEAST_SCORE).astype(np.float64)
    points, scores = np.stack([first.points, second.points]), np.stack([first.scores, second.scores])
    joints = np.arange(len(apart))
    weightier = np.where(apart < _SAME_PLACE, 1, np.argmax(weights, axis=0))
    mean = (weights[..., None] * points).sum(axis=0) / weights.sum(axis=0)[:, None]
    place = np.where((apart < _SAME_PLACE)[:, None], mean, points[weightier, joints])
    presence = np.sort(np.sqrt(scores[0] * scores[1]) * agreement)[-_PERSON_JOINTS:].mean()
    score = scores[weightier, joints] * (1 + agreement) / 2
    return Finding(place, score.astype(np.float32), float(presence))


def person_box(heatmaps: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """(16, h, w) -> (2, 2) corners x0, y0 and x1, y1 of what was seen, network px, or None where hardly anything was.

    Each cell is drawn towards the middle of all by what its weight lacks of 1, and the box is round them all. The
    weight is that of its joint's peak (`BOX_SCORES`) times (height / peak)^8: the peak's own cell, and another as good.
    So the box changes as little as the heatmaps do. With the peaks' places alone, the last bit of a faint joint made
    another box.
    """
    low, high = BOX_SCORES
    peaks = heatmaps.reshape(len(heatmaps), -1).max(axis=1)
    counts = np.clip((peaks - low) / (high - low), 0.0, 1.0)
    if counts.sum() < 2:
        return None
    weights = np.clip(heatmaps / np.maximum(peaks, low)[:, None, None], 0.0, 1.0)
    for _ in range(3):
        weights *= weights
    weights *= counts[:, None, None]
    corners = []
    for axis in (2, 1):  # x, then y
        most = weights.max(axis=3 - axis).astype(np.float64)  # of each joint's columns or rows
        total = weights.sum(axis=3 - axis, dtype=np.float64)
        places = np.arange(heatmaps.shape[axis]) * float(STRIDE)
        middle = (total * places).sum() / total.sum()
        drawn = middle + most * (places - middle)
        corners.append((drawn.min(), drawn.max()))
    return np.array(corners).T
