"""`python -m fuzz [PART]`: everything one after another, or one part of it.

`http` sends mutated uploads to a local server; `uploads` and `events` are guided by coverage and need
fuzz/requirements.txt; `hostile` measures pictures made to eat time or memory. What is found is written to
build/fuzz/: `replay` sends such a file of http again, `python -m fuzz.guided uploads FILE` runs one of the others.
"""

import argparse
import sys
from pathlib import Path

from fuzz.findings import FOLDER

TARGETS = ("uploads", "events")


def main() -> None:
    """Exit status 1 where anything was found, or where a part could not run."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.replace("`", ""))
    parser.add_argument("part", nargs="?", choices=("all", "hostile", "http", *TARGETS, "replay"), default="all")
    parser.add_argument("file", nargs="?", type=Path, help="the finding to replay")
    parser.add_argument("--count", type=int, default=20_000, help="requests of http [%(default)s]")
    parser.add_argument("--seconds", type=int, default=300, help="of each guided part [%(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same cases [%(default)s]")
    parser.add_argument("--stub", action="store_true", help="http: a stand-in for the network, many times as fast")
    asked = parser.parse_intermixed_args()
    if asked.part == "replay":
        if asked.file is None:
            parser.error("say which file to replay")
        sys.exit(_replay(asked.file, asked.stub))
    bad = False
    if asked.part in ("all", "hostile"):
        bad |= _hostile()
    if asked.part in ("all", "http"):
        bad |= _over_http(asked.count, asked.seed, asked.stub)
    for target in TARGETS:
        if asked.part in ("all", target):
            bad |= _guided(target, asked.seconds, asked.seed)
    sys.exit(bad)


def _over_http(count: int, seed: int, stub: bool) -> bool:
    from fuzz.over_http import run

    outcome = run(count, seed, FOLDER, stub, say=lambda line: print(line, flush=True))
    statuses: dict[int, int] = {}
    formats: dict[str, int] = {}
    for (kind, _, status), times in outcome.answers.items():
        statuses[status] = statuses.get(status, 0) + times
        formats[kind] = formats.get(kind, 0) + times
    print(f"seed {seed}: {count:,} requests in {outcome.took_s:.0f} s, slowest {outcome.slowest_s:.2f} s")
    print(f"by status (0: hung up on a cut-off request): {dict(sorted(statuses.items()))}")
    print(f"by format: {formats}")
    print("\n".join(outcome.findings) or "nothing found", flush=True)
    return bool(outcome.findings)


def _hostile() -> bool:
    from fuzz.measured import costs

    print(f"{'':58}{'bytes':>12}{'ms':>9}{'CPU ms':>9}{'MB':>8}")
    bad = False
    for name, size, cost in costs():
        over = not cost.harmless or cost.wall_ms > 100 or cost.megabytes > 200
        bad |= not cost.harmless
        print(f"{name:58}{size:12,}{cost.wall_ms:9.1f}{cost.cpu_ms:9.1f}{cost.megabytes:8.1f}", end="  ")
        print(cost.outcome, "OVER 100 ms OR 200 MB" if over else "", flush=True)
    return bad


def _guided(target: str, seconds: int, seed: int) -> bool:
    from fuzz.guided import have_atheris, run

    if not have_atheris():
        print(
            f"NOT RUN: {target}: atheris is not installed; make fuzz installs it where it has a wheel (Linux, x86-64)"
        )
        return True
    return run(target, seconds, seed, FOLDER) != 0


def _replay(path: Path, stub: bool) -> bool:
    from fuzz.over_http import replay

    words = replay(path.read_bytes(), stub)
    print(words)
    return "nothing wrong" not in words


if __name__ == "__main__":
    main()
