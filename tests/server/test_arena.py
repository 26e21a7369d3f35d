"""The server's threads share one heap, as the C library itself reports it."""

import platform
import subprocess
import sys

import pytest

# Threads that each hold memory while all others do; then the heaps that glibc's malloc_info lists.
SCRIPT = """
import ctypes, os, sys, threading
from hpe.server.arena import share_one_arena
if sys.argv[1] == "one":
    assert share_one_arena()
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.fdopen.restype = ctypes.c_void_p
meeting = threading.Barrier(6)
def hold():
    libc.malloc(1000)
    meeting.wait(30)
threads = [threading.Thread(target=hold) for _ in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
read, write = os.pipe()
stream = ctypes.c_void_p(libc.fdopen(write, b"w"))
libc.malloc_info(0, stream)
libc.fclose(stream)
print(os.read(read, 1 << 16).decode().count("<heap nr="))
"""


def heaps(mode: str) -> int:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, mode], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc gives threads heaps of their own")
def test_threads_share_one_arena() -> None:
    assert heaps("many") > 1, "without the call there are several, or this test shows nothing"
    assert heaps("one") == 1


def test_another_system_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpe.server.arena import share_one_arena

    monkeypatch.setattr(sys, "platform", "darwin")
    assert share_one_arena() is False
