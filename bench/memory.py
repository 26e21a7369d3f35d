"""Resident memory: after the imports, with a session, after requests."""

import tempfile
from pathlib import Path

from bench.photos import jpeg
from bench.processes import report_of
from bench.report import Effort, table

CHILD = """
import sys, json, logging
from bench.processes import peak_mb, rss_mb
marks = {"interpreter": rss_mb()}
import numpy, cv2, onnxruntime
from hpe.web.api import handle
from hpe.web.messages import Request
from hpe.settings import Settings
logging.getLogger("hpe").setLevel(logging.ERROR)
marks["imports"] = rss_mb()
from hpe.engine.estimator import PoseEstimator
found = PoseEstimator()
marks["with the session"] = rss_mb()
for path in sys.argv[1:]:
    body = open(path, "rb").read()
    for _ in range(3):
        sent = Request("POST", "/pose", {"format": "png"}, {"content-type": "image/jpeg"}, body)
        assert handle(sent, lambda: found, Settings()).status == 200
    marks["after photos of " + path.split("-")[-1].split(".")[0] + " px"] = rss_mb()
marks["peak"] = peak_mb()
print(json.dumps(marks))
"""


def run(effort: Effort) -> str:
    """The section of results.md."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"photo-{width}.jpg") for width in (640, 1280, 4000)]
        for path, width in zip(paths, (640, 1280, 4000), strict=True):
            path.write_bytes(jpeg(width))
        found = report_of(CHILD, *map(str, paths))
    text = "One process, the default model, three requests a size, a drawn PNG back."
    return "\n\n".join(
        ["## Memory", text, table(["", "resident MB"], [[name, round(mb)] for name, mb in found.items()])]
    )
