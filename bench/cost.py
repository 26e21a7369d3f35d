"""Dollars for 1,000 photos, by Lambda memory and people in the photo, from the times measured here and AWS's prices."""

from typing import Final

from bench import bill
from bench.people import COUNTS, WIDTH, measure
from bench.report import Effort, table
from hpe.batch.cost import GB_SECOND, LAMBDA_REQUEST

REQUEST: Final = LAMBDA_REQUEST + bill.API_UNIT
MB_PER_CORE: Final = 1_769
MEMORIES: Final = (1024, 1769, 3008, 3538)


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = [
        "## Cost",
        f"Warm requests for {WIDTH:,}-px JPEGs, drawn PNG out, $ per 1,000 photos without the free tier: GB-seconds, "
        "$0.20 per million invocations and $1.00 per million HTTP API calls; the data that leaves AWS is below. "
        "Below 1,769 MB Lambda gives part of a core: the time measured on one core is divided by that share. Two "
        "threads from 3,008 MB on (1.7 cores: the two-thread time divided by 0.85). The times are this machine's; "
        "arm64 was not timed: its column takes the same times at arm64's price; Graviton's own may differ.",
    ]
    head = ["people", *(f"{memory:,} MB" for memory in MEMORIES)]
    for name, price in GB_SECOND.items():
        rows = [[n, *(f"{dollars(n, memory, price, effort.rounds):.4f}" for memory in MEMORIES)] for n in COUNTS]
        text += [f"### {name}, $ per 1,000 photos", table(head, rows)]
    rows = [[n, *(round(milliseconds(n, memory, effort.rounds)) for memory in MEMORIES)] for n in COUNTS]
    return "\n\n".join([*text, "### The times behind them, ms", table(head, rows), *bill.sections(effort)])


def milliseconds(people: int, memory: int, rounds: int) -> float:
    """A warm request at this memory, from the times of one and two threads."""
    share = memory / MB_PER_CORE
    if share < 1.7:
        return measure(people, 1, rounds)["all"] / min(1.0, share)
    return measure(people, 2, rounds)["all"] / min(1.0, share / 2)


def dollars(people: int, memory: int, price: float, rounds: int) -> float:
    """1,000 photos."""
    return 1e3 * (memory / 1024 * milliseconds(people, memory, rounds) / 1e3 * price + REQUEST)
