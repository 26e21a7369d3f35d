"""OKS AP on a file of COCO's format: the pose network in the annotated boxes."""

import copy
from pathlib import Path
from typing import Any, Final

import numpy as np

from hpe.measure.protocols import Predictions
from hpe.pose.skeleton import COCO_JOINTS
from hpe.score.coco_ap import NAMES, keypoint_stats
from hpe.train.data.coco import SHARED
from hpe.train.data.files import read_json
from hpe.train.data.samples import Sample

PERSON: Final[int] = 1


def oks_ap(annotations: Path, samples: list[Sample], predictions: Predictions) -> dict[str, float]:
    """-> percent by name. People's boxes are the annotated ones: an upper bound for a detector's.

    COCO's five face joints, which the network does not know, are taken out of the ground truth; people who
    have none of the twelve left are ignored, as COCO does with people without keypoints.
    """
    truth = _body_only(read_json(annotations), {s.id for s in samples})
    images = sorted({int(s.id.split("/")[1]) for s in samples})
    stats = keypoint_stats(truth, _results(samples, predictions), images)
    return {name: 100 * float(value) for name, value in zip(NAMES, stats[: len(NAMES)], strict=True)}


def _body_only(content: dict[str, Any], chosen: set[str]) -> dict[str, Any]:
    """The annotations without face joints; people who were not predicted (too few joints) to be ignored."""
    content = copy.deepcopy(content)
    known = {theirs for theirs, _ in SHARED}
    for row in content["annotations"]:
        flags = np.array(row["keypoints"]).reshape(-1, 3)
        flags[[i for i in range(len(COCO_JOINTS)) if i not in known]] = 0
        row["keypoints"] = flags.ravel().tolist()
        predicted = f"coco/{row['image_id']}/{row['id']}" in chosen
        row["num_keypoints"] = int((flags[:, 2] > 0).sum()) if predicted or row.get("iscrowd") else 0
    return content


def _results(samples: list[Sample], predictions: Predictions) -> list[dict[str, Any]]:
    rows = []
    for sample, points, scores in zip(samples, predictions.points, predictions.scores, strict=True):
        keypoints = np.zeros((len(COCO_JOINTS), 3))
        for theirs, ours in SHARED:
            keypoints[theirs] = *points[ours], 1
        score = float(np.mean([scores[ours] for _, ours in SHARED]))
        image_id = int(sample.id.split("/")[1])
        row = {"image_id": image_id, "category_id": PERSON, "keypoints": keypoints.ravel().tolist(), "score": score}
        rows.append(row)
    return rows
