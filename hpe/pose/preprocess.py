"""Image <-> network frame: a crop that keeps the aspect ratio, as one affine map and its inverse."""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Affine = NDArray[np.float64]

# Black, in training and in use alike.
PAD_RGB: Final[tuple[int, int, int]] = (0, 0, 0)
# How much larger than the box of the joints the square crop is; training uses the same (Xiao et al. 2018).
MARGIN: Final[float] = 1.25
# Bilinear sampling reads two by two px: of a picture that is finer still it would skip some, and alias.
_FINEST: Final[float] = 0.5  # network px to an image px


def crop_affine(box: NDArray[np.floating], size: int, margin: float = MARGIN) -> Affine:
    """(4,) box x0, y0, x1, y1 in image px -> (2, 3) float64 map from image px to a size x size network frame.

    The crop is a square round the box's centre whose side is the box's longer side times `margin`, so the
    aspect ratio is kept and what lies outside the picture is padded. Pixel centres are at integers.
    """
    x0, y0, x1, y1 = (float(v) for v in box)
    side = max(x1 - x0, y1 - y0, 1.0) * margin
    scale = size / side
    # (size - 1) / 2 is the centre of the network frame where pixel centres are at integers.
    tx = (size - 1) / 2 - scale * (x0 + x1) / 2
    ty = (size - 1) / 2 - scale * (y0 + y1) / 2
    return np.array([[scale, 0.0, tx], [0.0, scale, ty]], dtype=np.float64)


def whole_image_box(width: int, height: int) -> NDArray[np.float64]:
    """The box of the whole picture in px, for `crop_affine(..., margin=1.0)`."""
    return np.array([-0.5, -0.5, width - 0.5, height - 0.5], dtype=np.float64)


def scale_of(affine: Affine) -> float:
    """Network px to an image px."""
    return float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))


def warp(image: NDArray[np.uint8], affine: Affine, size: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, (2, 3) -> (size, size, 3) uint8 RGB, padded with `PAD_RGB`.

    Where the map shrinks the picture by more than two, the picture is halved first, as often as it takes.
    """
    scale = scale_of(affine)
    if scale < _FINEST:
        halvings = math.ceil(math.log2(_FINEST / scale))
        image, affine = _around(image, affine, size, 2**halvings)
        for _ in range(halvings):
            image, affine = _halved(image, affine)
    out = cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=PAD_RGB
    )
    return out.astype(np.uint8, copy=False)


def _around(image: NDArray[np.uint8], affine: Affine, size: int, by: int) -> tuple[NDArray[np.uint8], Affine]:
    """The part of the picture that the frame shows, and its map: averaging the rest would be work for nothing.

    Its sides are multiples of `by`, or end with the picture.
    """
    corners = undo_affine(np.array([[0, 0], [size - 1, 0], [0, size - 1], [size - 1, size - 1]]), affine)
    reach = 2 * np.abs(corners[1:3] - corners[0]).max() / (size - 1)  # two network px, so that no edge shows
    limit = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(corners.min(axis=0) - reach), 0, limit - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + reach) + 1, low + 1, limit).astype(int)
    high = np.minimum(high + (low - high) % by, limit)
    moved = affine.copy()
    moved[:, 2] += affine[:, :2] @ low
    return image[low[1] : high[1], low[0] : high[0]], moved


def _halved(image: NDArray[np.uint8], affine: Affine) -> tuple[NDArray[np.uint8], Affine]:
    """Each 2 x 2 px averaged to one, and the map from there. An odd last row or column is repeated.

    Halving again and again is five times as fast as averaging by 3 or 6 at once: OpenCV has vector code for two.
    """
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE).astype(
            np.uint8, copy=False
        )
    size = image.shape[1] // 2, image.shape[0] // 2
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    # small px -> image px, pixel centres at integers on both sides
    up = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]])
    return small, affine @ up


def apply_affine(points: NDArray[np.floating], affine: Affine) -> NDArray[np.float64]:
    """(..., 2) points through a (2, 3) map -> (..., 2) float64."""
    return np.asarray(points, dtype=np.float64) @ affine[:, :2].T + affine[:, 2]


def undo_affine(points: NDArray[np.floating], affine: Affine) -> NDArray[np.float64]:
    """(..., 2) network px -> (..., 2) float64 image px: the inverse of `apply_affine`."""
    return (np.asarray(points, dtype=np.float64) - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
