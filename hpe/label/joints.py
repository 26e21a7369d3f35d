"""Joints of people in whole photos, by a trained network and by those who labelled them before.

A set that other networks labelled lacks joints (necks, head tops, what they were not sure of), and places the rest by
their convention. Where this network sees a joint near the label, the truth is likely between the two; where it sees it
elsewhere the label stays, for two networks agreed on it; where there is no label it has to be sure.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.pose.boxes import AREA_OF_BOX
from hpe.pose.skeleton import INDEX, NUM_JOINTS
from hpe.train.config import Source
from hpe.train.data.labels import write_labels
from hpe.train.data.people import LEAST_JOINTS, read_photos
from hpe.train.data.samples import Photo

# Against people's labels of 445 people (docs/runs.md): from here on, in roots of the person's area, the mean of both is
# nearer to theirs no more.
NEAR: Final[float] = 0.2
# Joint score from which an unlabelled joint is added; from 0.5 on three quarters are where people place them.
SURE: Final[float] = 0.65
# Necks and head tops, which no label of other networks has, are easier.
SURE_OF_HEAD: Final[float] = 0.5
HEAD: Final = (INDEX["upper_neck"], INDEX["head_top"])
LEAST_PX: Final[float] = 40.0  # longer side of the box; of smaller people a network sees too little


def write_joints(estimator: PoseEstimator, source: Source, out: Path) -> str:
    """Labels for a source of kind people into `out`, which its reader reads again -> a summary for people.

    `without` of its options: labels that count as none. `add_labels`: those that the set has stay as they are.
    """
    photos = read_photos(Path(source.path).expanduser(), without=source.options.get("without", ()))
    rows: list[list[Any]] = []
    for photo in tqdm(photos, unit="photo", disable=None):
        rows += joints_seen(estimator, photo, source.add_labels)
    write_labels(out, rows)
    joints = sum(len(found) for _, _, found in rows)
    return f"{joints:,} joints of {len(rows):,} people in {len(photos):,} photos, into {out}"


def joints_seen(estimator: PoseEstimator, photo: Photo, keep: bool) -> list[list[Any]]:
    """-> rows of photo id, the person's number and (joint, x, y) px, of labels that are new or move.

    keep: no label moves. Nobody gets labels who would have fewer than three.
    """
    sides = photo.boxes[:, 2:] - photo.boxes[:, :2]
    who = np.flatnonzero(~photo.ignore & (sides.max(axis=1, initial=0) >= LEAST_PX))
    if not len(who):
        return []
    points, scores = estimator.pose_network(photo.image(), photo.boxes[who], flip=True)
    rows: list[list[Any]] = []
    for k, person in enumerate(who):
        box, labelled = photo.boxes[person], photo.joints[person, :, 2] > 0
        seen, sure = points[k, :NUM_JOINTS], np.full(NUM_JOINTS, SURE)
        sure[list(HEAD)] = SURE_OF_HEAD
        inside = ((seen >= box[:2]) & (seen <= box[2:])).all(axis=1)
        added = ~labelled & inside & (scores[k, :NUM_JOINTS] >= sure)
        apart = np.linalg.norm(seen - photo.joints[person, :, :2], axis=1)
        moved = labelled & (apart < NEAR * np.sqrt(AREA_OF_BOX * sides[person].prod())) & (not keep)
        if (labelled | added).sum() < LEAST_JOINTS or not (added | moved).any():
            continue
        places = np.where(moved[:, None], (seen + photo.joints[person, :, :2]) / 2, seen)
        found = [[int(j), *(round(float(v), 1) for v in places[j])] for j in np.flatnonzero(added | moved)]
        rows.append([photo.id, int(person), found])
    return rows
