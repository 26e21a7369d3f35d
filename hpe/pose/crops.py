"""Image <-> network frame, as one affine map and its inverse: crops round people, and the whole picture fitted.

Pixel centres lie at integers in every frame: a picture of W x H px covers -0.5 to W - 0.5 and -0.5 to H - 0.5.
"""

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Affine = NDArray[np.float64]
# Height and width of a network frame in px; one number where it is square.
Frame = int | tuple[int, int]

# Black, in training and in use alike.
PAD_RGB: Final[tuple[int, int, int]] = (0, 0, 0)
# How much larger than the person's box the crop is; training uses the same (Xiao et al. 2018).
MARGIN: Final[float] = 1.25
# The networks halve a picture five times.
MULTIPLE: Final[int] = 32
# For the locator, so that a picture moved by a px gives much the same scores. At 1.0 its AP50 falls (docs/runs.md).
SMOOTH: Final[float] = 0.7
# Bilinear sampling reads two by two px: of a picture that is finer still it would skip some, and alias.
_FINEST: Final[float] = 0.5  # network px to an image px
_LEAST_SIGMA: Final[float] = 0.2  # px: a narrower Gaussian leaves a picture of bytes as it is


def height_width(frame: Frame) -> tuple[int, int]:
    """256 -> (256, 256); (256, 192) as it is."""
    return (frame, frame) if isinstance(frame, int) else frame


def crop_affine(box: NDArray[np.floating], frame: Frame, margin: float = MARGIN) -> Affine:
    """(4,) box x0, y0, x1, y1 in image px, a frame's (height, width) -> (2, 3) float64 map, image px to network px.

    The box's shorter side (for this frame) grows until it has the frame's aspect ratio, then both sides grow
    `margin` times; the box's centre comes to the frame's. So nothing is squashed, and what lies outside the picture
    is padded.
    """
    height, width = height_width(frame)
    x0, y0, x1, y1 = (float(v) for v in box)
    scale = width / (max(x1 - x0, (y1 - y0) * width / height, 1.0) * margin)
    # (size - 1) / 2 is the centre of a side where pixel centres are at integers.
    tx = (width - 1) / 2 - scale * (x0 + x1) / 2
    ty = (height - 1) / 2 - scale * (y0 + y1) / 2
    return np.array([[scale, 0.0, tx], [0.0, scale, ty]], dtype=np.float64)


def whole_image_box(width: int, height: int) -> NDArray[np.float64]:
    """The box of the whole picture in px, for `crop_affine(..., margin=1.0)`."""
    return np.array([-0.5, -0.5, width - 0.5, height - 0.5], dtype=np.float64)


def fit_affine(width: int, height: int, longer: int) -> tuple[Affine, tuple[int, int]]:
    """A picture of width x height px -> (2, 3) float64 map to a longer side of at most `longer` px, and the frame.

    Small pictures are enlarged no further than their frame, the next multiple of 32: more costs time, and people who
    fill an enlarged picture are found less well. The picture lies at the frame's top left, its corner in the frame's
    corner; the frame's (height, width) are the next multiples of 32, so that little is padding.
    """
    side = max(width, height)
    longer = min(longer, _rounded_up(side))
    scale = longer / side
    affine = np.array([[scale, 0.0, scale / 2 - 0.5], [0.0, scale, scale / 2 - 0.5]], dtype=np.float64)
    # in integers: 416 / 1000 * 1000 would round up to another 32 px
    rows, columns = (-(-short * longer // (side * MULTIPLE)) * MULTIPLE for short in (height, width))
    return affine, (rows, columns)


def fit_pixels(width: int, height: int, pixels: int) -> tuple[Affine, tuple[int, int]]:
    """A picture of width x height px -> (2, 3) float64 map and the (height, width) of a frame of at most `pixels` px.

    As `fit_affine`, but every picture takes about the same time, whatever its shape: of all frames that small it is the
    one that shows the picture the largest, and of these the smallest. pixels: at least 32 * 32.
    """
    # what is shown of the picture alone has at most so many px
    side = max(width, height)
    longest = max(1, min(_rounded_up(side), pixels // MULTIPLE, math.isqrt(pixels * side // min(width, height))))
    fits = (fit_affine(width, height, longer) for longer in range(longest, 0, -1))
    return next((affine, frame) for affine, frame in fits if frame[0] * frame[1] <= pixels)


def _rounded_up(side: int) -> int:
    """The next multiple of 32, which the networks halve five times."""
    return -(-side // MULTIPLE) * MULTIPLE


def scale_of(affine: Affine) -> float:
    """Network px to an image px."""
    return float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))


def warp(image: NDArray[np.uint8], affine: Affine, frame: Frame, smooth: float = 0.0) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB, (2, 3) -> (height, width, 3) uint8 RGB of the frame, padded with `PAD_RGB`.

    Where the map shrinks the picture by more than two, the picture is halved first, as often as it takes. smooth:
    against aliasing, how strongly the rest is smoothed before it shrinks to a share s, by a Gaussian with a standard
    deviation of smooth * sqrt(1 / s^2 - 1) px: one that shrinks little is hardly smoothed, an enlarged one not at all.
    """
    height, width = height_width(frame)
    scale = scale_of(affine)
    if scale < _FINEST:
        halvings = math.ceil(math.log2(_FINEST / scale))
        image, affine = _around(image, affine, (height, width), 2**halvings)
        for _ in range(halvings):
            image, affine = _halved(image, affine)
    sigma = smooth * math.sqrt(max(0.0, 1 / scale_of(affine) ** 2 - 1))
    if sigma > _LEAST_SIGMA:
        image = cv2.GaussianBlur(image, (0, 0), sigma).astype(np.uint8, copy=False)
    out = cv2.warpAffine(
        image, affine, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=PAD_RGB
    )
    return out.astype(np.uint8, copy=False)


def _around(
    image: NDArray[np.uint8], affine: Affine, frame: tuple[int, int], by: int
) -> tuple[NDArray[np.uint8], Affine]:
    """The part of the picture that the frame shows, and its map: averaging the rest would be work for nothing.

    Its sides are multiples of `by`, or end with the picture.
    """
    bottom, right = frame[0] - 1, frame[1] - 1
    corners = undo_affine(np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]]), affine)
    reach = 2 / scale_of(affine)  # two network px, so that no edge shows
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
