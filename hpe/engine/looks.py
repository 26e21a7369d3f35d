"""Two looks at one person: what they agree on is surer and more exact than either.

A network that finds a joint in scenery finds it elsewhere when the frame changes; a person's joint stays. So the
second pass does not only replace the first. Constants were chosen on training photos (docs/model.md).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Of one look: a person cut off at the waist still shows this many joints.
_LOOK_JOINTS: Final[int] = 8
# Of both: a portrait shows head, neck and shoulders.
_PERSON_JOINTS: Final[int] = 5
# Distances between two looks at a joint, in shares of the person: where one has halved its worth (times 1.2), and up to
# where both mean the same place.
_APART: Final[float] = 0.15
_SAME_PLACE: Final[float] = 0.1
_LEAST_SCORE: Final[float] = 1e-3


@dataclass(frozen=True)
class Look:
    """What one pass sees: points (16, 2) float64 image px, scores (16,) float32, peak heights in 0..1.

    scale: network px to an image px, that is how close it looked.
    """

    points: NDArray[np.float64]
    scores: NDArray[np.float32]
    scale: float

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
