"""Doubtful people of a set, seen by the locator as well: two agree, and the locator learns them as people.

A set leaves out people that only one of its detectors found (`ignore`). They are the ones hard to find, and as long as
they count neither way, nothing teaches the locator to find their like.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.errors import BadSettings
from hpe.pose.boxes import box_iou
from hpe.settings import MAX_PEOPLE
from hpe.train.data.people import Photo

LEAST_SCORE: Final[float] = 0.3  # of the locator: on looking at 40 from 0.35 on, 37 held a person
SAME: Final[float] = 0.5  # IoU from which the set's box and the locator's are one person's
APART: Final[float] = 0.5  # IoU with somebody who counts already, from which a box says nothing new
LEAST_PX: Final[float] = 20.0  # longer side: of smaller ones one cannot say what they are


def write_agreed(estimator: PoseEstimator, photos: Sequence[Photo], out: Path) -> str:
    """Writes the people found in boxes to ignore to `out`, for a source's `labels` -> a summary to print."""
    if estimator.card.locate is None:
        raise BadSettings(f"{estimator.card.name} has no locator: give a manifest that has one, like models/pose.json")
    eager = estimator.with_card(locate=replace(estimator.card.locate, threshold=LEAST_SCORE))
    rows = [row for photo in tqdm(photos, unit="photo", disable=None) for row in agreed(eager, photo)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows))
    ignored = sum(int(photo.ignore.sum()) for photo in photos)
    return f"{len(rows):,} of {ignored:,} boxes to ignore hold a person for the locator too, into {out}"


def agreed(estimator: PoseEstimator, photo: Photo) -> list[list[Any]]:
    """-> rows of photo id, the number of a box to ignore, and the mean of it and the locator's box, px."""
    ignored, people = photo.boxes[photo.ignore], photo.boxes[~photo.ignore]
    sides = (ignored[:, 2:] - ignored[:, :2]).max(axis=1, initial=0)
    new = (sides >= LEAST_PX) & (box_iou(ignored, people).max(axis=1, initial=0) < APART)
    if not new.any():
        return []
    found, _ = estimator.locate(photo.image(), MAX_PEOPLE)
    # somebody who counts already is not the one who is doubtful
    taken = box_iou(found, people).max(axis=1, initial=0) >= SAME
    overlap = box_iou(ignored, found) * ~taken[None]
    numbers = np.flatnonzero(photo.ignore)
    rows = []
    for k in np.flatnonzero(new & (overlap.max(axis=1, initial=0) >= SAME)):
        best = int(overlap[k].argmax())
        if overlap[:, best].argmax() == k:  # of boxes to ignore that lie on each other, one is the person
            box = (ignored[k] + found[best]) / 2
            rows.append([photo.id, int(numbers[k]), [round(float(v), 1) for v in box]])
    return rows
