"""(e) Photos a second through `hpe predict FOLDER`."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.photos import jpeg
from bench.processes import ROOT
from bench.report import Effort, table


def run(effort: Effort) -> str:
    """The section of results.md."""
    count = max(20, effort.rounds * 3)
    rows = []
    for width in (640, 1280):
        for kind in ("json", "jpg"):
            few, many = (_seconds(width, kind, n) for n in (2, count + 2))
            rows.append([f"{width} px to {kind}", f"{few:.2f}", f"{count / (many - few):.1f}"])
    text = f"Folders of {count} JPEGs; the start of the command and its first two photos counted apart."
    return "\n\n".join(["## Folders", text, table(["", "2 photos, s", "then photos a second"], rows)])


def _seconds(width: int, kind: str, count: int) -> float:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        for number in range(count):
            Path(folder, f"{number}.jpg").write_bytes(jpeg(width))
        target = ["--format", "json"] if kind == "json" else ["--format", "jpeg", "-o", out]
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", "from hpe.cli import main; main()", "predict", folder, *target],
            cwd=ROOT,
            env=os.environ | {"HPE_LOG_LEVEL": "ERROR"},
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - begin
