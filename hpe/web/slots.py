"""How many photos are looked at at once, and how many may wait: what comes beyond is told so at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hpe.errors import Busy


class Slots:
    """A gate with `concurrent` places and a queue of `queue`. Fuller than that, waiting longer would help nobody."""

    def __init__(self, concurrent: int, queue: int, patience_s: float = 20.0) -> None:
        self._limit = concurrent + queue
        self._patience_s = patience_s
        self._free = threading.Semaphore(concurrent)
        self._lock = threading.Lock()
        self._inside = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a place for a block. Raises Busy where the queue is full, or does not move."""
        with self._lock:
            if self._inside >= self._limit:
                raise Busy(f"{self._inside} photos are being looked at or wait", retry_after_s=2)
            self._inside += 1
        try:
            if not self._free.acquire(timeout=self._patience_s):
                raise Busy(f"no place became free in {self._patience_s:g} s", retry_after_s=5)
            try:
                yield
            finally:
                self._free.release()
        finally:
            with self._lock:
                self._inside -= 1
