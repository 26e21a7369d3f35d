"""(d) Resident memory: after the imports, with a session, after requests."""

from bench import figures
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
found = PoseEstimator(sys.argv[1] or None)
marks["with the session"] = rss_mb()
for path in sys.argv[2:]:
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
    from bench.models import BUILD, RESNET50
    from bench.posting import model_path

    paths = [BUILD / f"photo-{width}.jpg" for width in (640, 1280, 4000)]
    for path, width in zip(paths, (640, 1280, 4000), strict=True):
        path.write_bytes(jpeg(width))
    names = [str(path) for path in paths]
    small = report_of(CHILD, "", *names)
    big = report_of(CHILD, str(model_path(RESNET50)), *names)
    figures.keep("memory", {"default": small, "r50": big})
    rows = [[name, round(small[name]), round(big[name])] for name in small]
    head = ["resident, MB", "default model", RESNET50.name]
    return "\n\n".join(["## Memory", "One process, three requests a size.", table(head, rows)])
