"""`python -m fuzz [PART]`: both parts one after another, or one of them.

`uploads` is guided by coverage and needs fuzz/requirements.txt; `hostile` measures pictures made to eat time or memory.
What is found is written to build/fuzz/: `python -m fuzz.guided FILE` runs such a file again.
"""

import argparse
import sys

from fuzz.guided import FOLDER, have_atheris, run
from fuzz.measured import costs


def main() -> None:
    """Exit status 1 if anything was found, or a part could not run."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.replace("`", ""))
    parser.add_argument("part", nargs="?", choices=("all", "hostile", "uploads"), default="all")
    parser.add_argument("--seconds", type=int, default=300, help="of uploads [%(default)s]")
    parser.add_argument("--seed", type=int, default=1, help="of uploads [%(default)s]")
    asked = parser.parse_args()
    bad = asked.part in ("all", "hostile") and _hostile()
    if asked.part in ("all", "uploads"):
        bad |= _guided(asked.seconds, asked.seed)
    sys.exit(bad)


def _hostile() -> bool:
    print(f"{'':58}{'bytes':>12}{'ms':>9}{'CPU ms':>9}{'MB':>8}")
    bad = False
    for name, size, cost in costs():
        over = not cost.harmless or cost.wall_ms > 100 or cost.megabytes > 200
        bad |= not cost.harmless
        print(f"{name:58}{size:12,}{cost.wall_ms:9.1f}{cost.cpu_ms:9.1f}{cost.megabytes:8.1f}", end="  ")
        print(cost.outcome, "OVER 100 ms OR 200 MB" if over else "", flush=True)
    return bad


def _guided(seconds: int, seed: int) -> bool:
    if not have_atheris():
        print("NOT RUN: uploads: atheris is not installed; make fuzz installs it where it has a wheel (Linux, x86-64)")
        return True
    return run(seconds, seed, FOLDER) != 0


if __name__ == "__main__":
    main()
