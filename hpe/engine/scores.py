"""What heatmaps' peaks and the locator's score are worth: scores of joints and of people, in 0..1."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import LIMB_GROUPS, Calibration, PersonCalibration
from hpe.pose.logistic import logit, sigmoid
from hpe.pose.skeleton import LIMB_JOINTS

# Of a person's joints, those that count towards the person's score: a portrait shows no more.
_SCORE_JOINTS: Final[int] = 5
# Whoever gives a box says that somebody is there, as a locator does with this score.
GIVEN: Final[float] = 0.9
# Lower scores count as this one, as do joints outside the picture: there is nothing to be read in a flat heatmap.
_LEAST_JOINT: Final[float] = 0.1
# The same where all limbs count: a person who is all there has more of them.
_LEAST_LIMB: Final[float] = 0.03
# Smaller people, as shares of the picture's longer side, count as this size.
_LEAST_SIZE: Final[float] = 0.015


def person_score(
    located: float | None, joints: NDArray[np.floating], calibration: PersonCalibration | None = None, size: float = 1.0
) -> float:
    """How likely a person is there, 0..1: from the locator's score and the (J,) scores of the joints in its box.

    Scenery that looks like a person from afar has no joints from near by. With the model's calibration it is a
    probability; without one the locator's score times the square root of the mean of the five best joints' scores.
    located: None for a box that no locator found, but whoever gave it; without a calibration that mean alone counts
    then. size: as of `sizes_in`.
    """
    if located is None and calibration is None:
        return float(np.sort(joints)[-_SCORE_JOINTS:].mean())
    located = GIVEN if located is None else located
    return float(person_scores(np.array([located]), joints[None], calibration, np.array([size]))[0])


def person_scores(
    located: NDArray[np.floating],
    joints: NDArray[np.floating],
    calibration: PersonCalibration | None,
    sizes: NDArray[np.floating],
) -> NDArray[np.float64]:
    """(K,) scores of the locator, (K, J) of the joints, (K,) sizes of `sizes_in` -> (K,) `person_score` of each."""
    if calibration is None:
        return np.asarray(located * np.sqrt(np.sort(joints, axis=1)[:, -_SCORE_JOINTS:].mean(axis=1)), np.float64)
    weights = np.array([calibration.locator, calibration.joints, calibration.size, *calibration.limbs])
    return np.asarray(sigmoid(person_evidence(located, joints, sizes) @ weights + calibration.intercept))


def person_evidence(
    located: NDArray[np.floating], joints: NDArray[np.floating], sizes: NDArray[np.floating]
) -> NDArray[np.float64]:
    """-> (K, 7): the locator's logit, the five best joints' mean logit, the size's log2, the limb joints' logits.

    The limb joints are sorted, the least sure first, and averaged in threes. By order and not by one mean: the
    least sure joints are often out of the picture, where they cost a skeleton nothing, while the others being unsure
    does. docs/runs.md has the figures.
    """
    best = np.sort(joints, axis=1)[:, -_SCORE_JOINTS:].astype(np.float64)
    limbs = np.sort(joints[:, list(LIMB_JOINTS)].astype(np.float64), axis=1)
    return np.column_stack(
        [
            logit(located),
            logit(best, _LEAST_JOINT).mean(axis=1),
            np.log2(np.maximum(sizes, _LEAST_SIZE)),
            logit(limbs, _LEAST_LIMB).reshape(len(limbs), LIMB_GROUPS, limbs.shape[1] // LIMB_GROUPS).mean(axis=2),
        ]
    )


def sizes_in(boxes: NDArray[np.floating], picture: tuple[int, ...]) -> NDArray[np.float64]:
    """(K, 4) boxes in px, the picture's (height, width) -> (K,) roots of their areas as shares of its longer side."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).astype(np.float64)
    return np.asarray(np.sqrt(sides.prod(axis=1)) / max(picture[:2]))


def joint_scores(peaks: NDArray[np.float32], calibration: Calibration | None) -> NDArray[np.float32]:
    """Peak heights -> scores in 0..1: by the model's calibration, as they are without one."""
    if calibration is None:
        return np.clip(peaks, 0.0, 1.0).astype(np.float32)
    return sigmoid(calibration.slope * peaks.astype(np.float64) + calibration.intercept).astype(np.float32)
