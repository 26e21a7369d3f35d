"""OKS AP through pycocotools, over the 12 joints that COCO shares with this project's 16."""

import contextlib
import copy
import io
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.measure.protocols import Predictions
from hpe.train.data.coco import COCO_JOINTS, SHARED
from hpe.train.data.files import read_json
from hpe.train.data.samples import Sample

NAMES: Final[tuple[str, ...]] = ("AP", "AP50", "AP75", "AP (medium)", "AP (large)", "AR")
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


def keypoint_stats(
    truth: dict[str, Any], results: list[dict[str, Any]], images: list[int], sigmas: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """COCOeval's ten figures of keypoints, 0..1: AP, AP50, AP75, AP of medium and of large people, and five recalls.

    truth: a data set in COCO's format. results: its results format, not empty. sigmas: of the keypoints, None for
    COCO's own 17.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):  # it prints a page
        labelled = COCO()
        labelled.dataset = truth
        labelled.createIndex()
        evaluation = COCOeval(labelled, labelled.loadRes(results), "keypoints")
        evaluation.params.imgIds = images
        if sigmas is not None:
            evaluation.params.kpt_oks_sigmas = sigmas
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return np.asarray(evaluation.stats)


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
