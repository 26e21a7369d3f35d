"""The same work on many jobs by several processes: results in the order of the jobs, few jobs under way at a time."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

J = TypeVar("J")
R = TypeVar("R")
Make = Callable[[], Callable[[Any], Any]]

_work: Callable[[Any], Any]


def in_order(make: Make, jobs: Iterable[J], processes: int, lost: Callable[[J], R]) -> Iterator[tuple[J, R]]:
    """Jobs -> (job, result) in their order. make: gives each process its worker, and is called there.

    lost: the result of a job whose process died, as one that needs too much memory does; the others are done again.
    """
    waiting: deque[tuple[J, Future[R] | None]] = deque()
    pool = _pool(make, processes)
    try:
        for job in jobs:
            waiting.append((job, _submit(pool, job)))
            if len(waiting) >= 3 * processes:
                pool, found = _next(make, processes, pool, waiting, lost)
                yield found
        while waiting:
            pool, found = _next(make, processes, pool, waiting, lost)
            yield found
        pool.shutdown()  # nothing is under way; a pipe that closes just when Python ends would be a traceback
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _pool(make: Make, processes: int) -> ProcessPoolExecutor:
    # a fork starts at once and shares what is loaded; elsewhere than on Linux it is not safe
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    return ProcessPoolExecutor(processes, context, initializer=_begin, initargs=(make,))


def _submit(pool: ProcessPoolExecutor, job: Any) -> "Future[Any] | None":
    try:
        return pool.submit(_do, job)
    except BrokenProcessPool:
        return None


def _next(
    make: Make,
    processes: int,
    pool: ProcessPoolExecutor,
    waiting: "deque[tuple[J, Future[R] | None]]",
    lost: Callable[[J], R],
) -> tuple[ProcessPoolExecutor, tuple[J, R]]:
    """The oldest job's result, and the pool to go on with: another one if a process of this one has died."""
    job, future = waiting.popleft()
    try:
        if future is None:
            raise BrokenProcessPool
        return pool, (job, future.result())
    except BrokenProcessPool:
        # nobody knows whose job it was: this one is tried alone, the others go to new processes
        pool.shutdown(wait=False, cancel_futures=True)
        with _pool(make, 1) as alone:
            try:
                result: R = alone.submit(_do, job).result()
            except BrokenProcessPool:
                result = lost(job)
        pool = _pool(make, processes)
        for at, (later, old) in enumerate(waiting):
            if old is None or not old.done() or old.cancelled() or old.exception() is not None:
                waiting[at] = (later, _submit(pool, later))
        return pool, (job, result)


def _begin(make: Make) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process: the first one decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _work = make()


def _end_with(parent: Any) -> None:
    """A first process that was killed takes the others along."""
    parent.join()
    os._exit(1)


def _do(job: Any) -> Any:
    return _work(job)
