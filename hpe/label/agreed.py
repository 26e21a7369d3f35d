"""People marked `ignore` whom the locator finds as well: two detectors agree, so the locator may learn them.

`ignore` marks people whom only one of the set's own detectors found. They are the hard ones, and while they count
neither way the locator never learns to find others like them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.label.eager import with_locator_threshold
from hpe.pose.boxes import box_iou
from hpe.settings import MAX_PEOPLE
from hpe.train.data.labels import write_labels
from hpe.train.data.samples import Photo

LEAST_SCORE: Final[float] = 0.3  # of the locator: on looking at 40 from 0.35 on, 37 held a person
SAME: Final[float] = 0.5  # IoU from which the set's box and the locator's are one person's
APART: Final[float] = 0.5  # IoU from which a box repeats a person who is labelled anyway
LEAST_PX: Final[float] = 20.0  # longer side; smaller boxes are too blurred to tell


def write_agreed(estimator: PoseEstimator, photos: Sequence[Photo], out: Path) -> str:
    """Writes the `ignore` boxes that hold a person to `out`, for a source's `labels` -> a summary to print."""
    eager = with_locator_threshold(estimator, LEAST_SCORE)
    rows = [row for photo in tqdm(photos, unit="photo", disable=None) for row in agreed(eager, photo)]
    write_labels(out, rows)
    ignored = sum(int(photo.ignore.sum()) for photo in photos)
    return f"{len(rows):,} of {ignored:,} boxes to ignore hold a person for the locator too, into {out}"


def agreed(estimator: PoseEstimator, photo: Photo) -> list[list[Any]]:
    """-> rows of photo id, number of the `ignore` box, and the mean of that box and the locator's, px."""
    ignored, people = photo.boxes[photo.ignore], photo.boxes[~photo.ignore]
    sides = (ignored[:, 2:] - ignored[:, :2]).max(axis=1, initial=0)
    new = (sides >= LEAST_PX) & (box_iou(ignored, people).max(axis=1, initial=0) < APART)
    if not new.any():
        return []
    found, _ = estimator.detector(photo.image(), MAX_PEOPLE)
    # a detection of a labelled person confirms no one else
    taken = box_iou(found, people).max(axis=1, initial=0) >= SAME
    overlap = box_iou(ignored, found) * ~taken[None]
    numbers = np.flatnonzero(photo.ignore)
    rows = []
    for k in np.flatnonzero(new & (overlap.max(axis=1, initial=0) >= SAME)):
        best = int(overlap[k].argmax())
        if overlap[:, best].argmax() == k:  # each detection confirms one box
            box = (ignored[k] + found[best]) / 2
            rows.append([photo.id, int(numbers[k]), [round(float(v), 1) for v in box]])
    return rows
