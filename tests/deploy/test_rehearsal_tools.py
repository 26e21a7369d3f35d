"""The rehearsal leaves no process behind, however it ends, and says what failed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.rehearsal.tools import RehearsalError, run, start, stop

ROOT = Path(__file__).resolve().parents[2]
# Writes the ids of itself and of a child, and both wait for long.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1] + ".part", "w").write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(600)
"""


def eventually(holds: object, timeout_s: float = 60) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
def test_stop_ends_a_process_and_its_children(tmp_path: Path) -> None:
    noted = tmp_path / "pids"
    process = start([sys.executable, "-c", PARENT, noted], stdout=subprocess.DEVNULL)
    assert eventually(noted.exists)
    pids = [int(pid) for pid in noted.read_text().split()]
    assert all(lives(pid) for pid in pids)
    stop(process)
    assert eventually(lambda: not any(lives(pid) for pid in pids))


@linux
def test_what_was_started_dies_with_a_rehearsal_that_is_killed(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    script = (
        "import subprocess, sys, time\n"
        "from deploy.rehearsal.tools import start\n"
        "child = start([sys.executable, '-c', 'import time; time.sleep(600)'], stdout=subprocess.DEVNULL)\n"
        f"open({str(noted)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)\n"
    )
    rehearsal = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    assert eventually(lambda: noted.exists() and noted.read_text())
    pid = int(noted.read_text())
    assert lives(pid)
    os.kill(rehearsal.pid, signal.SIGKILL)
    rehearsal.wait()
    assert eventually(lambda: not lives(pid))


def test_failed_command_is_named_with_what_it_said() -> None:
    with pytest.raises(RehearsalError, match=r"ended with 3:\nno such registry"):
        run([sys.executable, "-c", "print('no such registry'); raise SystemExit(3)"])


def test_command_that_hangs_is_ended_and_named() -> None:
    with pytest.raises(RehearsalError, match=r"has not ended after 0\.5 s"):
        run([sys.executable, "-c", "import time; time.sleep(600)"], timeout_s=0.5)
