"""A pose onto a copy of the photo: tapered limbs and rimmed joints, sized by the person, coloured by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import UnsupportedImage
from hpe.pose.result import Pose
from hpe.pose.skeleton import COLOURS_RGB, LIMBS, NUM_JOINTS, plain_name, side
from hpe.pose.stature import stature

Colour = tuple[int, int, int]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DrawStyle:
    """How a pose is drawn.

    stroke: thickness of everything, as a factor of the default. opacity: of limbs and dots, 0..1. outline:
    opacity of the dark edge round them, 0..1, which keeps light strokes readable on light photos. joints:
    whether joints get dots.
    """

    stroke: float = 1.0
    opacity: float = 0.9
    outline: float = 0.6
    joints: bool = True


OUTLINE_RGB: Final[Colour] = (14, 18, 28)
RIM_RGB: Final[Colour] = (255, 255, 255)
# Filled with their limbs' light colour, the middle dots would be white in white.
MIDDLE_DOT_RGB: Final[Colour] = (64, 72, 92)

# Half a stroke's width at each joint as a part of the stature: limbs taper towards hands and feet.
HALF_WIDTHS: Final[dict[str, float]] = {
    "ankle": 0.0075,
    "knee": 0.0095,
    "hip": 0.0115,
    "pelvis": 0.0105,
    "thorax": 0.0105,
    "upper_neck": 0.0095,
    "head_top": 0.0085,
    "shoulder": 0.0105,
    "elbow": 0.0088,
    "wrist": 0.007,
}
RADII: Final[Floats] = np.array([HALF_WIDTHS[plain_name(joint)] for joint in range(NUM_JOINTS)])
EDGE: Final[float] = 0.0042
DOT: Final[float] = 1.5
DOT_CORE: Final[float] = 0.62
MIN_RADIUS_PX: Final[float] = 0.6
# Strokes are those of a person at least and at most so tall, as parts of the picture's diagonal: a distant
# person stays visible in a picture shown small, a face that fills the picture is not painted over.
MIN_STATURE: Final[float] = 0.12
MAX_STATURE: Final[float] = 1.0
# Sub-pixel bits of OpenCV's fixed-point coordinates.
SHIFT: Final[int] = 4
ARC_POINTS: Final[int] = 20


def draw_pose(image: NDArray[np.uint8], poses: Sequence[Pose], style: DrawStyle = DrawStyle()) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB -> a new (H, W, 3) uint8 RGB with every person's sure joints and limbs on it.

    Joints below the pose's threshold, and limbs that end in one, are left out. Smaller people are drawn first,
    so that the nearer ones lie on top. Raises UnsupportedImage for anything but an RGB array.
    """
    check_rgb(image)
    canvas = np.array(image, order="C")
    height, width = canvas.shape[:2]
    people = []
    for pose in poses:
        shown = drawable(pose, width, height)
        if shown.any():
            people.append((drawn_stature(pose.points, shown, width, height), pose, shown))
    for tall, pose, shown in sorted(people, key=lambda person: person[0]):
        _draw_person(canvas, pose, shown, tall, style)
    return canvas


def check_rgb(image: NDArray[np.uint8]) -> None:
    """Raise UnsupportedImage unless this is a (H, W, 3) uint8 array with pixels in it."""
    if not isinstance(image, np.ndarray):
        raise UnsupportedImage(f"The image is a {type(image).__name__}: pass a (H, W, 3) uint8 RGB numpy array.")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise UnsupportedImage(
            f"The image is {image.dtype} of shape {image.shape}: pass (H, W, 3) uint8 RGB, with grey repeated "
            "over three channels and alpha composited on white."
        )


def drawable(pose: Pose, width: int, height: int) -> NDArray[np.bool_]:
    """(16,) bool: joints that are sure, finite, and no further outside the picture than its longer side."""
    reach = max(width, height)
    near = (pose.points >= -reach) & (pose.points <= np.array([width, height]) + reach)  # NaN compares False
    return np.asarray(pose.confident & near.all(axis=1))


def drawn_stature(points: NDArray[np.floating], shown: NDArray[np.bool_], width: int, height: int) -> float:
    """The stature in px that strokes are sized by: the person's, kept within what suits the picture's size."""
    diagonal = float(np.hypot(width, height))
    tall = stature(points, shown)
    if tall is None:
        return MIN_STATURE * diagonal
    # Strokes twice as thick as the person calls for are the most: beyond, someone tiny would be a blob.
    return float(np.clip(tall, min(MIN_STATURE * diagonal, 2 * tall), MAX_STATURE * diagonal))


def drawing_order(scores: NDArray[np.floating]) -> list[list[int]]:
    """(16,) -> indices into LIMBS in groups, to be drawn one over the other: trunk, legs, head, arms.

    Of a pair of legs or arms the less sure one comes first: it is more often the hidden one.
    """
    sure = {which: np.mean([scores[j] for j in range(NUM_JOINTS) if side(j) == which]) for which in ("left", "right")}
    far, near = sorted(sure, key=lambda which: sure[which])
    return [_GROUPS[name] for name in ("trunk", f"{far}_leg", f"{near}_leg", "head", f"{far}_arm", f"{near}_arm")]


def _group(limb: tuple[int, int]) -> str:
    first, second = (plain_name(joint) for joint in limb)
    if second == "pelvis" or (first, second) in (("pelvis", "thorax"), ("thorax", "shoulder")):
        return "trunk"
    if second in ("upper_neck", "head_top"):
        return "head"
    return f"{side(limb[0])}_{'leg' if second in ('knee', 'hip') else 'arm'}"


_GROUPS: Final[dict[str, list[int]]] = {}
for _index, _limb in enumerate(LIMBS):
    _GROUPS.setdefault(_group(_limb), []).append(_index)


def limb_side(limb: tuple[int, int]) -> str:
    """'left', 'right' or 'middle'; a limb from the middle to a side belongs to the side."""
    return side(limb[0]) if side(limb[0]) != "middle" else side(limb[1])


def _draw_person(
    canvas: NDArray[np.uint8], pose: Pose, shown: NDArray[np.bool_], tall: float, style: DrawStyle
) -> None:
    points = np.where(shown[:, None], pose.points, 0.0).astype(np.float64)
    unit = tall * style.stroke
    radii = np.maximum(RADII * unit, MIN_RADIUS_PX)
    edge = max(EDGE * unit, MIN_RADIUS_PX)
    a, b = np.array(LIMBS).T
    strokes = capsules(points[a], points[b], radii[a], radii[b])
    edges = capsules(points[a], points[b], radii[a] + edge, radii[b] + edge)
    for group in drawing_order(pose.scores):
        limbs = [i for i in group if shown[a[i]] and shown[b[i]]]
        if limbs:
            _paint(canvas, edges[limbs], [(strokes[i], COLOURS_RGB[limb_side(LIMBS[i])]) for i in limbs], style)
    if not style.joints:
        return
    rings = (radii * DOT + edge, radii * DOT, radii * DOT * DOT_CORE)
    edges, rims, cores = (capsules(points, points, ring, ring) for ring in rings)
    for joint in sorted(np.flatnonzero(shown), key=lambda j: float(pose.scores[j])):
        core = MIDDLE_DOT_RGB if side(joint) == "middle" else COLOURS_RGB[side(joint)]
        _paint(canvas, edges[[joint]], [(rims[joint], RIM_RGB), (cores[joint], core)], style)


def capsules(a: Floats, b: Floats, radius_a: Floats, radius_b: Floats) -> Floats:
    """(N, 2), (N, 2) centres and (N,), (N,) radii in px -> (N, P, 2) px: convex outlines round each pair of circles."""
    length = np.hypot(*(b - a).T)
    # Where one circle holds the other, the outline is the larger circle.
    inside = length <= abs(radius_a - radius_b)
    a_wins = (inside & (radius_a >= radius_b))[:, None]
    b_wins = (inside & (radius_a < radius_b))[:, None]
    a, b = np.where(b_wins, b, a), np.where(a_wins, a, b)
    radius_a, radius_b = np.where(b_wins[:, 0], radius_b, radius_a), np.where(a_wins[:, 0], radius_a, radius_b)
    heading = np.arctan2(*(b - a).T[::-1])
    # The angle from the heading to where the common tangents touch both circles.
    touch = np.arccos((radius_a - radius_b) / np.maximum(length, 1e-9))[:, None]
    turn = np.linspace(-1.0, 1.0, ARC_POINTS)
    arc_a = heading[:, None] + np.pi + turn * (np.pi - touch)
    arc_b = heading[:, None] + turn * touch
    around_a = a[:, None] + radius_a[:, None, None] * np.stack([np.cos(arc_a), np.sin(arc_a)], axis=2)
    around_b = b[:, None] + radius_b[:, None, None] * np.stack([np.cos(arc_b), np.sin(arc_b)], axis=2)
    return np.asarray(np.concatenate([around_a, around_b], axis=1))


def _paint(canvas: NDArray[np.uint8], edges: Floats, fills: list[tuple[Floats, Colour]], style: DrawStyle) -> None:
    """Convex outlines onto the canvas, in place: (N, P, 2) px dark edges, then the fills, each layer translucent as one.

    Only the rectangle round the edges is touched: blending the whole of a large photo would take ten times as long.
    """
    height, width = canvas.shape[:2]
    # Two px of room for anti-aliasing.
    x0, y0 = np.maximum(np.floor(edges.min(axis=(0, 1))) - 2, 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(edges.max(axis=(0, 1))) + 3, (width, height)).astype(int).tolist()
    if x0 >= x1 or y0 >= y1:
        return
    region = canvas[y0:y1, x0:x1]
    layers = (([(edge, OUTLINE_RGB) for edge in edges], style.outline), (fills, style.opacity))
    for shapes, opacity in layers:
        layer = region.copy()
        for shape, colour in shapes:
            fixed = np.rint((shape - (x0, y0)) * 2**SHIFT).astype(np.int32)
            cv2.fillConvexPoly(layer, fixed, colour, lineType=cv2.LINE_AA, shift=SHIFT)
        cv2.addWeighted(layer, opacity, region, 1 - opacity, 0.0, dst=region)
