"""What heatmaps' peaks and the locator's score are worth: scores of joints and of people, in 0..1."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.manifest import Calibration, PersonCalibration

# Of a person's joints, those that count towards the person's score: a portrait shows no more.
_SCORE_JOINTS: Final[int] = 5
# Lower scores count as this one, as do joints outside the picture: there is nothing to be read in a flat heatmap.
_LEAST_JOINT: Final[float] = 0.1


def person_scores(
    located: NDArray[np.floating],
    joints: NDArray[np.floating],
    company: NDArray[np.floating],
    calibration: PersonCalibration | None = None,
) -> NDArray[np.float64]:
    """How likely a person is in each of K boxes, (K,) in 0..1.

    From the (K,) scores of the locator, the (K, 16) of the joints in each box, and `company_of` the boxes. Scenery that
    looks like a person from afar has no joints from near by. With the model's calibration it is a probability; without
    one the locator's score times the square root of the mean of the five best joints' scores.
    """
    if calibration is None:
        return np.asarray(located * np.sqrt(joints_score(joints)), np.float64)
    weights = np.array([calibration.locator, calibration.joints, calibration.company])
    values = person_evidence(located, joints, company) @ weights + calibration.intercept
    return np.asarray(1 / (1 + np.exp(-values)), np.float64)


def joints_score(joints: NDArray[np.floating]) -> NDArray[np.float64]:
    """(K, 16) scores of joints -> (K,) the mean of the five best: the person's score where no locator found the box."""
    return np.asarray(np.sort(joints, axis=1)[:, -_SCORE_JOINTS:].astype(np.float64).mean(axis=1))


def person_evidence(
    located: NDArray[np.floating], joints: NDArray[np.floating], company: NDArray[np.floating]
) -> NDArray[np.float64]:
    """`person_scores`' first three -> (K, 3): l, j and c of `PersonCalibration`."""
    best = np.sort(joints, axis=1)[:, -_SCORE_JOINTS:].astype(np.float64)
    return np.column_stack([_logits(located, 1e-6), _logits(best, _LEAST_JOINT).mean(axis=1), company])


def company_of(located: NDArray[np.floating]) -> NDArray[np.float64]:
    """(K,) scores of all the locator's boxes in a picture -> (K,) the logit of the surest other one, within -1..1."""
    if len(located) < 2:
        return np.full(len(located), -1.0)
    first, second = np.sort(located)[[-1, -2]]
    others = np.full(len(located), first)
    others[np.argmax(located)] = second
    return np.clip(_logits(others, 1e-6), -1.0, 1.0)


def _logits(scores: NDArray[np.floating], least: float) -> NDArray[np.float64]:
    kept = np.clip(np.asarray(scores, np.float64), least, 1 - 1e-6)
    return np.asarray(np.log(kept / (1 - kept)))


def joint_scores(peaks: NDArray[np.float32], calibration: Calibration | None) -> NDArray[np.float32]:
    """Peak heights -> scores in 0..1: by the model's calibration, as they are without one."""
    if calibration is None:
        return np.clip(peaks, 0.0, 1.0).astype(np.float32)
    logits = calibration.slope * peaks.astype(np.float64) + calibration.intercept
    return (1 / (1 + np.exp(-logits))).astype(np.float32)
