"""(H, W, 3) pictures made smaller, and turned upright."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]


def fitting(size: tuple[int, int], max_side: int | None, max_area: int | None = None) -> tuple[int, int]:
    """(width, height) -> the largest of the same shape whose longest side is at most `max_side`.

    max_area: of more px than that it is halved until it has no more, as JPEGs can be while they are read.
    """
    width, height = size
    while max_area and width * height > max_area:
        width, height = max(1, width // 2), max(1, height // 2)
    if not max_side or max(width, height) <= max_side:
        return width, height
    scale = max_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def averaged(rgb: RGB, by: int) -> RGB:
    """(H, W, 3) -> (ceil(H / by), ceil(W / by), 3): means of by x by px; what lies over the edge repeats."""
    if by == 1:
        return rgb
    height, width = rgb.shape[:2]
    if height % by or width % by:
        rgb = cv2.copyMakeBorder(rgb, 0, -height % by, 0, -width % by, cv2.BORDER_REPLICATE).astype(
            np.uint8, copy=False
        )
    size = rgb.shape[1] // by, rgb.shape[0] // by
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def resize(rgb: RGB, width: int, height: int, extent: tuple[float, float] | None = None) -> RGB:
    """(H, W, 3) -> (height, width, 3). extent: how much of its width and height, px, is picture."""
    tall, wide = rgb.shape[:2]
    if (wide, tall) == (width, height):
        return rgb
    across, down = extent or (wide, tall)
    # below a factor of two bilinear sampling skips no pixel, and is five times as fast as averaging
    near = max(down / height, across / width) < 2
    if near and (across, down) != (wide, tall):
        # pixel (0, 0) of both has its corner at (-0.5, -0.5)
        rx, ry = across / width, down / height
        back = np.array([[rx, 0.0, (rx - 1) / 2], [0.0, ry, (ry - 1) / 2]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        out = cv2.warpAffine(rgb, back, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
        return out.astype(np.uint8, copy=False)
    # "exact" counts in whole numbers: the plain one's floats gave a third of the pixels another value on arm64
    how = cv2.INTER_LINEAR_EXACT if near else cv2.INTER_AREA
    return cv2.resize(rgb, (width, height), interpolation=how).astype(np.uint8, copy=False)


def upright(rgb: RGB, orientation: int) -> RGB:
    """(H, W, 3), EXIF orientation 1..8 -> the picture as it is to be seen (EXIF 2.32, tag 0x0112)."""
    turns: dict[int, Any] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: a[::-1].transpose(1, 0, 2),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: a[:, ::-1].transpose(1, 0, 2),
    }
    turned = turns[orientation](rgb) if orientation in turns else rgb
    return np.ascontiguousarray(turned, dtype=np.uint8)
