"""Who is found in a picture, before they are poses. K people, J joints."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hpe.engine.turned import boxes_turned_back, turned_back
from hpe.pose.result import Pose


@dataclass(frozen=True)
class People:
    """Who is found: (K, J, 2) points in px, (K, J) their scores, (K, 4) boxes in px, (K,) person scores, best first."""

    points: NDArray[np.float64]
    joints: NDArray[np.float32]
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]

    @classmethod
    def nobody(cls, keypoints: int) -> "People":
        """Nobody is found, by a network of so many keypoints."""
        return cls(np.zeros((0, keypoints, 2)), np.zeros((0, keypoints), np.float32), np.zeros((0, 4)), np.zeros(0))

    def turned_back(self, quarter: int, size: tuple[int, int]) -> "People":
        """Found in a picture turned by so many quarters -> in px of the picture itself, of `size` (width, height)."""
        width, height = size
        points = turned_back(self.points, quarter, height, width)
        return replace(self, points=points, boxes=boxes_turned_back(self.boxes, quarter, height, width))

    def poses(self, threshold: float, size: tuple[int, int]) -> list[Pose]:
        """size: (width, height) of the picture, px."""
        return [
            make_pose(points, joints, float(score), threshold, size, box)
            for points, joints, score, box in zip(self.points, self.joints, self.scores, self.boxes, strict=True)
        ]


def make_pose(
    points: NDArray[np.floating],
    scores: NDArray[np.float32],
    score: float,
    threshold: float,
    size: tuple[int, int],
    box: NDArray[np.floating] | None = None,
) -> Pose:
    """Joints and box in px of an image of `size` -> Pose; without a box, one round the confident joints, or all."""
    if box is None:
        chosen = points[scores >= threshold] if bool((scores >= threshold).any()) else points
        box = np.concatenate([chosen.min(axis=0), chosen.max(axis=0)])
    return Pose(points.astype(np.float32), scores.astype(np.float32), box.astype(np.float32), score, threshold, size)
