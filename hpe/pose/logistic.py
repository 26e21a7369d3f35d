"""Scores and their logits."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def sigmoid(logits: ArrayLike) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) of each."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(logits, np.float64))))


def logit(scores: ArrayLike, least: float = 1e-6) -> NDArray[np.float64]:
    """log(s / (1 - s)) of scores in 0..1, at least `least` and hardly below 1, where it would be infinite."""
    kept = np.clip(np.asarray(scores, np.float64), least, 1 - min(least, 1e-6))
    return np.asarray(np.log(kept / (1 - kept)))
