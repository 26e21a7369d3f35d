"""What heatmaps' peaks and the locator's score are worth: scores of joints and of people, in 0..1."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.manifest import Calibration, PersonCalibration
from hpe.pose.logistic import logit, sigmoid

# Of a person's joints, those that count towards the person's score: a portrait shows no more.
_SCORE_JOINTS: Final[int] = 5
# Lower scores count as this one, as do joints outside the picture: there is nothing to be read in a flat heatmap.
_LEAST_JOINT: Final[float] = 0.1


def person_score(
    located: float | None, joints: NDArray[np.floating], calibration: PersonCalibration | None = None
) -> float:
    """How likely a person is there, 0..1: from the locator's score and the (16,) scores of the joints in its box.

    Scenery that looks like a person from afar has no joints from near by. With the model's calibration it is a
    probability; without one the locator's score times the square root of the mean of the five best joints' scores. That
    mean alone for a box that no locator found.
    """
    if located is None:
        return float(np.sort(joints)[-_SCORE_JOINTS:].mean())
    return float(person_scores(np.array([located]), joints[None], calibration)[0])


def person_scores(
    located: NDArray[np.floating], joints: NDArray[np.floating], calibration: PersonCalibration | None
) -> NDArray[np.float64]:
    """(K,) scores of the locator, (K, 16) of the joints -> (K,) `person_score` of each."""
    if calibration is None:
        return np.asarray(located * np.sqrt(np.sort(joints, axis=1)[:, -_SCORE_JOINTS:].mean(axis=1)), np.float64)
    weights = np.array([calibration.locator, calibration.joints])
    return np.asarray(sigmoid(person_evidence(located, joints) @ weights + calibration.intercept))


def person_evidence(located: NDArray[np.floating], joints: NDArray[np.floating]) -> NDArray[np.float64]:
    """(K,) scores of the locator, (K, 16) of the joints -> (K, 2) the first one's logit, and the five best's mean."""
    best = np.sort(joints, axis=1)[:, -_SCORE_JOINTS:].astype(np.float64)
    return np.column_stack([logit(located), logit(best, _LEAST_JOINT).mean(axis=1)])


def joint_scores(peaks: NDArray[np.float32], calibration: Calibration | None) -> NDArray[np.float32]:
    """Peak heights -> scores in 0..1: by the model's calibration, as they are without one."""
    if calibration is None:
        return np.clip(peaks, 0.0, 1.0).astype(np.float32)
    return sigmoid(calibration.slope * peaks.astype(np.float64) + calibration.intercept).astype(np.float32)
