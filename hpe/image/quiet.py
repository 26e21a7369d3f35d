"""C libraries' remarks on odd photos, kept to themselves while a photo is decoded.

libjpeg has a line for each damaged place, libtiff 6,222 for one fax of 400 kB, and neither can be told otherwise from
here. Both print to C's `stderr`, a pointer: for the moment it points to a file that goes nowhere. Descriptor 2 stays
as it is, so that Python's own output, other processes and crash reports are heard.
"""

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_lock = threading.Lock()
_inside = 0
_heard: int | None = None


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """What C code prints to stderr goes nowhere meanwhile, in all threads: where it can be set: glibc, macOS.

    Elsewhere nothing changes.
    """
    global _inside, _heard
    pointer, nowhere = _stderr()
    if pointer is None or nowhere is None:
        yield
        return
    with _lock:
        if _inside == 0:
            _heard, pointer.value = pointer.value, nowhere
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                pointer.value = _heard


@cache
def _stderr() -> tuple[ctypes.c_void_p | None, int | None]:
    """C's variable `stderr`, and a FILE that goes nowhere; None where there is no such variable, or it is constant."""
    name = {"linux": "stderr", "darwin": "__stderrp"}.get(sys.platform)
    if name is None:
        return None, None
    try:
        c = ctypes.CDLL(None)
        if sys.platform == "linux":
            _ = c.gnu_get_libc_version  # musl's pointer lies in memory that cannot be written to
        c.fopen.restype = ctypes.c_void_p
        return ctypes.c_void_p.in_dll(c, name), c.fopen(os.devnull.encode(), b"w")
    except (OSError, ValueError, AttributeError):
        return None, None
