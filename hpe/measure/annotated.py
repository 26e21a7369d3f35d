"""OKS AP on a file of COCO's format: the pose network in the annotated boxes."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from hpe.measure.protocols import Predictions
from hpe.pose.skeleton import COCO_JOINTS
from hpe.score.coco_ap import keypoint_stats, named
from hpe.train.data.coco import OURS, Annotated, read_annotations
from hpe.train.data.samples import Sample

PERSON: Final[int] = 1


def oks_ap(annotations: Path, samples: list[Sample], predictions: Predictions) -> dict[str, float]:
    """-> percent by name. People's boxes are the annotated ones: an upper bound for a detector's.

    If the network does not know COCO's five points of the face, they are taken out of the ground truth; people who
    have no others are ignored, as COCO does with people without keypoints.
    """
    known = [(theirs, ours) for theirs, ours in enumerate(OURS) if ours < predictions.points.shape[1]]
    chosen = {sample.id for sample in samples}
    people = read_annotations(annotations)
    # photos are numbered anew: tools write ids of any kind
    photos = {one.image_id: number for number, one in enumerate(people, 1)}
    photo_of = {one.name: photos[one.image_id] for one in people}
    truth = {
        "images": [{"id": number} for number in photos.values()],
        "categories": [{"id": PERSON, "name": "person"}],
        "annotations": [_row(one, number, photos, known, one.name in chosen) for number, one in enumerate(people, 1)],
    }
    images = sorted({photo_of[name] for name in chosen})
    stats = keypoint_stats(truth, _results(samples, predictions, photo_of, known), images)
    return named(stats)


def _row(
    one: Annotated, number: int, photos: dict[int | str, int], known: list[tuple[int, int]], predicted: bool
) -> dict[str, Any]:
    """With the known keypoints; people who were not predicted (too few of them) are to be ignored."""
    keypoints = np.zeros((len(COCO_JOINTS), 3))
    for theirs, ours in known:
        keypoints[theirs] = one.keypoints[ours]
    x0, y0, x1, y1 = (float(v) for v in one.box)
    return {
        "id": number,
        "image_id": photos[one.image_id],
        "category_id": PERSON,
        "bbox": [x0, y0, x1 - x0 + 1, y1 - y0 + 1],
        "area": one.area,
        "iscrowd": int(one.crowd),
        "keypoints": keypoints.ravel().tolist(),
        "num_keypoints": int((keypoints[:, 2] > 0).sum()) if predicted or one.crowd else 0,
    }


def _results(
    samples: list[Sample], predictions: Predictions, photo_of: dict[str, int], known: list[tuple[int, int]]
) -> list[dict[str, Any]]:
    rows = []
    for sample, points, scores in zip(samples, predictions.points, predictions.scores, strict=True):
        keypoints = np.zeros((len(COCO_JOINTS), 3))
        for theirs, ours in known:
            keypoints[theirs] = *points[ours], 1
        score = float(np.mean([scores[ours] for _, ours in known]))
        row = {"image_id": photo_of[sample.id], "category_id": PERSON, "keypoints": keypoints.ravel().tolist()}
        rows.append({**row, "score": score})
    return rows
