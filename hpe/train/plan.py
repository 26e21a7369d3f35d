"""Where each training example is cut from: the random geometry, shared by the OpenCV and the GPU augmentation."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.crops import Affine, apply_affine, crop_affine
from hpe.pose.skeleton import FLIP_ORDER, INDEX, LOWER_BODY, UPPER_BODY
from hpe.train.config import Augmentation
from hpe.train.samples import Sample, tight_box

Rng = np.random.Generator
HEAD: Final = (INDEX["upper_neck"], INDEX["head_top"])
MIN_PORTRAIT_PX: Final = 16  # side of a head and shoulders worth enlarging


@dataclass(frozen=True)
class Plan:
    """How one example is made. affine: (2, 3) sample px -> network px, mirrored where the example is.

    points: (16, 2) float64 network px and weights: (16,) float32, both in the joint order of the finished
    example. empty: nobody is in it. behind: (2, 3) map of the scenery photo that fills the frame outside the
    sample's picture, or None for the usual padding.
    """

    affine: Affine
    points: NDArray[np.float64]
    weights: NDArray[np.float32]
    empty: bool
    behind: Affine | None = None


def plan_example(sample: Sample, size: int, settings: Augmentation, rng: Rng, scenery: Sample | None = None) -> Plan:
    """A crop round the person, or half of them, or a portrait: rotated, scaled, shifted, mirrored; or far and small.

    `scenery`, a photo without people, is set behind the sample's picture. A small person framed in padding
    would give their place away by the frame alone.
    """
    affine = random_affine(sample, size, settings, rng)
    flip = rng.random() < settings.flip_p
    if flip:
        affine = np.array([[-1.0, 0.0], [0.0, 1.0]]) @ affine + np.array([[0, 0, size - 1.0], [0, 0, 0]])
    points = apply_affine(sample.points, affine)
    weights = sample.labelled.astype(np.float32)
    if flip:  # what was the left wrist looks like a right wrist in the mirror
        points, weights = points[list(FLIP_ORDER)], weights[list(FLIP_ORDER)]
    behind = None if scenery is None else _window(scenery.box, size, rng)
    return Plan(affine, points, weights, sample.empty, behind)


def _window(box: NDArray[np.float32], size: int, rng: Rng) -> Affine:
    """A random square of a photo without people, filling the frame."""
    width, height = (float(v) for v in box[2:] - box[:2])
    side = min(width, height) * rng.uniform(0.5, 1.0)
    corner = np.array([rng.uniform(0, width - side), rng.uniform(0, height - side)])
    scale = size / side
    return np.hstack([np.eye(2) * scale, ((0.5 - corner) * scale - 0.5)[:, None]])


def random_affine(sample: Sample, size: int, settings: Augmentation, rng: Rng) -> Affine:
    """-> (2, 3) sample px -> network px, before mirroring."""
    box = np.asarray(sample.box, dtype=np.float64)
    if sample.empty:
        return _empty_window(box, size, settings, rng)
    half = rng.random() < settings.half_body_p
    if half:
        box = _half_body_box(sample, rng, box)
    elif (
        settings.portrait_p and rng.random() < settings.portrait_p
    ):  # no draw where there are none: old runs stay exact
        half, box = True, _portrait_box(sample, box)
    scale = rng.uniform(*settings.scale)
    shift = rng.uniform(-settings.shift, settings.shift, 2)
    if not half and rng.random() < settings.small_p:
        scale = rng.uniform(*settings.small_scale)
        room = max(0.0, (1 - scale) / 2)
        shift = rng.uniform(-room, room, 2)
    return _turned(crop_affine(box, size), size, _angle(settings, rng), scale, shift)


def _angle(settings: Augmentation, rng: Rng) -> float:
    """Degrees; normally distributed, cut at two standard deviations (Xiao et al.)."""
    if rng.random() >= settings.rotation_p:
        return 0.0
    return float(np.clip(rng.normal(0, settings.rotation_deg), -2 * settings.rotation_deg, 2 * settings.rotation_deg))


def _turned(affine: Affine, size: int, angle_deg: float, scale: float, shift: NDArray[np.floating]) -> Affine:
    """`affine`, then rotation and scale round the frame's centre, then a shift in shares of the frame."""
    centre = (size - 1) / 2
    turn = cv2.getRotationMatrix2D((centre, centre), angle_deg, scale).astype(np.float64)
    turn[:, 2] += shift * size
    return np.asarray(turn @ np.vstack([affine, [0.0, 0.0, 1.0]]), dtype=np.float64)


def _half_body_box(sample: Sample, rng: Rng, box: NDArray[np.float64]) -> NDArray[np.float64]:
    half = UPPER_BODY if rng.random() < 0.5 else LOWER_BODY
    chosen = np.zeros_like(sample.labelled)
    chosen[list(half)] = sample.labelled[list(half)]
    if chosen.sum() < 4:
        return box
    return tight_box(sample.points, chosen).astype(np.float64)


def _portrait_box(sample: Sample, box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Head and shoulders. Where the head is unlabelled, the shoulders' breadth above them is left for it."""
    right, left, thorax, pelvis = (INDEX[name] for name in ("right_shoulder", "left_shoulder", "thorax", "pelvis"))
    if not sample.labelled[[right, left]].all():
        return box
    points = [sample.points[j] for j in (right, left, *HEAD) if sample.labelled[j]]
    breadth = float(np.linalg.norm(sample.points[right] - sample.points[left]))
    up = sample.points[thorax] - sample.points[pelvis]
    up = up if sample.labelled[pelvis] and np.any(up) else np.array([0.0, -1.0])
    points.append(sample.points[thorax] + up / np.linalg.norm(up) * breadth)
    corners = np.concatenate([np.min(points, axis=0), np.max(points, axis=0)]).astype(np.float64)
    return corners if min(corners[2:] - corners[:2]) > MIN_PORTRAIT_PX else box


def _empty_window(box: NDArray[np.float64], size: int, settings: Augmentation, rng: Rng) -> Affine:
    extent = box[2:] - box[:2]
    side = float(min(extent)) * rng.uniform(0.4, 1.0)
    corner = box[:2] + rng.uniform(0, 1, 2) * np.maximum(extent - side, 0)
    window = np.concatenate([corner, corner + side])
    return _turned(crop_affine(window, size, 1.0), size, _angle(settings, rng) / 3, rng.uniform(0.6, 1.2), np.zeros(2))
