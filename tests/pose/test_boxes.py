"""Boxes to the locator's maps and back, and which of overlapping boxes and poses stay."""

import numpy as np
import pytest
from engine.stand_ins import encode_boxes
from hypothesis import given, settings
from hypothesis import strategies as st

from hpe.pose.boxes import box_iou, decode_boxes, nms, one_each
from hpe.pose.crops import fit_affine
from hpe.pose.skeleton import INDEX, NUM_JOINTS

LONGER = 416


def round_trip(boxes: np.ndarray, width: int, height: int, **options) -> tuple[np.ndarray, np.ndarray]:
    """(K, 4) image px -> maps -> the boxes found, and their scores."""
    affine, frame = fit_affine(width, height, LONGER)
    corners = boxes.reshape(-1, 2) @ affine[:, :2].T + affine[:, 2]
    maps, _ = encode_boxes(corners.reshape(-1, 4), frame, LONGER)
    return decode_boxes(maps, affine, (height, width), LONGER, **{"threshold": 0.5, "max_people": 20} | options)


def pairs(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The found boxes in the order of the wanted ones."""
    return found[box_iou(wanted, found).argmax(axis=1)]


@given(
    st.sampled_from([(640, 480), (300, 900), (416, 416), (4000, 3000), (197, 161)]),
    st.floats(0.08, 0.5),
    st.floats(0.15, 0.8),
    st.floats(0, 1),
    st.floats(0, 1),
)
@settings(max_examples=100, deadline=None)
def test_a_box_comes_back_from_its_maps(size, w, h, x, y):
    width, height = size
    w, h = w * width, h * height
    x0, y0 = x * (width - w) - 0.5, y * (height - h) - 0.5
    box = np.array([[x0, y0, x0 + w, y0 + h]])
    found, scores = round_trip(box, width, height)
    assert len(found) == 1
    # within 0.4 network px where the sides are exact and the centre is refined
    np.testing.assert_allclose(found, box, atol=0.4 * max(1, max(size) / LONGER))
    assert scores[0] > 0.9


def test_decoding_has_no_bias():
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(200):
        x0, y0 = rng.uniform(20, 250, 2)
        box = np.array([[x0, y0, x0 + rng.uniform(30, 120), y0 + rng.uniform(40, 120)]])
        errors.append(round_trip(box, 416, 416)[0] - box)
    assert np.abs(np.mean(errors, axis=(0, 1))).max() < 0.03  # a half-cell shift would show as 2 px


def test_many_people_come_back_best_first_and_at_most_as_many_as_asked_for():
    wanted = np.array([[40.0 * i + 5, 30.0 + 3 * i, 40.0 * i + 38, 130.0 + 3 * i] for i in range(10)])
    found, scores = round_trip(wanted, 416, 256)
    assert len(found) == 10
    assert (np.diff(scores) <= 0).all()
    np.testing.assert_allclose(pairs(found, wanted), wanted, atol=0.5)
    few, best = round_trip(wanted, 416, 256, max_people=3)
    np.testing.assert_array_equal(few, found[:3])
    np.testing.assert_array_equal(best, scores[:3])


def test_boxes_are_clipped_to_the_picture():
    # the lower half of the person lies outside
    found, _ = round_trip(np.array([[100.0, 150.0, 160.0, 330.0]]), 416, 256)
    np.testing.assert_allclose(found, [[100, 150, 160, 255.5]], atol=0.4)


@pytest.mark.parametrize(("width", "height"), [(416, 256), (1, 1), (5000, 3)])
def test_nobody_gives_no_boxes(width, height):
    affine, (rows, columns) = fit_affine(width, height, LONGER)
    maps = np.full((3, rows // 4, columns // 4), 0.1, np.float32)
    boxes, scores = decode_boxes(maps, affine, (height, width), LONGER, 0.3, 20)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


def test_the_threshold_is_of_the_score():
    affine, frame = fit_affine(416, 416, LONGER)
    maps, _ = encode_boxes(np.array([[100.0, 100.0, 200.0, 300.0]]), frame, LONGER)
    for score in (0.2, 0.6, 0.95):
        # the value whose score this is, at the centre's cell
        maps[0] *= (0.5 + np.log(score / (1 - score)) / 12) / maps[0].max()
        found, scores = decode_boxes(maps, affine, (416, 416), LONGER, score - 0.01, 20)
        assert scores == pytest.approx([score], abs=1e-5)
        assert len(found) == 1
        assert len(decode_boxes(maps, affine, (416, 416), LONGER, score + 0.01, 20)[0]) == 0


def test_intersection_over_union():
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [3, 3, 3, 3.0]])
    np.testing.assert_allclose(box_iou(boxes[:1], boxes), [[1, 1 / 3, 0, 0]])
    assert box_iou(boxes[3:], boxes[3:]) == 0


def test_of_overlapping_boxes_the_best_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [8, 0, 18, 10], [0, 1, 10, 11.0]])
    assert nms(boxes, np.array([0.5, 0.9, 0.4, 0.6])).tolist() == [1, 2]
    assert nms(boxes, np.array([0.5, 0.9, 0.4, 0.6]), iou=0.95).tolist() == [1, 3, 0, 2]
    assert nms(np.zeros((0, 4)), np.zeros(0)).tolist() == []


def person(x: float, y: float, tall: float = 100) -> np.ndarray:
    """(16, 2) px: a standing person's joints, more or less."""
    rng = np.random.default_rng(5)
    return np.array([x, y]) + rng.uniform([-0.2, -0.5], [0.2, 0.5], (NUM_JOINTS, 2)) * tall


def test_of_two_poses_on_one_person_the_better_stays():
    points = np.stack([person(100, 100), person(103, 101), person(160, 100)])
    known = np.ones((3, NUM_JOINTS), bool)
    boxes = np.stack([np.concatenate([p.min(axis=0), p.max(axis=0)]) for p in points])
    assert one_each(points, known, boxes, np.array([0.5, 0.8, 0.6])).tolist() == [1, 2]


def test_only_joints_that_both_poses_know_are_compared():
    points = np.stack([person(100, 100), person(101, 100)])
    known = np.ones((2, NUM_JOINTS), bool)
    boxes = np.stack([np.concatenate([p.min(axis=0), p.max(axis=0)]) for p in points])
    arm = [INDEX["left_wrist"], INDEX["left_elbow"]]
    points[1, arm] += 80  # elsewhere, and unsure
    known[1, arm] = False
    assert one_each(points, known, boxes, np.array([0.5, 0.8])).tolist() == [1]
    known[:] = [[True] * 8 + [False] * 8, [False] * 8 + [True] * 8]
    assert one_each(points, known, boxes, np.array([0.5, 0.8])).tolist() == [1, 0]
