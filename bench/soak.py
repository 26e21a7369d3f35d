"""(f) Many requests of mixed sizes and formats in one process of its own: memory stays flat."""

import json

from bench.processes import report_of
from bench.report import Effort, table

SIZES = (320, 640, 1280)
FORMATS = ("json", "png", "jpeg", "webp")
CHILD = """
import json, sys
import numpy
from bench.posting import request
from bench.processes import rss_mb
count, sizes, formats = int(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3])
rng, seen = numpy.random.default_rng(0), {}
points = {round(count * share) for share in (0.1, 0.25, 0.5, 0.75, 1.0)}
for done in range(1, count + 1):
    request(int(rng.choice(sizes)), None, format=str(rng.choice(formats)))
    if done in points:
        seen[done] = rss_mb()
print(json.dumps(seen))
"""


def run(effort: Effort) -> str:
    """The section of results.md."""

    seen = report_of(CHILD, str(effort.soak), json.dumps(SIZES), json.dumps(FORMATS))
    first, *_, last = seen.values()
    growth = last - first
    text = (
        f"{effort.soak:,} requests to `hpe.web.api.handle`, JPEGs of {', '.join(map(str, SIZES))} px by chance, "
        f"answers by chance in {', '.join(FORMATS)}. From the first tenth on memory changed by {growth:+.1f} MB."
    )
    rows = [[f"{int(done):,}", f"{megabytes:.1f}"] for done, megabytes in seen.items()]
    return "\n\n".join(["## Soak", text, table(["requests", "resident MB"], rows)])
