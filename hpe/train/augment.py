"""One sample -> one augmented training example, on the CPU with OpenCV."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.heatmaps import encode_joints
from hpe.pose.preprocess import MARGIN, PAD_RGB, Affine, apply_affine, crop_affine
from hpe.pose.skeleton import FLIP_ORDER, LOWER_BODY, UPPER_BODY
from hpe.train.config import Augmentation
from hpe.train.samples import Sample, tight_box

Rng = np.random.Generator
Image = NDArray[np.uint8]


def training_example(
    sample: Sample,
    image: Image,
    size: int,
    sigma: float,
    settings: Augmentation,
    rng: Rng,
    scenery: Image | None = None,
) -> tuple[Image, NDArray[np.float32], NDArray[np.float32]]:
    """-> (size, size, 3) uint8 RGB, (16, size/4, size/4) float32 targets, (16,) float32 weights.

    `scenery`, a photo without people, fills what lies outside the sample's picture; without it the usual
    padding does. A small person framed in padding would give their place away by the frame alone.
    """
    affine = random_affine(sample, size, settings, rng)
    flip = rng.random() < settings.flip_p
    if flip:
        affine = np.array([[-1.0, 0.0], [0.0, 1.0]]) @ affine + np.array([[0, 0, size - 1.0], [0, 0, 0]])
    crop = _warp_onto(image, affine, size, scenery, rng)
    crop = degrade(crop, settings, rng)
    if sample.empty:
        cells = size // 4
        return crop, np.zeros((len(FLIP_ORDER), cells, cells), np.float32), np.ones(len(FLIP_ORDER), np.float32)
    points = apply_affine(sample.points, affine)
    weights = sample.labelled.astype(np.float32)
    if flip:
        points, weights = points[list(FLIP_ORDER)], weights[list(FLIP_ORDER)]
    targets, weights = encode_joints(points, weights, size, sigma)
    return crop, targets, weights


def _warp_onto(image: Image, affine: Affine, size: int, scenery: Image | None, rng: Rng) -> Image:
    if scenery is None:
        canvas = np.full((size, size, 3), PAD_RGB, np.uint8)
    else:
        height, width = scenery.shape[:2]
        side = int(min(height, width) * rng.uniform(0.5, 1.0))
        y, x = int(rng.integers(0, height - side + 1)), int(rng.integers(0, width - side + 1))
        canvas = np.ascontiguousarray(cv2.resize(scenery[y : y + side, x : x + side], (size, size)))
    cv2.warpAffine(image, affine, (size, size), dst=canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    return canvas


def random_affine(sample: Sample, size: int, settings: Augmentation, rng: Rng) -> Affine:
    """A crop round the person (or half of them), rotated, scaled and shifted at random; sometimes far and small."""
    box = np.asarray(sample.box, dtype=np.float64)
    if sample.empty:
        return _random_window(box, size, settings, rng)
    half = rng.random() < settings.half_body_p
    if half:
        box = _half_body_box(sample, rng, box)
    scale = rng.uniform(*settings.scale)
    shift = rng.uniform(-settings.shift, settings.shift, 2)
    if not half and rng.random() < settings.small_p:
        scale = rng.uniform(*settings.small_scale)
        room = max(0.0, (1 - scale) / 2)
        shift = rng.uniform(-room, room, 2)
    return _rotated(crop_affine(box, size), size, _angle(settings, rng), scale, shift)


def _angle(settings: Augmentation, rng: Rng) -> float:
    if rng.random() >= settings.rotation_p:
        return 0.0
    return float(np.clip(rng.normal(0, settings.rotation_deg), -2 * settings.rotation_deg, 2 * settings.rotation_deg))


def _rotated(affine: Affine, size: int, angle_deg: float, scale: float, shift: NDArray[np.floating]) -> Affine:
    """`affine`, then rotation and scale round the frame's centre, then a shift in shares of the frame."""
    centre = (size - 1) / 2
    turn = cv2.getRotationMatrix2D((centre, centre), angle_deg, scale).astype(np.float64)
    turn[:, 2] += shift * size
    full = np.vstack([affine, [0.0, 0.0, 1.0]])
    return np.asarray(turn @ full, dtype=np.float64)


def _half_body_box(sample: Sample, rng: Rng, box: NDArray[np.float64]) -> NDArray[np.float64]:
    half = UPPER_BODY if rng.random() < 0.5 else LOWER_BODY
    chosen = np.zeros_like(sample.labelled)
    chosen[list(half)] = sample.labelled[list(half)]
    if chosen.sum() < 4:
        return box
    return tight_box(sample.points, chosen).astype(np.float64)


def _random_window(box: NDArray[np.float64], size: int, settings: Augmentation, rng: Rng) -> Affine:
    extent = box[2:] - box[:2]
    side = float(min(extent)) * rng.uniform(0.4, 1.0)
    corner = box[:2] + rng.uniform(0, 1, 2) * np.maximum(extent - side, 0)
    window = np.concatenate([corner, corner + side])
    return _rotated(crop_affine(window, size, 1.0), size, _angle(settings, rng) / 3, rng.uniform(0.6, 1.2), np.zeros(2))


def degrade(crop: Image, settings: Augmentation, rng: Rng) -> Image:
    """Colour, grey, blur, JPEG artefacts and occlusion on a (S, S, 3) uint8 RGB crop -> a new one."""
    out = _recolour(crop, settings.colour, rng)
    if rng.random() < settings.grey_p:
        out = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < settings.blur_p:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.5))
    if rng.random() < settings.jpeg_p:
        _, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 60))])
        out = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if rng.random() < settings.occlude_p:
        _occlude(out, rng)
    return out.astype(np.uint8, copy=False)


def _recolour(crop: Image, strength: float, rng: Rng) -> Image:
    """Contrast, brightness, colour cast and gamma as one look-up table a channel."""
    levels = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(rng.uniform(-strength, strength))
    gain = np.exp(rng.uniform(-strength, strength)) * np.exp(rng.uniform(-strength / 3, strength / 3, 3))
    offset = rng.uniform(-strength, strength) * 0.4
    table = np.clip(gain[None, :] * (levels**gamma)[:, None] + offset, 0, 1) * 255
    return cv2.LUT(crop, table[None].astype(np.uint8)).astype(np.uint8, copy=False)


def _occlude(crop: Image, rng: Rng) -> None:
    """Covers one or two random rectangles with a flat colour or with another piece of the same crop (in place)."""
    size = crop.shape[0]
    for _ in range(int(rng.integers(1, 3))):
        h, w = (int(v) for v in rng.integers(size // 12, size // 4, 2))
        y, x = int(rng.integers(0, size - h)), int(rng.integers(0, size - w))
        if rng.random() < 0.5:
            crop[y : y + h, x : x + w] = rng.integers(0, 256, 3)
        else:
            sy, sx = int(rng.integers(0, size - h)), int(rng.integers(0, size - w))
            crop[y : y + h, x : x + w] = crop[sy : sy + h, sx : sx + w].copy()


def plain_crop(sample: Sample, image: Image, size: int) -> tuple[Image, Affine]:
    """The evaluation crop: centred on the box with the usual margin, unaugmented."""
    affine = crop_affine(sample.box, size, MARGIN)
    crop = cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=PAD_RGB
    )
    return crop.astype(np.uint8, copy=False), affine
