"""Everybody found in photos, however unsure, as arrays to measure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX

# For precision and recall, boxes and people down to this score count.
LEAST_SCORE: Final[float] = 0.05


@dataclass(frozen=True)
class Found:
    """Everybody found in one photo, however unsure, best first.

    boxes: (K, 4) px. scores: (K,) person scores. points: (K, J, 2) px. joint_scores: (K, J).
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    points: NDArray[np.float64]
    joint_scores: NDArray[np.float64]


def unsure(estimator: PoseEstimator) -> PoseEstimator:
    """The same networks, without thresholds on people."""
    locate = estimator.card.locate
    changed = locate and replace(locate, threshold=min(LEAST_SCORE, locate.threshold), photo_threshold=0.0)
    return PoseEstimator(estimator.networks.with_card(person_threshold=0.0, photo_threshold=0.0, locate=changed))


def find_all(estimator: PoseEstimator, images: Sequence[NDArray[np.uint8]], what: str = "photos") -> list[Found]:
    """(H, W, 3) uint8 RGB each -> who is found."""
    bar = tqdm(images, desc=what, unit="photo", leave=False, disable=None)
    return [as_found(estimator(image)) for image in bar]


def as_found(poses: list[Pose]) -> Found:
    if not poses:
        return Found(np.zeros((0, 4)), np.zeros(0), np.zeros((0, len(INDEX), 2)), np.zeros((0, len(INDEX))))
    return Found(
        np.stack([p.box for p in poses]).astype(np.float64),
        np.array([p.score for p in poses], np.float64),
        np.stack([p.points for p in poses]).astype(np.float64),
        np.stack([p.scores for p in poses]).astype(np.float64),
    )
