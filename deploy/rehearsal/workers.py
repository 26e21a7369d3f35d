"""The processes in which the emulator runs the stack's functions, and how one is killed."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from deploy.build_package import ROOT


def kill_a_worker(function: str, at_work: Callable[[], bool], patience_s: float = 900) -> bool:
    """End one process of `function` (its whole name), without a word, once it is at work. False if it never was."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        pids = [pid for pid in _processes() if _runs(pid, function)]
        if pids and at_work():
            os.kill(pids[0], signal.SIGKILL)
            return True
        time.sleep(0.5)
    return False


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _runs(pid: int, function: str) -> bool:
    """Whether a process is the emulator's of this rehearsal, for the function."""
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    ours = f"MINISTACK_SSL_CERT={ROOT}".encode()
    named = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
    return named in environ and any(one.startswith(ours) for one in environ)
