"""A picture and people's boxes -> their keypoints: a crop round each box, heatmaps, and their peaks.

N crops, K people, J keypoints.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.manifest import ModelCard
from hpe.engine.scores import joint_scores
from hpe.engine.session import Session
from hpe.pose.crops import MARGIN, crop_affine, undo_affine, warp
from hpe.pose.heatmaps import decode_joints, flip_heatmaps
from hpe.pose.skeleton import FLIP_ORDER

# Crops a run of the network. On one thread it makes no difference; on two, four crops take 0.8 to 0.9 of the time
# of four runs, since threads wait for each other at every layer, and twenty at once would only take more memory.
BATCH: Final[int] = 4


class PoseNetwork:
    """`pose_network(rgb, boxes)`. session takes crops of the card's frame."""

    def __init__(self, session: Session, card: ModelCard) -> None:
        self.session, self.card = session, card

    def __call__(
        self, rgb: NDArray[np.uint8], boxes: NDArray[np.floating], flip: bool = False, margin: float = MARGIN
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """(H, W, 3) uint8 RGB, (K, 4) px -> (K, J, 2) float64 px, (K, J) float32 scores.

        Scores are in 0..1, and 0 for keypoints that lie outside the picture. flip: average with the mirrored crops.
        margin: how much larger than the box the crop is.
        """
        return self.over([(rgb, boxes)], flip, margin)[0]

    def over(
        self,
        pictures: Sequence[tuple[NDArray[np.uint8], NDArray[np.floating]]],
        flip: bool = False,
        margin: float = MARGIN,
    ) -> list[tuple[NDArray[np.float64], NDArray[np.float32]]]:
        """The same of several pictures, each with its boxes: runs of the network are filled from all of them."""
        joints = len(self.card.keypoints)
        found = [
            (np.zeros((len(boxes), joints, 2)), np.zeros((len(boxes), joints), np.float32)) for _, boxes in pictures
        ]
        crops = [(n, k) for n, (_, boxes) in enumerate(pictures) for k in range(len(boxes))]
        for start in range(0, len(crops), BATCH):
            batch = crops[start : start + BATCH]
            affines = [crop_affine(pictures[n][1][k], self.card.frame, margin) for n, k in batch]
            cut = [warp(pictures[n][0], affine, self.card.frame) for (n, _), affine in zip(batch, affines, strict=True)]
            for (n, k), affine, maps in zip(batch, affines, self._heatmaps(np.stack(cut), flip), strict=True):
                places, peaks = decode_joints(maps, self.card.sigma)
                found[n][0][k] = undo_affine(places, affine)
                found[n][1][k] = joint_scores(peaks, self.card.calibration)
        return [
            (points, np.where(_inside(points, rgb), scores, np.float32(0)))
            for (rgb, _), (points, scores) in zip(pictures, found, strict=True)
        ]

    def _heatmaps(self, crops: NDArray[np.uint8], flip: bool) -> NDArray[np.float32]:
        """(N, h, w, 3) -> (N, J, h/4, w/4); with `flip` the mean of each crop and its mirror image."""
        if not flip:
            return self.session.run(crops)
        both = self.session.run(np.concatenate([crops, crops[:, :, ::-1]]))
        pairs = zip(both[: len(crops)], both[len(crops) :], strict=True)
        return np.stack([(seen + flip_heatmaps(mirror, FLIP_ORDER[: len(mirror)])) / 2 for seen, mirror in pairs])


def _inside(points: NDArray[np.float64], rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    inside = (points >= -0.5) & (points <= np.array([rgb.shape[1], rgb.shape[0]]) - 0.5)
    return np.asarray(inside.all(axis=2))
