"""Tables in Markdown, and bench/results.md, where every part replaces its own section."""

import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("results.md")
HEAD = """# Measured

`make bench` wrote this; each section names the command that makes it again. Times of one table were taken in one
run, its rows in turn, round by round: on a busy machine the ratios hold where the milliseconds do not.
"""


@dataclass(frozen=True)
class Effort:
    """How long to measure. rounds: of a paired timing. soak: requests of the soak test. load_s: seconds of each of
    the load test's six steps. option: of the command line. beside: another version's checkout to compare with."""

    rounds: int
    soak: int
    load_s: float
    option: str = ""
    beside: str = ""


QUICK = Effort(rounds=8, soak=200, load_s=2.0, option="--quick ")
NORMAL = Effort(rounds=14, soak=500, load_s=15.0)
FULL = Effort(rounds=50, soak=10_000, load_s=60.0, option="--full ")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """-> a Markdown table, the first column to the left, the others to the right."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(_text(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:.3g}" if abs(cell) < 10 else f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.1f}"
    return str(cell)


def write_section(name: str, order: Sequence[str], body: str, option: str = "") -> None:
    """Puts one part's text between its marks in results.md, keeps the other parts, and sorts them by `order`."""
    old = RESULTS.read_text() if RESULTS.exists() else ""
    parts = dict(re.findall(r"<!-- (\w+) -->\n(.*?)<!-- end -->", old, flags=re.DOTALL))
    parts[name] = f"{body.rstrip()}\n\n_{machine()}; `python -m bench {option}{name}`_\n"
    kept = [f"<!-- {key} -->\n{parts[key]}<!-- end -->\n" for key in order if key in parts]
    RESULTS.write_text("\n".join([HEAD, *kept]))


def machine() -> str:
    """The processor, its cores and today, in words."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())):
        flags = cpuinfo.read_text()
        best = next((f for f in ("avx512_vnni", "avx_vnni", "avx512bw", "avx2") if f in flags), "")
        model = f"{found[1].strip()} ({best})"
    busy = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, load {busy:.1f}, {datetime.now(UTC):%Y-%m-%d}"
