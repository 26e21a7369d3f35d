"""False detections in photos without people, for training: the pose network learns to find no joints in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.label.eager import with_locator_threshold
from hpe.pose.boxes import Boxes
from hpe.train.data.labels import write_labels
from hpe.train.data.samples import Sample

LEAST_SCORE: Final[float] = 0.05  # of the locator, far below its threshold: another network makes other mistakes
AT_MOST: Final[int] = 5  # boxes a view
PART: Final[float] = 0.6  # of the photo's sides, that a corner's view spans


def write_lookalikes(estimator: PoseEstimator, samples: Sequence[Sample], out: Path) -> str:
    """Writes the boxes found in these photos without people to `out`, for a source's `labels` -> a summary to print."""
    eager = with_locator_threshold(estimator, LEAST_SCORE)
    rows = []
    for sample in tqdm(samples, unit="photo", disable=None):
        boxes = lookalikes(eager, sample.image())
        if len(boxes):
            rows.append({"id": sample.id, "boxes": boxes.round(1).tolist()})
    write_labels(out, rows)
    return f"{sum(len(row['boxes']) for row in rows):,} boxes in {len(rows):,} of {len(samples):,} photos, into {out}"


def lookalikes(estimator: PoseEstimator, rgb: NDArray[np.uint8]) -> Boxes:
    """(H, W, 3) uint8 RGB -> (K, 4) px: all that is found in the whole photo and in each of its corners, enlarged."""
    height, width = rgb.shape[:2]
    h, w = max(1, round(PART * height)), max(1, round(PART * width))
    views = [(0, 0, height, width), *((y, x, h, w) for y in (0, height - h) for x in (0, width - w))]
    found = [
        estimator.detector(np.ascontiguousarray(rgb[y : y + h, x : x + w]), AT_MOST)[0] + np.array([x, y, x, y])
        for y, x, h, w in views
    ]
    return np.concatenate(found)
