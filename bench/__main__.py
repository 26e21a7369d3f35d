"""`python -m bench [PART ...]`: measure, and write bench/results.md.

Without names every part runs, in about eight minutes on two cores; --full takes longer and counts more, 10,000 requests
in the soak, and --quick only checks that everything works.
"""

import argparse
import dataclasses
import importlib
import time

from bench.report import FULL, NORMAL, QUICK, write_section

PARTS = (
    *("latency", "people", "everyday", "video", "cost", "coldstart", "memory", "folder", "soak", "load"),
    *("website", "private"),
)


def main() -> None:
    """Run the parts that are asked for, one after another, each into its section."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.replace("`", ""))
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)} [all]")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--quick", action="store_const", const=QUICK, dest="effort")
    group.add_argument("--full", action="store_const", const=FULL, dest="effort")
    parser.add_argument("--beside", metavar="CHECKOUT", default="", help="another version's, for everyday")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in asked.parts or PARTS:
        begin = time.perf_counter()
        effort = dataclasses.replace(asked.effort or NORMAL, beside=asked.beside)
        body = importlib.import_module(f"bench.{name}").run(effort)
        beside = "--beside CHECKOUT " if effort.beside and name == "everyday" else ""
        write_section(name, PARTS, body, effort.option + beside)
        print(f"{body}\n\n({name}: {time.perf_counter() - begin:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main()
