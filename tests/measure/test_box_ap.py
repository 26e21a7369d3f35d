"""Average precision of boxes: COCO's own, where COCO has the same rules."""

import contextlib
import io
from dataclasses import dataclass

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hpe.score.box_ap import box_ap


@dataclass(frozen=True)
class Photo:
    boxes: np.ndarray
    ignore: np.ndarray


def crowd(seed: int, photos: int = 12) -> tuple[list[np.ndarray], list[Photo]]:
    """Photos of people, and boxes found: near them, twice on one, missed, false."""
    rng = np.random.default_rng(seed)
    found, labelled = [], []
    for _ in range(photos):
        low = rng.uniform(0, 300, (rng.integers(1, 6), 2))
        boxes = np.concatenate([low, low + rng.uniform(30, 150, low.shape)], axis=1)
        near = boxes[rng.random(len(boxes)) > 0.2] + 0
        near = np.concatenate([near, near[:1]]) + rng.normal(0, 9, (len(near) + len(near[:1]), 4))
        low = rng.uniform(0, 300, (rng.integers(0, 3), 2))
        false = np.concatenate([low, low + rng.uniform(30, 150, low.shape)], axis=1)
        everything = np.concatenate([near, false])
        found.append(np.concatenate([everything, rng.permutation(len(everything))[:, None] / 20 + 0.01], axis=1))
        labelled.append(Photo(boxes, np.zeros(len(boxes), np.bool_)))
    return found, labelled


def coco_ap(found: list[np.ndarray], photos: list[Photo], iou: float) -> float:
    rows = [(i, box) for i, photo in enumerate(photos) for box in photo.boxes.tolist()]
    annotations = [
        {"id": n + 1, "image_id": i, "category_id": 1, "iscrowd": 0, "bbox": [x0, y0, x1 - x0, y1 - y0],
         "area": (x1 - x0) * (y1 - y0)}
        for n, (i, (x0, y0, x1, y1)) in enumerate(rows)
    ]  # fmt: skip
    truth = COCO()
    truth.dataset = {
        "info": {}, "images": [{"id": i} for i in range(len(photos))],
        "annotations": annotations, "categories": [{"id": 1}],
    }  # fmt: skip
    results = [
        {"image_id": i, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0], "score": score}
        for i, boxes in enumerate(found) for x0, y0, x1, y1, score in boxes.tolist()
    ]  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(results), "bbox")
        run.params.iouThrs = np.array([iou])
        run.evaluate()
        run.accumulate()
    return 100 * float(run.eval["precision"][0, :, 0, 0, 2].mean())


@pytest.mark.parametrize("iou", [0.5, 0.75])
def test_it_is_pycocotools(iou: float) -> None:
    for seed in range(3):
        found, photos = crowd(seed)
        ours = box_ap(found, photos, iou)
        assert 5 < ours < 95
        assert ours == pytest.approx(coco_ap(found, photos, iou), abs=0.3)


def test_people_to_ignore_and_small_ones_count_neither_way() -> None:
    boxes = np.array([[0, 0, 50, 100], [100, 0, 150, 100], [200, 0, 210, 20]], float)
    photo = Photo(boxes, np.array([False, True, False]))
    right = np.array([[0, 0, 50, 100, 0.5]])
    # in the area to ignore, and on a person smaller than counts: neither is false
    beside = np.array([[110, 10, 140, 60, 0.9], [200, 0, 210, 20, 0.9]])
    assert box_ap([np.concatenate([right, beside])], [photo], least_px=32) == pytest.approx(100)
    assert box_ap([right], [photo], least_px=0) < 60
    false = np.array([[300, 300, 400, 400, 0.9]])
    assert box_ap([np.concatenate([right, false])], [photo], least_px=32) == pytest.approx(50)


def test_one_person_found_twice_is_right_once() -> None:
    photo = Photo(np.array([[0, 0, 50, 100]], float), np.array([False]))
    twice = np.array([[0, 0, 50, 100, 0.9], [1, 0, 51, 100, 0.8]])
    assert box_ap([twice], [photo]) == pytest.approx(100)
    assert box_ap([twice, np.zeros((0, 5))], [photo, photo]) < 52
    assert np.isnan(box_ap([np.zeros((0, 5))], [Photo(np.zeros((0, 4)), np.zeros(0, np.bool_))]))
