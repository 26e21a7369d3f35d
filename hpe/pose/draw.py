"""A pose onto a copy of the photo: tapered limbs and rimmed joints, sized by the person, coloured by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadSettings, UnsupportedImage
from hpe.pose.skeleton import COLOURS_RGB, KEYPOINTS, LIMBS, NUM_JOINTS, plain_name, side
from hpe.pose.stature import LIMB_ENDS, stature

if TYPE_CHECKING:
    from hpe.pose.result import Pose

Colour = tuple[int, int, int]
Floats = NDArray[np.float64]
# Polygons in OpenCV's fixed-point coordinates.
Outlines = NDArray[np.int32]


@dataclass(frozen=True)
class DrawStyle:
    """How a pose is drawn.

    stroke: thickness of everything, as a factor of the default, 0..20. opacity: of limbs and dots, 0..1. outline:
    opacity of the dark edge round them, 0..1, which keeps light strokes readable on light photos. joints:
    whether joints get dots.
    """

    stroke: float = 1.0
    opacity: float = 0.9
    outline: float = 0.65
    joints: bool = True

    def __post_init__(self) -> None:
        for name, most in (("stroke", 20), ("opacity", 1), ("outline", 1)):
            value: object = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= most:
                raise BadSettings(f"{name}={value!r}: give a number from 0 to {most}")


OUTLINE_RGB: Final[Colour] = (14, 18, 28)
RIM_RGB: Final[Colour] = (255, 255, 255)
# Filled with their limbs' light colour, the middle dots would be white in white.
MIDDLE_DOT_RGB: Final[Colour] = (64, 72, 92)

# Half a stroke's width at each joint as a part of the stature: limbs taper towards hands and feet.
HALF_WIDTHS: Final[dict[str, float]] = {
    "ankle": 0.008,
    "knee": 0.0095,
    "hip": 0.0115,
    "pelvis": 0.0105,
    "thorax": 0.0105,
    "upper_neck": 0.0085,
    "head_top": 0.0068,  # thin: it runs over the face
    "shoulder": 0.0105,
    "elbow": 0.0088,
    "wrist": 0.0075,
    "nose": 0.0045,
    "eye": 0.0045,
    "ear": 0.0045,
}
RADII: Final[Floats] = np.array([HALF_WIDTHS[plain_name(joint)] for joint in range(len(KEYPOINTS))])
EDGE: Final[float] = 0.0042
DOT: Final[float] = 1.5
DOT_CORE: Final[float] = 0.62
# Finer than this, strokes fade into the picture, and dots are a smear: then limbs alone tell more.
MIN_RADIUS_PX: Final[float] = 0.8
MIN_DOT_RADIUS_PX: Final[float] = 1.5
# Strokes are those of a person at least and at most so tall, as parts of the picture's diagonal: a distant
# person stays visible in a picture shown small, a face that fills the picture is not painted over.
MIN_STATURE: Final[float] = 0.12
MAX_STATURE: Final[float] = 0.7
# Fixed-point coordinates are in 1 / 2**SHIFT px.
SHIFT: Final[int] = 4
# How much wider on each side cv2.fillConvexPoly makes a shape with LINE_AA, px (measured, whatever the size).
AA_SPREAD: Final[float] = 0.64


def draw_pose(image: NDArray[np.uint8], poses: "Sequence[Pose]", style: DrawStyle = DrawStyle()) -> NDArray[np.uint8]:
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


def drawable(pose: "Pose", width: int, height: int) -> NDArray[np.bool_]:
    """(J,) bool: joints that are sure, finite, and no further outside the picture than its longer side."""
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
    """(J,) -> indices into LIMBS in groups, to be drawn one over the other: trunk, legs, head, arms.

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
    canvas: NDArray[np.uint8], pose: "Pose", shown: NDArray[np.bool_], tall: float, style: DrawStyle
) -> None:
    points = np.where(shown[:, None], pose.points, 0.0).astype(np.float64)
    unit = tall * style.stroke
    radii = np.maximum(RADII[: len(points)] * unit, MIN_RADIUS_PX)
    edge = max(EDGE * unit, MIN_RADIUS_PX)
    a, b = LIMB_ENDS.T
    limbs = (points[a], points[b], radii[a], radii[b])
    dots = (points, points, radii * DOT, radii * DOT)
    cores = (points, points, radii * DOT * DOT_CORE, radii * DOT * DOT_CORE)
    edges = [(p, q, r + edge, s + edge) for p, q, r, s in (limbs, dots)]
    # One call for all outlines: numpy's time is in the calls, not in the sizes.
    outlines = capsules(*(np.concatenate(part) for part in zip(limbs, dots, cores, *edges, strict=True)))
    limb, dot, core, limb_edge, dot_edge = np.split(outlines, np.cumsum([len(a), len(points), len(points), len(a)]))
    for group in drawing_order(pose.scores):
        seen = [i for i in group if shown[a[i]] and shown[b[i]]]
        if seen:
            _paint(canvas, limb_edge[seen], [(limb[i], COLOURS_RGB[limb_side(LIMBS[i])]) for i in seen], style)
    if not style.joints or np.median(radii[:NUM_JOINTS]) * DOT < MIN_DOT_RADIUS_PX:
        return
    # A face too small for its five dots would be a smear.
    dotted = shown & ((RADII[: len(points)] * unit * DOT >= MIN_DOT_RADIUS_PX) | (np.arange(len(points)) < NUM_JOINTS))
    # The trunk's dots below, so that the pelvis does not hide a hip beside it; then the less sure ones.
    order = sorted((side(j) != "middle", float(pose.scores[j]), j) for j in np.flatnonzero(dotted).tolist())
    for *_, j in order:
        colour = MIDDLE_DOT_RGB if side(j) == "middle" else COLOURS_RGB[side(j)]
        _paint(canvas, dot_edge[[j]], [(dot[j], RIM_RGB), (core[j], colour)], style)


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


def _paint(canvas: NDArray[np.uint8], edges: Outlines, fills: list[tuple[Outlines, Colour]], style: DrawStyle) -> None:
    """Convex outlines onto the canvas, in place: (N, P, 2) dark edges, then fills, each layer translucent as one.

    Only the rectangle round the edges is touched: blending the whole of a large photo would take ten times as long.
    """
    height, width = canvas.shape[:2]
    # Two px of room for anti-aliasing.
    x0, y0 = np.maximum((edges.min(axis=(0, 1)) >> SHIFT) - 2, 0).tolist()
    x1, y1 = np.minimum((edges.max(axis=(0, 1)) >> SHIFT) + 4, (width, height)).tolist()
    if x0 >= x1 or y0 >= y1:
        return
    region = canvas[y0:y1, x0:x1]
    corner = np.array([x0, y0], dtype=np.int32) << SHIFT
    for shapes, opacity in (([(edge, OUTLINE_RGB) for edge in edges], style.outline), (fills, style.opacity)):
        layer = region.copy()
        for outline, colour in shapes:
            cv2.fillConvexPoly(layer, outline - corner, colour, lineType=cv2.LINE_AA, shift=SHIFT)
        cv2.addWeighted(layer, opacity, region, 1 - opacity, 0.0, dst=region)
