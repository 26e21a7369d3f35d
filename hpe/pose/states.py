"""What is to be said of each joint of a person: seen, hidden, beyond the picture's edge, or not known.

A network says where a joint would be and how sure it is. From that, and from where the picture ends, two logistic
regressions tell whether a joint lies beyond the edge and whether something is before it. `python -m
hpe.measure.fit_joints` fits them on labels that say what could not be seen, also in photos cut through a person.

J joints, F figures.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from hpe.pose.logistic import logit, sigmoid
from hpe.pose.skeleton import FLIP_ORDER, INDEX, LIMB_JOINTS

State = Literal["visible", "hidden", "outside", "unsure"]
Figures = NDArray[np.float64]

# A box nearer to the picture's edge touches it: a share of the picture's side.
TOUCHES: Final[float] = 0.01
# Of scores' logits, so that one joint cannot outweigh all else.
LEAST: Final[float] = 0.01
MOST: Final[float] = 0.995
# Weights of the figures, and an intercept.
OUTSIDE: Final[tuple[float, ...]] = (-2.05, -1.37, -2.95, -1.04)
HIDDEN: Final[tuple[float, ...]] = (-0.56, 0.22, -0.15, 1.35, 0.46, 0.54, -3.29)
# From these probabilities on it is said. Of the joints called hidden at 0.45, half are.
SURELY_OUTSIDE: Final[float] = 0.5
MAYBE_HIDDEN: Final[float] = 0.45


def states(
    points: NDArray[np.floating],
    scores: NDArray[np.floating],
    confident: NDArray[np.bool_],
    box: NDArray[np.floating],
    size: tuple[int, int] | None,
) -> list[State]:
    """(J, 2) px, (J,), (J,) bool, (4,) px, the picture's (width, height) if known -> each joint's state.

    A confident joint is visible or hidden; another one may be hidden, or outside, or else unsure. Only arms and legs
    are ever called hidden.
    """
    gap = gaps(points, box, size)
    beyond = sigmoid(outside_figures(scores, gap) @ np.array(OUTSIDE[:-1]) + OUTSIDE[-1]) >= SURELY_OUTSIDE
    # a joint found outside the picture scores 0; without an edge near it there is nothing to lie behind
    outside = (scores <= 0) | (beyond & ~confident & (gap < MOST_GAP))
    hidden = np.zeros(len(points), np.bool_)
    limbs = list(LIMB_JOINTS)
    likely = sigmoid(hidden_figures(points, scores, box, gap) @ np.array(HIDDEN[:-1]) + HIDDEN[-1])
    hidden[limbs] = likely >= MAYBE_HIDDEN
    return [
        "outside" if out else "hidden" if behind else "visible" if sure else "unsure"
        for out, behind, sure in zip(outside, hidden, confident, strict=True)
    ]


# Box sides: further from an edge makes no difference.
MOST_GAP: Final[float] = 2.0
_NEAR: Final[float] = 0.3


def gaps(points: NDArray[np.floating], box: NDArray[np.floating], size: tuple[int, int] | None) -> Figures:
    """(J, 2), (4,) px -> (J,) from each joint to the nearest edge of the picture that the box touches, in box sides.

    At most MOST_GAP, which also stands for no such edge; below 0 beyond it.
    """
    far = np.full(len(points), MOST_GAP)
    if size is None:
        return far
    edges = np.array([0, 0, *size], np.float64) - 0.5
    room = np.array([*size, *size]) * TOUCHES + 1
    touched = np.array([box[0], box[1], -box[2], -box[3]]) <= np.array([*edges[:2], *-edges[2:]]) + room
    within = np.concatenate([points - edges[:2], edges[2:] - points], axis=1) / _side(box)
    return np.asarray(np.where(touched, within, MOST_GAP).min(axis=1, initial=MOST_GAP), np.float64)


def _side(box: NDArray[np.floating]) -> float:
    return max(float((box[2:] - box[:2]).max()), 1.0)


def _logits(scores: NDArray[np.floating]) -> Figures:
    return logit(np.clip(np.asarray(scores, np.float64), LEAST, MOST))


def outside_figures(scores: NDArray[np.floating], gap: Figures) -> Figures:
    """(J,) scores, (J,) `gaps` -> (J, 3): the score's logit, and how near the edge is, near by twice."""
    return np.column_stack([_logits(scores), gap, np.minimum(gap, _NEAR)])


def hidden_figures(
    points: NDArray[np.floating], scores: NDArray[np.floating], box: NDArray[np.floating], gap: Figures
) -> Figures:
    """(J, 2) px, (J,), (4,) px, (J,) -> (12, 6) of the joints of arms and legs.

    The score's logit, the mean of the person's five best, that of the same joint of the other side, how far apart the
    shoulders are (seen from the side, one arm hides the other), how far down in the box the joint is, and its gap.
    """
    limbs, values = list(LIMB_JOINTS), _logits(scores)
    best = np.full(len(limbs), np.sort(values)[-5:].mean())
    other = values[[FLIP_ORDER[joint] for joint in limbs]]
    across = points[INDEX["left_shoulder"]] - points[INDEX["right_shoulder"]]
    apart = np.full(len(limbs), np.hypot(*across) / _side(box))
    down = (points[limbs, 1] - box[1]) / max(float(box[3] - box[1]), 1.0)
    return np.column_stack([values[limbs], best, other, apart, down, gap[limbs]])
