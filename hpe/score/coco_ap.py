"""Average precision of poses: COCO's keypoint evaluation (Lin et al., ECCV 2014), by pycocotools.

K people found, P people labelled, J keypoints.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.pose.boxes import AREA_OF_BOX
from hpe.pose.skeleton import COCO_JOINTS

NAMES: Final[tuple[str, ...]] = ("AP", "AP50", "AP75", "medium", "large", "AR")
# COCO's standard deviations of where annotators put its 17 keypoints, in shares of the square root of a person's area.
COCO_SIGMAS: Final[NDArray[np.float64]] = (
    np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
)
# Of COCO's 17: all, and those of the limbs.
WHOLE: Final[tuple[int, ...]] = tuple(range(len(COCO_JOINTS)))
LIMBS: Final[tuple[int, ...]] = WHOLE[5:]


@dataclass(frozen=True)
class Truth:
    """The people of one photo: boxes: (P, 4) px. ignore: (P,) bool. keypoints: (P, 17, 3) x, y, labelled, COCO's."""

    boxes: NDArray[np.floating]
    ignore: NDArray[np.bool_]
    keypoints: NDArray[np.floating]


@dataclass(frozen=True)
class Answer:
    """What is said of one photo: keypoints: (K, 17, 2) px in COCO's order. scores: (K,), which rank the people."""

    keypoints: NDArray[np.floating]
    scores: NDArray[np.floating]


def keypoint_ap(
    answers: Sequence[Answer], truths: Sequence[Truth], keypoints: tuple[int, ...] = WHOLE
) -> dict[str, float]:
    """-> percent by NAMES, over the chosen ones of COCO's 17 keypoints. A person's area: 0.53 of the box's.

    People without labelled keypoints among the chosen ones and areas to ignore are ignored, as COCO does. `medium` and
    `large` are COCO's areas: 32 to 96 px squared, and more.
    """
    results = [
        _row(number, points[list(keypoints)], float(score))
        for number, answer in enumerate(answers, 1)
        for points, score in zip(answer.keypoints, answer.scores, strict=True)
    ]
    if not results:
        return dict.fromkeys(NAMES, 0.0)
    images = list(range(1, len(truths) + 1))
    content = {
        "images": [{"id": number} for number in images],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": _annotations(truths, list(keypoints)),
    }
    stats = keypoint_stats(content, results, images, COCO_SIGMAS[list(keypoints)])
    return named(stats)


def named(stats: NDArray[np.float64]) -> dict[str, float]:
    """COCOeval's figures -> percent by NAMES, nan where there are no such people."""
    values = np.where(stats[: len(NAMES)] < 0, np.nan, 100 * stats[: len(NAMES)])
    return {name: float(value) for name, value in zip(NAMES, values, strict=True)}


def _row(image: int, points: NDArray[np.floating], score: float) -> dict[str, Any]:
    flat = np.concatenate([points, np.ones((len(points), 1))], axis=1).ravel().tolist()
    return {"image_id": image, "category_id": 1, "keypoints": flat, "score": score}


def _annotations(truths: Sequence[Truth], chosen: list[int]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for image, truth in enumerate(truths, 1):
        for box, ignore, keypoints in zip(truth.boxes, truth.ignore, truth.keypoints, strict=True):
            flags = keypoints[chosen].astype(np.float64)
            flags[:, 2] = 2 * (flags[:, 2] > 0) * (not ignore)
            flags[flags[:, 2] == 0] = 0
            width, height = (float(v) for v in box[2:] - box[:2])
            rows.append(
                {
                    "id": len(rows) + 1,
                    "image_id": image,
                    "category_id": 1,
                    "bbox": [float(box[0]), float(box[1]), width, height],
                    "area": AREA_OF_BOX * width * height,
                    "iscrowd": int(ignore),
                    "keypoints": flags.ravel().tolist(),
                    "num_keypoints": int((flags[:, 2] > 0).sum()),
                }
            )
    return rows


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
