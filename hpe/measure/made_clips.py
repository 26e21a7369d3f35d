"""Clips made from labelled photos by known motion, so that the truth of every frame is exact: pans, zooms, turns,
people at rest, and two people who cross, one behind the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.measure.found import coco_labels
from hpe.train.data.samples import Photo

FRAMES: Final = 45
FPS: Final = 30.0
MOVES: Final = ("pan", "zoom", "turn", "rest")
KINDS: Final = (*MOVES, "crossing")
_HEIGHT: Final = 360
# Standard deviation of a camera's noise, grey levels: new in every frame, it is what makes joints tremble.
_NOISE: Final = 4.0
# Of a person's box: how little in view or uncovered is too little to be counted.
_LEAST_VIEW: Final = 0.4
_LEAST_HEIGHT: Final = 0.3

Affine = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """One frame. K people, their number in the clip being their identity: boxes (K, 4) px, labels (K, 17, 3) px and 1
    where labelled, in COCO's order; ignore (K,) bool: too little of them is seen.
    """

    rgb: NDArray[np.uint8]
    boxes: NDArray[np.float64]
    labels: NDArray[np.float64]
    ignore: NDArray[np.bool_]


@dataclass(frozen=True)
class MadeClip:
    """kind: of KINDS. frames: makes them, one after another, the same every time."""

    name: str
    kind: str
    frames: Callable[[], Iterator[Truth]]

    def __len__(self) -> int:
        return FRAMES


def made_clips(photos: list[Photo], count: int) -> list[MadeClip]:
    """At most `count` clips of these photos, every other one a crossing; none of crowds or of small people."""
    crossings = count // 2
    clear: list[Photo] = []
    alone: list[Photo] = []
    for photo in photos:
        if (len(clear) < count - crossings or len(alone) < 2 * crossings) and _is_clear(photo):
            clear.append(photo)
            if len(photo.boxes) == 1:
                alone.append(photo)
    clips: list[MadeClip] = []
    for number in range(count):
        half = number // 2
        if number % 2:
            pair = alone[2 * half :][:2]
            if len(pair) == 2:
                clips.append(_crossing(pair[0], pair[1], number))
        elif clear:
            clips.append(_moving(clear[half % len(clear)], MOVES[half % len(MOVES)], number))
    return clips


def _is_clear(photo: Photo) -> bool:
    if not 1 <= len(photo.boxes) <= 4 or photo.ignore.any() or photo.squashed:
        return False
    if not (coco_labels(photo)[:, 5:, 2].sum(axis=1) >= 6).all():
        return False
    height = photo.image().shape[0]
    return bool(((photo.boxes[:, 3] - photo.boxes[:, 1]) >= _LEAST_HEIGHT * height).all())


def _moving(photo: Photo, kind: str, number: int) -> MadeClip:
    def frames() -> Iterator[Truth]:
        rgb, labels = photo.image(), coco_labels(photo).astype(np.float64)
        noise = np.random.default_rng(number)
        scale = _HEIGHT / rgb.shape[0]
        width = round(rgb.shape[1] * scale / 2) * 2
        for n in range(FRAMES):
            affine = _camera(kind, n / (FRAMES - 1), scale, width, 1 if number % 2 else -1)
            picture = cv2.warpAffine(rgb, affine, (width, _HEIGHT), borderMode=cv2.BORDER_REFLECT)
            boxes = _moved_boxes(photo.boxes.astype(np.float64), affine)
            seen = _clipped(boxes, width)
            ignore = _areas(seen) < _LEAST_VIEW * _areas(boxes)
            yield Truth(_noisy(np.asarray(picture, np.uint8), noise), seen, _moved(labels, affine, width), ignore)

    return MadeClip(f"{photo.id} ({kind})", kind, frames)


def _camera(kind: str, at: float, scale: float, width: int, way: int) -> Affine:
    """at: 0 to 1, the share of the clip that has passed -> (2, 3) photo px to frame px."""
    middle = np.array([width, _HEIGHT]) / 2
    ease = 0.5 - 0.5 * np.cos(np.pi * at)
    zoom, angle, shift = 1.0, 0.0, np.zeros(2)
    if kind == "pan":
        zoom, shift = 1.15, np.array([way * (ease - 0.5) * 0.3 * width, 0.0])
    elif kind == "zoom":
        zoom = 1.0 + 0.35 * ease
    elif kind == "turn":
        zoom, angle = 1.1, way * np.deg2rad(16.0) * (ease - 0.5)
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn * scale, middle + shift - turn @ middle])


def _crossing(front: Photo, behind: Photo, number: int) -> MadeClip:
    def frames() -> Iterator[Truth]:
        noise = np.random.default_rng(number)
        width = 2 * _HEIGHT
        ground = cv2.resize(cv2.GaussianBlur(behind.image(), (0, 0), 24), (width, _HEIGHT))
        cut = [_cut_out(photo, size) for photo, size in ((front, 0.8), (behind, 0.7))]
        for n in range(FRAMES):
            at = n / (FRAMES - 1)
            picture = ground.astype(np.float32)
            boxes: list[NDArray[np.float64]] = []
            points_of: list[NDArray[np.float64]] = []
            for k in (1, 0):  # the one in front last
                patch, soft, box, points = cut[k]
                x = (0.14 + 0.72 * (at if k == 0 else 1 - at)) * width - patch.shape[1] / 2
                affine = np.array([[1.0, 0, x], [0, 1.0, _HEIGHT - patch.shape[0] - 4.0]])
                size = (width, _HEIGHT)
                mask = cv2.warpAffine(soft, affine, size)[..., None]
                picture = picture * (1 - mask) + cv2.warpAffine(patch, affine, size).astype(np.float32) * mask
                boxes.insert(0, _moved_boxes(box[None], affine)[0])
                points_of.insert(0, _moved(points[None], affine, width)[0])
            whole = _clipped(np.stack(boxes), width)
            covered = _covered(whole[1], whole[0])
            ignore = np.array([False, covered > 1 - _LEAST_VIEW])
            rgb = np.clip(picture, 0, 255).astype(np.uint8)
            yield Truth(_noisy(rgb, noise), whole, np.stack(points_of), ignore)

    return MadeClip(f"{front.id} before {behind.id} (crossing)", "crossing", frames)


Cut = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]


def _cut_out(photo: Photo, size: float) -> Cut:
    """The one person of a photo -> RGB patch `size` of a frame high, its opacity 0..1, their box and (17, 3) labels."""
    rgb, box, labels = photo.image(), photo.boxes[0].astype(np.float64), coco_labels(photo)[0].astype(np.float64)
    room = 0.06 * (box[2:] - box[:2])
    limit = np.array([rgb.shape[1], rgb.shape[0]])
    low = np.clip(np.floor(box[:2] - room), 0, limit - 2).astype(int)
    high = np.clip(np.ceil(box[2:] + room), low + 2, limit).astype(int)
    scale = size * _HEIGHT / (high[1] - low[1])
    affine = np.array([[scale, 0, -scale * low[0]], [0, scale, -scale * low[1]]])
    width, height = (max(2, round(float(v))) for v in (high - low) * scale)
    patch = cv2.warpAffine(rgb, affine, (width, height), flags=cv2.INTER_AREA)
    edge = max(3, round(0.05 * width))
    inner = np.zeros((height, width), np.float32)
    inner[edge:-edge, edge:-edge] = 1
    soft = cv2.GaussianBlur(inner, (0, 0), edge / 2)
    return (
        np.asarray(patch, np.uint8),
        np.asarray(soft, np.float32),
        _moved_boxes(box[None], affine)[0],
        _moved(labels[None], affine, width)[0],
    )


def _noisy(rgb: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    return np.clip(rgb + random.normal(0, _NOISE, rgb.shape), 0, 255).astype(np.uint8)


def _moved(labels: NDArray[np.float64], affine: Affine, width: int) -> NDArray[np.float64]:
    """(K, 17, 3) -> the same in the frame; what left it is not labelled any more."""
    moved = labels.copy()
    moved[..., :2] = labels[..., :2] @ affine[:, :2].T + affine[:, 2]
    inside = ((moved[..., :2] >= 0) & (moved[..., :2] < (width, _HEIGHT))).all(axis=2)
    moved[..., 2] *= inside
    return moved


def _moved_boxes(boxes: NDArray[np.float64], affine: Affine) -> NDArray[np.float64]:
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ affine[:, :2].T + affine[:, 2]
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)


def _clipped(boxes: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    return np.clip(boxes, 0, np.array([width, _HEIGHT, width, _HEIGHT]))


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1))


def _covered(box: NDArray[np.float64], by: NDArray[np.float64]) -> float:
    common = np.clip(np.minimum(box[2:], by[2:]) - np.maximum(box[:2], by[:2]), 0, None).prod()
    return float(common / max(1e-9, float(_areas(box[None])[0])))
