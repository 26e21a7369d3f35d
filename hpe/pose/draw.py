"""A pose onto a copy of the photo: tapered limbs and rimmed joints, sized by the person, coloured by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadSettings, UnsupportedImage
from hpe.pose.skeleton import COLOURS_RGB, KEYPOINTS, LIMBS, NUM_JOINTS, plain_name, side
from hpe.pose.stature import LIMB_ENDS, stature
from hpe.pose.strokes import Colour, Floats, Layer, capsules, paint


class Person(Protocol):
    """What a drawing needs to know of somebody, as `hpe.pose.result.Pose` has it."""

    @property
    def points(self) -> NDArray[np.float32]: ...
    @property
    def scores(self) -> NDArray[np.float32]: ...
    @property
    def confident(self) -> NDArray[np.bool_]: ...
    @property
    def box(self) -> NDArray[np.float32]: ...
    @property
    def score(self) -> float: ...
    @property
    def size(self) -> tuple[int, int] | None: ...


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
_SIDES: Final[tuple[str, ...]] = tuple(side(joint) for joint in range(len(KEYPOINTS)))
_JOINTS_OF: Final = {which: [j for j in range(NUM_JOINTS) if _SIDES[j] == which] for which in ("left", "right")}


def draw_pose(image: NDArray[np.uint8], poses: Sequence[Person], style: DrawStyle = DrawStyle()) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB -> a new (H, W, 3) uint8 RGB with every person's sure joints and limbs on it.

    Joints below the pose's threshold, and limbs that end in one, are left out. Smaller people are drawn first,
    so that the nearer ones lie on top. Raises UnsupportedImage for anything but an RGB array.
    """
    check_rgb(image)
    canvas = np.array(image, order="C")
    draw_onto(canvas, poses, style)
    return canvas


def draw_onto(canvas: NDArray[np.uint8], poses: Sequence[Person], style: DrawStyle = DrawStyle()) -> None:
    """`draw_pose` in place, on a picture that nobody needs as it was: (H, W, 3) uint8 RGB, C-contiguous."""
    height, width = canvas.shape[:2]
    people = []
    for pose in poses:
        shown = drawable(pose, width, height)
        if shown.any():
            people.append((drawn_stature(pose.points, shown, width, height), pose, shown))
    for tall, pose, shown in sorted(people, key=lambda person: person[0]):
        _draw_person(canvas, pose, shown, tall, style)


def check_rgb(image: NDArray[np.uint8]) -> None:
    """Raise UnsupportedImage unless this is a (H, W, 3) uint8 array with pixels in it."""
    if not isinstance(image, np.ndarray):
        raise UnsupportedImage(f"The image is a {type(image).__name__}: pass a (H, W, 3) uint8 RGB numpy array.")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise UnsupportedImage(
            f"The image is {image.dtype} of shape {image.shape}: pass (H, W, 3) uint8 RGB, with grey repeated "
            "over three channels and alpha composited on white."
        )


def drawable(pose: Person, width: int, height: int) -> NDArray[np.bool_]:
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
    sure = {which: np.mean(scores[_JOINTS_OF[which]]) for which in ("left", "right")}
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


_LIMB_COLOURS: Final[list[Colour]] = [COLOURS_RGB[limb_side(limb)] for limb in LIMBS]
_DOT_COLOURS: Final[list[Colour]] = [MIDDLE_DOT_RGB if name == "middle" else COLOURS_RGB[name] for name in _SIDES]


def _draw_person(
    canvas: NDArray[np.uint8], pose: Person, shown: NDArray[np.bool_], tall: float, style: DrawStyle
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
    outlines = capsules(*(np.concatenate(part) for part in zip(limbs, dots, cores, *edges, strict=True)))
    dot, core, limb_edge = len(a), len(a) + len(points), len(a) + 2 * len(points)
    dot_edge = limb_edge + len(a)
    stacks = []
    for group in drawing_order(pose.scores):
        seen = [i for i in group if shown[a[i]] and shown[b[i]]]
        if seen:
            stacks.append(_stack([limb_edge + i for i in seen], [(i, _LIMB_COLOURS[i]) for i in seen], style))
    dotted = _dots(pose, shown, radii, unit) if style.joints else []
    stacks += [_stack([dot_edge + j], [(dot + j, RIM_RGB), (core + j, _DOT_COLOURS[j])], style) for j in dotted]
    paint(canvas, outlines, stacks)


def _stack(edges: list[int], fills: list[tuple[int, Colour]], style: DrawStyle) -> list[Layer]:
    """Dark edges, and what lies on them."""
    return [Layer([(edge, OUTLINE_RGB) for edge in edges], style.outline), Layer(fills, style.opacity)]


def _dots(pose: Person, shown: NDArray[np.bool_], radii: Floats, unit: float) -> list[int]:
    """Keypoints that get a dot, in the order in which they are drawn; (J,) radii in px."""
    if median(radii[:NUM_JOINTS].tolist()) * DOT < MIN_DOT_RADIUS_PX:
        return []
    # A face too small for its five dots would be a smear.
    dotted = shown & ((RADII[: len(shown)] * unit * DOT >= MIN_DOT_RADIUS_PX) | (np.arange(len(shown)) < NUM_JOINTS))
    # The trunk's dots below, so that the pelvis does not hide a hip beside it; then the less sure ones.
    scores = pose.scores.tolist()
    return sorted(np.flatnonzero(dotted).tolist(), key=lambda j: (_SIDES[j] != "middle", scores[j], j))
