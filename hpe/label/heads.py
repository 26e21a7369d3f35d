"""Necks and head tops of people in whole photos, as a trained network sees them: the data's teachers know neither."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.pose.skeleton import INDEX
from hpe.train.data.labels import write_labels
from hpe.train.data.people import LEAST_JOINTS, read_photos
from hpe.train.data.samples import Photo

HEAD: Final = (INDEX["upper_neck"], INDEX["head_top"])


def write_heads(estimator: PoseEstimator, photos_path: Path, out: Path, seen: float) -> str:
    """Labels for the people of `read_photos(photos_path)` into `out`, which it reads again -> a summary for people.

    seen: joint score from which a joint is added.
    """
    photos = read_photos(photos_path)
    rows = [row for photo in tqdm(photos, unit="photo", disable=None) for row in heads(estimator, photo, seen)]
    write_labels(out, rows)
    joints = sum(len(found) for _, _, found in rows)
    return f"{joints:,} necks and head tops of {len(rows):,} people in {len(photos):,} photos, into {out}"


def heads(estimator: PoseEstimator, photo: Photo, seen: float) -> list[list[Any]]:
    """-> rows of photo id, the person's number and (joint, x, y) px, for people with labelled joints to train on.

    A joint is added where nobody labelled it, inside the person's box.
    """
    who = np.flatnonzero(~photo.ignore & (photo.joints[:, :, 2].sum(axis=1) >= LEAST_JOINTS))
    if not len(who):
        return []
    points, scores = estimator.pose_network(photo.image(), photo.boxes[who], flip=True)
    rows: list[list[Any]] = []
    for k, person in enumerate(who):
        box, labelled = photo.boxes[person], photo.joints[person, :, 2] > 0
        inside = ((points[k] >= box[:2]) & (points[k] <= box[2:])).all(axis=1)
        added = [j for j in HEAD if not labelled[j] and scores[k, j] >= seen and inside[j]]
        if added:
            places = [[j, round(float(points[k, j, 0]), 1), round(float(points[k, j, 1]), 1)] for j in added]
            rows.append([photo.id, int(person), places])
    return rows
