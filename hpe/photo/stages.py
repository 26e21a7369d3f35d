"""What each stage of one photo took: decode, infer, draw, encode."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stages:
    """ms: the time of each stage so far, milliseconds, in the order in which they ran."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block as one stage; one that comes again is added up."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.ms[name] = self.ms.get(name, 0.0) + (time.perf_counter() - began) * 1000

    def rounded(self) -> dict[str, float]:
        """As answers and logs have them: to a tenth of a millisecond."""
        return {name: round(took, 1) for name, took in self.ms.items()}

    def server_timing(self) -> str:
        """As a Server-Timing header's value."""
        return ", ".join(f"{name};dur={took:.1f}" for name, took in self.ms.items())
