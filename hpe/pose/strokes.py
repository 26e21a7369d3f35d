"""Strokes that taper, as polygons, and layers of them blended into a picture.

Nearly all the time of a small stroke is in the calls and not in its pixels, so what can be is done for all at once.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Floats = NDArray[np.float64]
# Polygons in OpenCV's fixed-point coordinates.
Outlines = NDArray[np.int32]

# Fixed-point coordinates are in 1 / 2**SHIFT px.
SHIFT: Final[int] = 4
# How much wider on each side cv2.fillConvexPoly makes a shape with LINE_AA, px (measured, whatever the size).
AA_SPREAD: Final[float] = 0.64


@dataclass(frozen=True)
class Layer:
    """Shapes that are blended as one, so that none shows through another. shapes: indices into outlines."""

    shapes: list[tuple[int, Colour]]
    opacity: float


def capsules(a: Floats, b: Floats, radius_a: Floats, radius_b: Floats) -> Outlines:
    """(N, 2), (N, 2) centres and (N,), (N,) radii in px -> (N, P, 2): convex outlines round each pair of circles."""
    radius_a, radius_b = np.maximum(radius_a - AA_SPREAD, 0.05), np.maximum(radius_b - AA_SPREAD, 0.05)
    length = np.hypot(*(b - a).T)
    # Where one circle holds the other, the outline is the larger circle.
    inside = length <= abs(radius_a - radius_b)
    a_holds, b_holds = inside & (radius_a >= radius_b), inside & (radius_a < radius_b)
    a, b = np.where(b_holds[:, None], b, a), np.where(a_holds[:, None], a, b)
    radius_a, radius_b = np.where(b_holds, radius_b, radius_a), np.where(a_holds, radius_a, radius_b)
    heading = np.arctan2(*(b - a).T[::-1])
    # The angle from the heading to where the common tangents touch both circles.
    touch = np.arccos((radius_a - radius_b) / np.where(inside, 1.0, length))
    # A polygon stays within a tenth of a px of the arc: its sagitta is radius * step**2 / 8.
    turn = np.linspace(-1.0, 1.0, 4 + int(np.pi * np.sqrt(max(radius_a.max(), radius_b.max()) / 0.8)))
    arc_a = (heading + np.pi)[:, None] + turn * (np.pi - touch)[:, None]
    arc_b = heading[:, None] + turn * touch[:, None]
    around_a = a[:, None] + radius_a[:, None, None] * np.stack([np.cos(arc_a), np.sin(arc_a)], axis=2)
    around_b = b[:, None] + radius_b[:, None, None] * np.stack([np.cos(arc_b), np.sin(arc_b)], axis=2)
    fixed: Outlines = np.rint(np.concatenate([around_a, around_b], axis=1) * 2**SHIFT).astype(np.int32)
    return fixed


def paint(canvas: NDArray[np.uint8], outlines: Outlines, stacks: list[list[Layer]]) -> None:
    """Blend stacks of layers into an (H, W, 3) uint8 canvas, in place, one after another; outlines: (N, P, 2).

    A stack's layers lie on each other; its first has the widest shapes. Only the rectangle round those is touched:
    blending the whole of a large photo would take ten times as long.
    """
    height, width = canvas.shape[:2]
    # Two px of room for anti-aliasing.
    low = np.maximum((outlines.min(axis=1) >> SHIFT) - 2, 0).tolist()
    high = np.minimum((outlines.max(axis=1) >> SHIFT) + 4, (width, height)).tolist()
    for stack in stacks:
        around = [shape for shape, _ in stack[0].shapes]
        x0, y0 = min(low[n][0] for n in around), min(low[n][1] for n in around)
        x1, y1 = max(high[n][0] for n in around), max(high[n][1] for n in around)
        if x0 >= x1 or y0 >= y1:
            continue
        region = canvas[y0:y1, x0:x1]
        corner = np.array([x0 << SHIFT, y0 << SHIFT], np.int32)
        for layer in stack:
            above = region.copy()
            for shape, colour in layer.shapes:
                cv2.fillConvexPoly(above, outlines[shape] - corner, colour, lineType=cv2.LINE_AA, shift=SHIFT)
            cv2.addWeighted(above, layer.opacity, region, 1 - layer.opacity, 0.0, dst=region)
