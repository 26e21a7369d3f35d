"""hpe.web.slots: so many at once, so many waiting, the rest told at once."""

import threading
import time

import pytest

from hpe.errors import Busy
from hpe.web.slots import Slots


def test_no_more_run_at_once_than_may_and_the_queue_is_served() -> None:
    slots, now, most = Slots(2, 10), [], [0]
    lock = threading.Lock()

    def work() -> None:
        with slots.taken():
            with lock:
                now.append(1)
                most[0] = max(most[0], len(now))
            time.sleep(0.03)
            with lock:
                now.pop()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [2]


def test_a_full_queue_refuses_at_once_and_opens_again() -> None:
    slots, release, inside = Slots(1, 1), threading.Event(), threading.Barrier(2)

    def hold(first: bool) -> None:
        with slots.taken():
            if first:
                inside.wait()
            release.wait()

    threads = [threading.Thread(target=hold, args=(True,))]
    threads[0].start()
    inside.wait()
    threads.append(threading.Thread(target=hold, args=(False,)))
    threads[1].start()
    while slots._inside < 2:
        time.sleep(0.005)
    began = time.perf_counter()
    with pytest.raises(Busy) as caught, slots.taken():
        pass
    assert time.perf_counter() - began < 0.5
    assert caught.value.retry_after_s >= 1
    release.set()
    for thread in threads:
        thread.join()
    with slots.taken():
        pass


def test_waiting_ends() -> None:
    slots = Slots(1, 1, patience_s=0.05)
    with slots.taken(), pytest.raises(Busy, match=r"0\.05"), slots.taken():
        pass
    with slots.taken():
        pass


def test_an_error_gives_the_place_back() -> None:
    slots = Slots(1, 0)
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), slots.taken():
            raise ValueError("x")
