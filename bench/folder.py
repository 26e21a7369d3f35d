"""`hpe predict FOLDER`: photos a second by processes, names of 100,000 photos, memory over a long run."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.photos import crowd, jpeg
from bench.processes import ROOT
from bench.report import Effort, table
from hpe.commands.predict.names import Namer
from hpe.commands.predict.photos import find_photos
from hpe.commands.predict.targets import Targets

_COMMAND = [sys.executable, "-c", "from hpe.cli import main; main()", "predict"]


def run(effort: Effort) -> str:
    """The section of results.md."""
    count = 200 if effort.rounds >= 14 else 24
    with _folder(count) as folder:
        few, rows = folder / "few", []
        for name, options in {"`--jobs 1`": ["--jobs", "1"], "as it is": []}.items():
            start = _seconds(few, options)
            rate = (count - 2) / (_seconds(folder / "all", options) - start)
            rows.append([name, f"{start:.2f}", f"{rate:.1f}"])
    text = (
        f"{count} JPEGs of 480 to 4,000 px with nobody to five people in them, to JSON; the start and two photos apart."
    )
    speeds = [text, table(["", "2 photos, s", "then photos a second"], rows)]
    return "\n\n".join(["## Folders", *speeds, _names(), _memory(20_000 if effort.rounds >= 50 else 500)])


@contextmanager
def _folder(count: int) -> Iterator[Path]:
    kinds = [jpeg(480), jpeg(1280), jpeg(4000), *(crowd(1280, people)[0] for people in (0, 2, 5))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, photos in (("few", 2), ("all", count)):
            (folder / part).mkdir()
            for number in range(photos):
                (folder / part / f"{number:05}.jpg").write_bytes(kinds[number % len(kinds)])
        yield folder


def _seconds(photos: Path, options: list[str]) -> float:
    begin = time.perf_counter()
    command = [*_COMMAND, str(photos), "--format", "json", *options]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - begin


def _names() -> str:
    with tempfile.TemporaryDirectory() as folder:
        for number in range(100_000):
            Path(folder, f"IMG_{number:06}.jpg").touch()
        begin = time.perf_counter()
        namer, photos = Namer(Targets("png", "out", own=True), [folder]), find_photos([folder])
        namer.target(next(photos))
        first = time.perf_counter() - begin
        for photo in photos:
            namer.target(photo)
        took = time.perf_counter() - begin
    return f"100,000 photos in one folder are listed and named in {took:.2f} s, the first after {first:.2f} s."


def _memory(count: int) -> str:
    small = jpeg(480)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            Path(folder, f"{number:05}.jpg").write_bytes(small)
        command = [*_COMMAND, folder, "--format", "json", "--jobs", "2"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout
            marks = {count // 10: "", count // 2: "", count - 10: ""}
            for number, _ in enumerate(process.stdout, 1):
                if number in marks:
                    marks[number] = " + ".join(f"{megabytes:.0f}" for megabytes in _resident(process.pid))
    return "MB of the first process and its two workers: " + "; ".join(
        f"{text} after {number:,} photos" for number, text in marks.items()
    )


def _resident(pid: int) -> list[float]:
    others = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = []
    for one in (str(pid), *others):
        line = next(row for row in Path(f"/proc/{one}/status").read_text().splitlines() if row.startswith("VmRSS"))
        found.append(int(line.split()[1]) / 1024)
    return found
