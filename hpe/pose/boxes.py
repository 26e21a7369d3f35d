"""People's boxes <-> the locator's maps, and which of overlapping boxes and poses stay.

Convention: boxes are x0, y0, x1, y1 in px with pixel centres at integers; map coordinate = network px / stride, with
no half-cell shift, as in `heatmaps.py`. Objects as Points (Zhou, Wang, Krähenbühl 2019, arXiv 1904.07850) is the
method. Centres are not rounded, so there are no offset maps; sizes are shares of the longer side of the frames trained
in, so that all three maps lie in 0..1 and share one int8 scale.

K people, J joints.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.crops import Affine, scale_of, undo_affine
from hpe.pose.heatmaps import STRIDE
from hpe.pose.logistic import logit, sigmoid
from hpe.pose.skeleton import NUM_KEYPOINTS, plain_name

Boxes = NDArray[np.float64]

# The centre map's value v is the logit of the score, brought into the range of the sizes: score = sigmoid(12 v - 6).
LOGIT_SLOPE: Final[float] = 12.0
LOGIT_INTERCEPT: Final[float] = -6.0
# Of a box's sides: the targets' Gaussians.
SIGMA: Final[float] = 0.12
MIN_SIGMA: Final[float] = 1.0  # cells: narrower peaks fall between the cells
IOU: Final[float] = 0.6
# More peaks than this are noise; the best are taken.
MAX_PEAKS: Final[int] = 100
# Least side of a box that is worth a crop, image px.
MIN_SIDE_PX: Final[float] = 2.0

# COCO's standard deviations of where annotators put a joint, in shares of the square root of the person's area; of
# MPII's joints that COCO lacks, the trunk's as its hip, head and neck as its shoulder.
_OKS_SIGMAS: Final[dict[str, float]] = {
    "ankle": 0.089,
    "knee": 0.087,
    "hip": 0.107,
    "pelvis": 0.107,
    "thorax": 0.079,
    "upper_neck": 0.079,
    "head_top": 0.079,
    "wrist": 0.062,
    "elbow": 0.072,
    "shoulder": 0.079,
    "nose": 0.026,
    "eye": 0.025,
    "ear": 0.035,
}
OKS_SIGMAS: Final[NDArray[np.float64]] = np.array([_OKS_SIGMAS[plain_name(j)] for j in range(NUM_KEYPOINTS)])
# A person's area over that of their box, in COCO's annotations.
AREA_OF_BOX: Final[float] = 0.53
# Two poses are one person's from this OKS on. Two people who hug have about 0.4.
SAME_PERSON: Final[float] = 0.7


def decode_boxes(
    maps: NDArray[np.floating],
    affine: Affine,
    picture: tuple[int, int],
    unit: int,
    threshold: float,
    max_people: int,
    *,
    iou: float = IOU,
    slope: float = LOGIT_SLOPE,
    intercept: float = LOGIT_INTERCEPT,
) -> tuple[Boxes, NDArray[np.float64]]:
    """(3, h, w) maps, the picture's map to network px and its (height, width) -> (K, 4) float64 image px, (K,) scores.

    Best first, at most `max_people`, clipped to the picture. A person is a local maximum of the centre map v whose
    score, sigmoid(slope v + intercept), is at least `threshold`; of boxes that overlap by more than `iou` the best
    stays.
    """
    values = np.ascontiguousarray(maps[0], dtype=np.float32)
    least = (float(logit(threshold, 1e-9)) - intercept) / slope
    highest = cv2.dilate(values, np.ones((3, 3), np.uint8))
    ys, xs = np.nonzero((values == highest) & (values >= least))
    best = np.argsort(-values[ys, xs], kind="stable")[:MAX_PEAKS]
    ys, xs = ys[best], xs[best]
    centres = np.stack([xs + _step(values, ys, xs, 1), ys + _step(values, ys, xs, 0)], axis=1)
    sides = _sample(maps[1:3], centres).T * unit
    middle = undo_affine(centres * STRIDE, affine)
    half = np.maximum(sides, 0.0) / scale_of(affine) / 2
    boxes = clipped(np.concatenate([middle - half, middle + half], axis=1), picture)
    scores = sigmoid(slope * values[ys, xs].astype(np.float64) + intercept)
    whole = np.flatnonzero((boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= MIN_SIDE_PX)
    kept = whole[nms(boxes[whole], scores[whole], iou)][:max_people]
    return boxes[kept], scores[kept]


def _step(values: NDArray[np.float32], ys: NDArray[np.intp], xs: NDArray[np.intp], axis: int) -> NDArray[np.float64]:
    """From each peak's cell to the top of the parabola through it and its two neighbours along an axis, in cells."""
    at = ys if axis == 0 else xs
    inner = (at > 0) & (at < values.shape[axis] - 1)
    dy, dx = (1, 0) if axis == 0 else (0, 1)
    before = values[ys - dy * inner, xs - dx * inner].astype(np.float64)
    after = values[ys + dy * inner, xs + dx * inner].astype(np.float64)
    curve = 2 * values[ys, xs] - before - after
    return np.where(curve > 1e-9, np.clip((after - before) / (2 * np.maximum(curve, 1e-9)), -0.5, 0.5), 0.0)


def _sample(channels: NDArray[np.floating], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(C, h, w), (K, 2) x, y in cells -> (C, K) float64 by bilinear interpolation."""
    last = np.array(channels.shape[:0:-1]) - 1  # x, y
    low = np.floor(points).astype(int)
    (x0, y0), (x1, y1) = np.clip(low, 0, last).T, np.clip(low + 1, 0, last).T
    fx, fy = np.clip(points - np.clip(low, 0, last), 0, 1).T
    upper = channels[:, y0, x0] * (1 - fx) + channels[:, y0, x1] * fx
    lower = channels[:, y1, x0] * (1 - fx) + channels[:, y1, x1] * fx
    return np.asarray(upper * (1 - fy) + lower * fy, dtype=np.float64)


def clipped(boxes: NDArray[np.floating], picture: tuple[int, int]) -> Boxes:
    """(K, 4) boxes in px, cut to a picture of (height, width): from -0.5 to its sides less 0.5."""
    height, width = picture
    edge = np.array([width, height, width, height]) - 0.5
    return np.clip(np.asarray(boxes, dtype=np.float64), -0.5, edge)


def scaled_boxes(boxes: NDArray[np.floating], factor_x: float, factor_y: float) -> Boxes:
    """(K, 4) boxes in px -> the same in a picture that is `factor` times as large; pixel centres at integers."""
    scaled: Boxes = (np.asarray(boxes, dtype=np.float64) + 0.5) * np.array([factor_x, factor_y] * 2) - 0.5
    return scaled


def box_iou(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """(M, 4), (N, 4) boxes -> (M, N) float64 intersection over union; 0 for boxes without extent."""
    return overlaps(a, b)[0]


def overlaps(a: NDArray[np.floating], b: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(M, 4), (N, 4) boxes -> (M, N) float64 intersection over union, and (M, N) intersection over the area of a."""
    a, b = np.asarray(a, dtype=np.float64).reshape(-1, 4), np.asarray(b, dtype=np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    area_a, area_b = (np.clip(box[:, 2:] - box[:, :2], 0, None).prod(axis=1) for box in (a, b))
    union = area_a[:, None] + area_b[None] - common
    return np.asarray(common / np.maximum(union, 1e-12)), np.asarray(common / np.maximum(area_a, 1e-12)[:, None])


def nms(boxes: NDArray[np.floating], scores: NDArray[np.floating], iou: float = IOU) -> NDArray[np.intp]:
    """(K, 4), (K,) -> indices of the boxes that stay, best first: none overlaps a better one by more than `iou`."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    return order[_first_of_alike(box_iou(boxes, boxes)[np.ix_(order, order)] > iou)]


def oks(points: NDArray[np.floating], known: NDArray[np.bool_], areas: NDArray[np.floating]) -> NDArray[np.float64]:
    """(K, J, 2) image px, (K, J) bool, (K,) px^2 -> (K, K) float64 object keypoint similarity of poses to each other.

    Over the joints that both know, 0 where there is none; the larger of the two areas counts, so that it is symmetric.
    """
    points = np.asarray(points, dtype=np.float64)
    apart = ((points[:, None] - points[None]) ** 2).sum(axis=3)
    area = np.maximum(np.maximum(areas[:, None], areas[None]), 1e-9)[..., None]
    alike = np.exp(-apart / (2 * area * (2 * OKS_SIGMAS[: points.shape[1]]) ** 2))
    both = known[:, None] & known[None]
    return np.asarray((alike * both).sum(axis=2) / np.maximum(both.sum(axis=2), 1))


def one_each(
    points: NDArray[np.floating],
    known: NDArray[np.bool_],
    boxes: NDArray[np.floating],
    scores: NDArray[np.floating],
    same: float = SAME_PERSON,
) -> NDArray[np.intp]:
    """(K, J, 2) image px, (K, J) bool, (K, 4), (K,) person scores -> indices of the poses that stay, best first.

    Of poses on one person (OKS of at least `same`) the one with the higher score stays.
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    areas = AREA_OF_BOX * (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    order = np.argsort(-np.asarray(scores), kind="stable")
    return order[_first_of_alike(oks(points, known, areas)[np.ix_(order, order)] >= same)]


def _first_of_alike(alike: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(K, K) bool, best first -> indices that stay: each drops those after it that are alike."""
    alive = np.ones(len(alike), dtype=np.bool_)
    for index in range(len(alike)):
        if alive[index]:
            alive[index + 1 :] &= ~alike[index, index + 1 :]
    return np.flatnonzero(alive)
