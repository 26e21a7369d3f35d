"""Angles of a person's joints in the picture plane, each with the error to be expected of it.

J joints. A camera sees three dimensions as two: an angle is that of the picture, and the body's own only where the limb
lies in the picture plane.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpe.pose.logistic import logit


class Angle(NamedTuple):
    """degrees: 0 to 180. error: how many degrees it is off on average, from the scores of its joints."""

    degrees: float
    error: float


# Straight up in the picture, in place of a joint.
UP: Final = ""
# Name: (one end, the corner, the other end). 180 is a straight arm, leg, hip or neck, and an arm that is raised; the
# trunk's lean is 0 upright and 90 lying.
ANGLES: Final[dict[str, tuple[str, str, str]]] = {
    **{f"{side}_elbow": (f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist") for side in ("left", "right")},
    **{f"{side}_shoulder": (f"{side}_hip", f"{side}_shoulder", f"{side}_elbow") for side in ("left", "right")},
    **{f"{side}_hip": (f"{side}_shoulder", f"{side}_hip", f"{side}_knee") for side in ("left", "right")},
    **{f"{side}_knee": (f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in ("left", "right")},
    "trunk": ("thorax", "pelvis", UP),
    "neck": ("pelvis", "thorax", "head_top"),
}
# How far a joint of a score is from its place, as a share of the box's longer side: exp(AT_HALF + SLOPE logit(score)).
# Fitted on labelled people by `python -m hpe.measure.fit_joints`.
AT_HALF: Final[float] = -3.0
SLOPE: Final[float] = -0.52
# An angle of which nothing is known is 90 degrees off at most on average, whatever it is.
MOST: Final[float] = 90.0


def angles(
    joints: Mapping[str, NDArray[np.floating]], known: Mapping[str, bool], side: float
) -> dict[str, Angle | None]:
    """{name: (x px, y px, score)}, {name: whether it is sure}, the box's longer side in px -> {name: Angle}.

    None for an angle of which a joint is unsure, missing, or lies where its neighbour does.
    """
    found: dict[str, Angle | None] = {}
    for name, (a, at, b) in ANGLES.items():
        sure = all(known.get(joint, False) for joint in (a, at, b) if joint != UP)
        found[name] = _angle(joints[a], joints[at], joints[b] if b != UP else None, side) if sure else None
    return found


def _angle(
    a: NDArray[np.floating], at: NDArray[np.floating], b: NDArray[np.floating] | None, side: float
) -> Angle | None:
    first = np.asarray(a[:2] - at[:2], np.float64)
    second = np.array([0.0, -1.0]) if b is None else np.asarray(b[:2] - at[:2], np.float64)
    lengths = np.hypot(*first), np.hypot(*second)
    if not min(lengths) > 0:
        return None
    cosine = float(first @ second / lengths[0] / lengths[1])
    scores = np.array([a[2], at[2], 1.0 if b is None else b[2]])
    error = expected_error(first[None], None if b is None else second[None], scores[None], side)
    return Angle(float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))), float(error[0]))


def expected_error(
    first: NDArray[np.float64],
    second: NDArray[np.float64] | None,
    scores: NDArray[np.floating],
    side: float | NDArray[np.floating],
    at_half: float = AT_HALF,
    slope: float = SLOPE,
) -> NDArray[np.float64]:
    """(N, 2) px from the corner to one end, to the other (None: straight up), (N, 3) scores -> (N,) degrees.

    The scores are those of an end, the corner and the other end. Each joint's expected distance from its place turns
    the lines to it: first-order propagation of independent errors, bounded by MOST.
    """
    away = np.exp(at_half + slope * logit(scores, 1e-3)) * np.reshape(side, (-1, 1))
    turn = _inverse(first)
    squared = (away[:, 0] ** 2) * (turn**2).sum(axis=1)
    corner = -turn
    if second is not None:
        other = _inverse(second)
        squared = squared + (away[:, 2] ** 2) * (other**2).sum(axis=1)
        corner = other - turn
    squared = squared + (away[:, 1] ** 2) * (corner**2).sum(axis=1)
    return np.asarray(MOST * np.tanh(np.degrees(np.sqrt(squared)) / MOST))


def _inverse(arm: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) px -> (N, 2) radians per px: how an arm turns if its end moves along x and y."""
    length = np.maximum((arm**2).sum(axis=1, keepdims=True), 1e-12)
    return np.asarray(np.stack([-arm[:, 1], arm[:, 0]], axis=1) / length)
