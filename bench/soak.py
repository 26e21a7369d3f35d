"""(f) Many requests of mixed sizes and formats in one process: memory stays flat."""

import numpy as np

from bench.posting import request
from bench.processes import rss_mb
from bench.report import Effort, table

SIZES = (320, 640, 1280)
FORMATS = ("json", "png", "jpeg", "webp")


def run(effort: Effort) -> str:
    """The section of results.md."""
    rng = np.random.default_rng(0)
    points = [round(effort.soak * share) for share in (0.1, 0.25, 0.5, 0.75, 1.0)]
    rows: list[list[object]] = []
    for done in range(1, effort.soak + 1):
        request(int(rng.choice(SIZES)), None, format=str(rng.choice(FORMATS)))
        if done in points:
            rows.append([f"{done:,}", f"{rss_mb():.1f}"])
    growth = float(str(rows[-1][1])) - float(str(rows[0][1]))
    text = (
        f"{effort.soak:,} requests to `hpe.web.api.handle`, JPEGs of {', '.join(map(str, SIZES))} px by chance, "
        f"answers by chance in {', '.join(FORMATS)}. From the first tenth on memory changed by {growth:+.1f} MB."
    )
    return "\n\n".join(["## Soak", text, table(["requests", "resident MB"], rows)])
