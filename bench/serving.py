"""The local server as a process of its own, and what it uses: memory, open files, temporary files."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SERVE: Final = ("-m", "hpe.cli", "serve", "--port", "0")
_START_S: Final = 120.0
_STOP_S: Final = 30.0


@dataclass(frozen=True)
class Usage:
    """megabytes: resident. files: open file descriptors. left: entries under the folder for temporary files."""

    megabytes: float
    files: int
    left: int


@dataclass(frozen=True)
class Served:
    """port: on 127.0.0.1. log: what it has written to stderr. temporary: its folder for temporary files."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path
    temporary: Path

    def usage(self) -> Usage:
        """As the kernel counts it (Linux alone)."""
        proc = Path("/proc", str(self.process.pid))
        pages = int((proc / "statm").read_text().split()[1])
        left = sum(1 for _ in self.temporary.rglob("*"))
        return Usage(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(list((proc / "fd").iterdir())), left)


@contextmanager
def serving(command: Sequence[str] = SERVE, **environ: str) -> Iterator[Served]:
    """Start the server (`command`: Python's arguments), wait until it is healthy; stop it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        log, temporary = Path(folder, "log"), Path(folder, "tmp")
        temporary.mkdir()
        mine = {"TMPDIR": str(temporary), "HPE_CACHE_DIR": str(Path(folder, "cache")), "HPE_LOG_LEVEL": "ERROR"}
        with log.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env={**os.environ, **mine, **environ}, stderr=sink
            )
        try:
            port = _port(process, log)
            _wait_until_healthy(process, port, log)
            yield Served(process, port, log, temporary)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        for line in log.read_text(errors="replace").splitlines(keepends=True):
            if line.startswith("Serving on ") and line.endswith("\n"):
                return int(line.split("127.0.0.1:")[1].split("/")[0])
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def _wait_until_healthy(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + _START_S
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_S)
        try:
            connection.request("GET", "/health")
            response = connection.getresponse()
            if json.loads(response.read()).get("status") == "ok":
                return
        finally:
            connection.close()
        time.sleep(0.1)
    raise RuntimeError(f"the server is not healthy: {log.read_text(errors='replace')[-2000:]}")
