"""Paired timing: every variant runs once a round, in a new order each round, in one process.

A busy machine then slows all of them alike, and the ratios hold where the milliseconds do not.
"""

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Times:
    """One variant's seconds, one a round."""

    seconds: NDArray[np.float64]

    @property
    def median_ms(self) -> float:
        return float(np.median(self.seconds)) * 1e3

    @property
    def min_ms(self) -> float:
        return float(self.seconds.min()) * 1e3

    def over(self, other: "Times") -> float:
        """How many times as long as `other`: the median of the rounds' own ratios."""
        return float(np.median(self.seconds / other.seconds))


def paired(
    calls: Mapping[str, Callable[[], Any]], rounds: int, warm: int = 2, limit_s: float = 60.0
) -> dict[str, Times]:
    """Runs every call `rounds` times (fewer, at least 5, when `limit_s` is used up) -> its times."""
    rng = np.random.default_rng(0)
    names = list(calls)
    for name in names:
        for _ in range(warm):
            calls[name]()
    found: dict[str, list[float]] = {name: [] for name in names}
    begin = time.perf_counter()
    gc.disable()
    try:
        for done in range(rounds):
            if done >= 5 and time.perf_counter() - begin > limit_s:
                break
            for name in rng.permutation(names):
                start = time.perf_counter()
                calls[name]()
                found[name].append(time.perf_counter() - start)
    finally:
        gc.enable()
    return {name: Times(np.array(seconds)) for name, seconds in found.items()}
