"""A plan and its pictures -> one training example, on the CPU with OpenCV."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.pose.crops import MARGIN, PAD_RGB, Affine, crop_affine, warp
from hpe.pose.heatmaps import STRIDE, encode_joints
from hpe.pose.skeleton import NUM_JOINTS
from hpe.train.config import Augmentation
from hpe.train.plan import Plan, Rng
from hpe.train.samples import Sample

Image = NDArray[np.uint8]


def training_example(
    plan: Plan, image: Image, scenery: Image | None, size: int, sigma: float, settings: Augmentation, rng: Rng
) -> tuple[Image, NDArray[np.float32], NDArray[np.float32]]:
    """-> (size, size, 3) uint8 RGB, (16, size/4, size/4) float32 targets, (16,) float32 weights.

    scenery is the picture that `plan.behind` refers to.
    """
    crop = degrade(draw_plan(plan, image, scenery, size), settings, rng)
    if plan.empty:  # "nobody here": empty targets that count
        cells = size // STRIDE
        return crop, np.zeros((NUM_JOINTS, cells, cells), np.float32), plan.weights
    targets, weights = encode_joints(plan.points, plan.weights, size, sigma)
    return crop, targets, plan.weights if settings.empty_outside else weights


def draw_plan(plan: Plan, image: Image, scenery: Image | None, size: int) -> Image:
    """The picture through the plan's affine, over the scenery or the padding -> (size, size, 3) uint8 RGB."""
    canvas = np.full((size, size, 3), PAD_RGB, np.uint8)
    if scenery is not None and plan.behind is not None:
        cv2.warpAffine(scenery, plan.behind, (size, size), dst=canvas, borderMode=cv2.BORDER_REPLICATE)
    cv2.warpAffine(image, plan.affine, (size, size), dst=canvas, borderMode=cv2.BORDER_TRANSPARENT)
    return canvas


def degrade(crop: Image, settings: Augmentation, rng: Rng) -> Image:
    """Colour, grey, blur, JPEG artefacts and occlusion on a (S, S, 3) uint8 RGB crop -> a new one."""
    out = _recolour(crop, settings.colour, rng)
    if rng.random() < settings.grey_p:
        out = _u8(cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))
    if rng.random() < settings.blur_p:
        out = _u8(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.5)))
    if rng.random() < settings.jpeg_p:
        # both ways as if it were BGR: which channel is which matters little to the artefacts
        _, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 60))])
        out = _u8(cv2.imdecode(data, cv2.IMREAD_COLOR))
    if rng.random() < settings.occlude_p:
        _occlude(out, rng)
    return out


def _u8(image: object) -> Image:
    """OpenCV's results are typed as any number; these are bytes."""
    return np.asarray(image, dtype=np.uint8)


def _recolour(crop: Image, strength: float, rng: Rng) -> Image:
    """Contrast, brightness, colour cast and gamma as one look-up table a channel."""
    levels = np.arange(256, dtype=np.float32) / 255
    gamma = np.exp(rng.uniform(-strength, strength))
    gain = np.exp(rng.uniform(-strength, strength)) * np.exp(rng.uniform(-strength / 3, strength / 3, 3))
    offset = rng.uniform(-strength, strength) * 0.4
    table = np.clip(gain[None, :] * (levels**gamma)[:, None] + offset, 0, 1) * 255
    return _u8(cv2.LUT(crop, np.rint(table[None]).astype(np.uint8)))


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
    """The evaluation crop, by the product's own preprocessing: centred on the box with the usual margin."""
    affine = crop_affine(sample.box, size, MARGIN)
    return warp(image, affine, size), affine
