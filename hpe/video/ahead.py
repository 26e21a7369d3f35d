"""An iterator that runs a little ahead in a thread of its own: one frame is decoded while another is analysed."""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, TypeVar

T = TypeVar("T")
_FRAMES: Final = 3
_END: Final = object()


def ahead(source: Iterator[T], most: int = _FRAMES) -> Iterator[T]:
    """What `source` gives, up to `most` at a time prepared beforehand; its exception comes where it was raised."""
    ready: queue.Queue[Any] = queue.Queue(most)
    stop = threading.Event()

    def put(item: object) -> bool:
        while not stop.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=0.2)
                return True
        return False

    def run() -> None:
        try:
            for item in source:
                if not put((item, None)):
                    return
            put(_END)
        except BaseException as error:  # whatever it is, whoever iterates gets it
            put((None, error))

    thread = threading.Thread(target=run, daemon=True, name="hpe-ahead")
    thread.start()
    try:
        while (got := ready.get()) is not _END:
            item, error = got
            if error is not None:
                raise error
            yield item
    finally:
        stop.set()
        thread.join()
