"""A picture and people's boxes -> their keypoints: a crop round each box, heatmaps, and their peaks.

N crops, K people, J keypoints.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import ModelCard
from hpe.engine.scores import joint_scores
from hpe.engine.session import Session
from hpe.pose.crops import MARGIN, crop_affine, undo_affine, warp
from hpe.pose.heatmaps import decode_joints, flip_heatmaps
from hpe.pose.skeleton import FLIP_ORDER, LIMB_JOINTS

# Crops a run of the network. On one thread it makes no difference; on two, four crops take 0.8 to 0.9 of the time
# of four runs, since threads wait for each other at every layer, and twenty at once would only take more memory.
BATCH: Final[int] = 4


class PoseNetwork:
    """`pose_network(rgb, boxes)`. session takes crops of the card's frame."""

    def __init__(self, session: Session, card: ModelCard) -> None:
        self.session, self.card = session, card

    def __call__(
        self, rgb: NDArray[np.uint8], boxes: NDArray[np.floating], flip: bool | None = None, margin: float = MARGIN
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """(H, W, 3) uint8 RGB, (K, 4) px -> (K, J, 2) float64 px, (K, J) float32 scores.

        Scores are in 0..1, and 0 for keypoints that lie outside the picture. flip: average with the mirrored crops,
        True for all of them, False for none, None for those that the model's card wants. margin: how much larger than
        the box the crop is.
        """
        return self.over([(rgb, boxes)], flip, margin)[0]

    def over(
        self,
        pictures: Sequence[tuple[NDArray[np.uint8], NDArray[np.floating]]],
        flip: bool | None = None,
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

    def _heatmaps(self, crops: NDArray[np.uint8], flip: bool | None) -> NDArray[np.float32]:
        """(N, h, w, 3) -> (N, J, h/4, w/4); the mean of the crop's and its mirror image's where `flip` says so."""
        maps = self.session.run(crops)
        chosen = np.arange(len(crops)) if flip else self._doubtful(maps) if flip is None else np.arange(0)
        if not len(chosen):
            return maps
        maps = maps.copy()
        mirrored = self.session.run(np.ascontiguousarray(crops[chosen, :, ::-1]))
        for n, mirror in zip(chosen, mirrored, strict=True):
            maps[n] = (maps[n] + flip_heatmaps(mirror, FLIP_ORDER[: len(mirror)])) / 2
        return maps

    def _doubtful(self, maps: NDArray[np.float32]) -> NDArray[np.intp]:
        """(N, J, h, w) -> which of the N the card's flip test is for."""
        test = self.card.flip_test
        if test is None:
            return np.arange(0)
        peaks = np.clip(maps[:, list(LIMB_JOINTS)].max(axis=(2, 3)), 0, 1).mean(axis=1, dtype=np.float64)
        return np.flatnonzero((peaks > test.above) & (peaks < test.below))


def _inside(points: NDArray[np.float64], rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    inside = (points >= -0.5) & (points <= np.array([rgb.shape[1], rgb.shape[0]]) - 0.5)
    return np.asarray(inside.all(axis=2))
