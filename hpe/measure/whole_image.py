"""The product as users meet it: no box is given, and there may be nobody."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.pose.skeleton import NUM_JOINTS
from hpe.train.data.samples import Sample

GREY = 118


@dataclass(frozen=True)
class WholeImage:
    """points of each person, (N, 16, 2) px of the sample's picture, nan if nobody was found; found: (N,) bool."""

    points: NDArray[np.float64]
    found: NDArray[np.bool_]


def predict_whole(
    estimator: PoseEstimator, samples: list[Sample], scenery: list[Sample], frame: tuple[float, float], seed: int = 0
) -> WholeImage:
    """Each sample's picture, somewhere in a frame `frame` times as large, through the whole product.

    scenery: photos without people to fill the frame; without any it is grey. frame: range of the factor;
    (1, 1) is the picture as it is.
    """
    rng = np.random.default_rng(seed)
    points, found = [], []
    for sample in tqdm(samples, desc="whole images", unit="photo", leave=False, disable=None):
        behind = scenery[int(rng.integers(len(scenery)))].image() if scenery else None
        photo, corner = placed(sample.image(), behind, float(rng.uniform(*frame)), rng)
        poses = estimator(photo)
        found.append(bool(poses))
        points.append(poses[0].points[:NUM_JOINTS] - corner if poses else np.full((NUM_JOINTS, 2), np.nan))
    return WholeImage(np.stack(points).astype(np.float64), np.array(found))


def placed(
    picture: NDArray[np.uint8], behind: NDArray[np.uint8] | None, factor: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """-> a (H * factor, W * factor, 3) frame with the picture at a random place, and that place's corner (2,) px."""
    height, width = picture.shape[:2]
    size_hw = max(height, round(height * factor)), max(width, round(width * factor))
    frame = np.full((*size_hw, 3), GREY, np.uint8) if behind is None else _cover(behind, size_hw)
    y, x = (int(rng.integers(0, room + 1)) for room in (size_hw[0] - height, size_hw[1] - width))
    frame[y : y + height, x : x + width] = picture
    return frame, np.array([x, y], np.float64)


def _cover(photo: NDArray[np.uint8], size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """The photo scaled to cover the size, its middle cut out -> a new array."""
    height, width = photo.shape[:2]
    factor = max(size_hw[0] / height, size_hw[1] / width)
    size = max(size_hw[1], round(width * factor)), max(size_hw[0], round(height * factor))
    large = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    y, x = (large.shape[0] - size_hw[0]) // 2, (large.shape[1] - size_hw[1]) // 2
    return np.array(large[y : y + size_hw[0], x : x + size_hw[1]], dtype=np.uint8)


def nobody(estimator: PoseEstimator, samples: list[Sample]) -> NDArray[np.bool_]:
    """(N,) bool: on which pictures the product finds nobody."""
    return np.array(
        [not estimator(s.image()) for s in tqdm(samples, desc="photos", unit="photo", leave=False, disable=None)]
    )
