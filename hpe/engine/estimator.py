"""Image -> Pose: two passes of a one-person network, the first to find the person, the second to look closely.

The method is top-down (Xiao et al. 2018): the network expects one person filling its frame. The first pass
gives it the whole picture, and where that finds nobody for sure, nine windows of the picture. The second
gives it the crop round the joints that the first one found. Both count (`hpe.engine.looks`).
"""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.fetch import fetch_model
from hpe.engine.looks import Finding, Look, person_box, together
from hpe.engine.session import Session
from hpe.errors import BadSettings
from hpe.image.decode import as_rgb
from hpe.pose.crops import MARGIN, Affine, crop_affine, scale_of, undo_affine, warp, whole_image_box
from hpe.pose.heatmaps import decode_joints, flip_heatmaps
from hpe.pose.result import Pose
from hpe.pose.skeleton import FLIP_ORDER
from hpe.settings import Settings

if TYPE_CHECKING:
    from hpe.image.decode import ImageLike

# The first pass only has to frame somebody. It does so at this many px as well as at 192, at two thirds of the cost;
# at 128 px joints in the second pass were already a point of PCK worse (docs/model.md).
FIRST_SIZE: Final[int] = 160
# Where both passes are surer than this of somebody larger than this share of the picture, that is that; elsewhere
# somebody small may have been overlooked, and the picture is searched.
SURE: Final[float] = 0.4
SMALL: Final[float] = 0.3


class PoseEstimator:
    """Finds the person in a picture. Build one and keep it: the model is loaded once.

    model: None for the default in `models/`, a path to an .onnx file with its manifest beside it, or
    s3://bucket/key. threads: per inference, 0 for all usable cores. threshold: joint score below which a
    joint is unsure, None for the model's own. flip: also look at the mirrored picture and average, slower
    and a little better. Raises ModelUnavailable or BadModel when the model cannot be had, BadSettings
    when threshold is not from 0 to 1.
    """

    def __init__(
        self,
        model: str | PathLike[str] | None = None,
        *,
        threads: int = 0,
        threshold: float | None = None,
        flip: bool = False,
        cache_dir: str | PathLike[str] | None = None,
    ) -> None:
        path, self.card = fetch_model(str(model or ""), Path(cache_dir or Settings.cache_dir))
        self._session = Session(path, self.card, threads)
        self.threshold = self.card.threshold if threshold is None else checked_threshold(threshold)
        self.flip = flip

    def __call__(self, image: "ImageLike", *, flip: bool | None = None, threshold: float | None = None) -> list[Pose]:
        """(H, W, 3) uint8 RGB array, path, image file bytes or Pillow image -> the people found, best first.

        At most one is found for now; an empty list means that nobody is there. Points are px of the image.
        """
        rgb = as_rgb(image)
        limit = self.threshold if threshold is None else checked_threshold(threshold)
        mirrored = self.flip if flip is None else flip
        found = self.followed(rgb, self.glance(rgb, mirrored), mirrored)
        if found.score < SURE or found.share(rgb) < SMALL:
            found = max(found, self.followed(rgb, self.search(rgb, mirrored), mirrored), key=lambda look: look.score)
        if found.score < self.card.person_threshold:
            return []
        return [make_pose(found.points, found.scores, found.score, limit)]

    def glance(self, rgb: NDArray[np.uint8], flip: bool = False) -> Look:
        """The first pass: the whole picture in one frame."""
        height, width = rgb.shape[:2]
        return self._looks(rgb, [whole_image_box(width, height)], 1.0, self._first_size, flip)[0]

    def search(self, rgb: NDArray[np.uint8], flip: bool = False) -> Look:
        """The first pass for somebody small: nine overlapping windows of half the picture's longer side, the best."""
        looks = self._looks(rgb, windows(*rgb.shape[:2]), 1.0, self.card.input_size, flip)
        return max(looks, key=lambda look: look.score)

    def followed(self, rgb: NDArray[np.uint8], first: Look, flip: bool = False) -> Finding:
        """The second pass on the crop round the joints that the first one found, and what both say together."""
        box = first.box
        if box is None:
            return Finding(first.points, np.zeros_like(first.scores), 0.0)
        return together(first, self.closer(rgb, box, flip))

    def closer(self, rgb: NDArray[np.uint8], box: NDArray[np.floating], flip: bool = False) -> Look:
        """The second pass alone, on the crop round a (4,) box in image px, with the margin used in training."""
        return self._looks(rgb, [np.asarray(box, np.float64)], MARGIN, self.card.input_size, flip)[0]

    @property
    def _first_size(self) -> int:
        """px: models exported with a fixed size look twice at that."""
        return min(FIRST_SIZE, self.card.input_size) if self._session.any_size else self.card.input_size

    def _looks(
        self, rgb: NDArray[np.uint8], boxes: list[NDArray[np.float64]], margin: float, size: int, flip: bool
    ) -> list[Look]:
        """One batch through the network, a square frame of `size` px round each box."""
        affines = [crop_affine(box, size, margin) for box in boxes]
        crops = [warp(rgb, affine, size) for affine in affines]
        batch = crops + [crop[:, ::-1] for crop in crops] if flip else crops
        heatmaps = self._session.run(np.stack(batch))
        if flip:
            pairs = zip(heatmaps[: len(crops)], heatmaps[len(crops) :], strict=True)
            heatmaps = np.stack([(seen + flip_heatmaps(mirror, FLIP_ORDER)) / 2 for seen, mirror in pairs])
        return [self._decode(maps, affine) for maps, affine in zip(heatmaps, affines, strict=True)]

    def _decode(self, heatmaps: NDArray[np.float32], affine: Affine) -> Look:
        points, scores = decode_joints(heatmaps, "dark", self.card.sigma)

        def framed() -> NDArray[np.float64] | None:
            corners = person_box(heatmaps)
            return None if corners is None else undo_affine(corners, affine).reshape(4)

        return Look(undo_affine(points, affine), np.clip(scores, 0.0, 1.0), scale_of(affine), framed)


def windows(height: int, width: int) -> list[NDArray[np.float64]]:
    """Boxes x0, y0, x1, y1 in px: 3 x 3 overlapping squares of half the longer side; fewer along a short side."""
    side = max(height, width) / 2
    across = [width / 2] if width <= side else list(np.linspace(side / 2, width - side / 2, 3))
    down = [height / 2] if height <= side else list(np.linspace(side / 2, height - side / 2, 3))
    return [np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2]) for y in down for x in across]


def checked_threshold(value: float) -> float:
    """Scores are heights of heatmaps, 0 to 1: 30 was meant as percent, and would hide every joint without a word."""
    if not 0 <= value <= 1:
        raise BadSettings(f"threshold={value!r} is no score: give a number from 0 to 1, like 0.3")
    return value


def make_pose(points: NDArray[np.floating], scores: NDArray[np.float32], score: float, threshold: float) -> Pose:
    """Joints in image px -> Pose, its box round the confident joints (round all where none is)."""
    chosen = points[scores >= threshold] if bool((scores >= threshold).any()) else points
    box = np.concatenate([chosen.min(axis=0), chosen.max(axis=0)])
    return Pose(points.astype(np.float32), scores.astype(np.float32), box.astype(np.float32), score, threshold)
