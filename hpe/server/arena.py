"""One heap for all threads, so that a server's memory stays where it is."""

import ctypes
import sys
from typing import Final

_M_ARENA_MAX: Final = -8  # of glibc's <malloc.h>


def share_one_arena() -> bool:
    """Have the C library serve every thread from one heap -> whether it will.

    glibc gives threads heaps of their own, up to eight a core. Each keeps what its largest photo left in it, and with a
    thread a connection all of them see large photos in time: 10,000 requests added 39 MB. Here one lock costs nothing,
    since threads allocate for milliseconds and compute for tens of them. Other C libraries are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1))
    except (OSError, AttributeError):  # musl has none
        return False
