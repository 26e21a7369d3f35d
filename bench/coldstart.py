"""From the start of a process to its first answered photo: the imports, the session, the first inference."""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from bench.photos import jpeg
from bench.processes import ROOT, report_of
from bench.report import Effort, table

# Lambda's order: imports and `warm` at start, then an event. `began` is when the process was started, so the
# interpreter's own start counts.
CHILD = """
import sys, time
began, photo = float(sys.argv[1]), sys.argv[2]
marks = {"interpreter": time.time()}
import base64, json, os
if sys.argv[3] == "parts":
    import numpy; marks["numpy"] = time.time()
    import cv2; marks["cv2"] = time.time()
    import onnxruntime; marks["onnxruntime"] = time.time()
else:
    os.environ["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:1"
import handler; marks["handler"] = time.time()
handler.estimator(); marks["model and session"] = time.time()
event = {"version": "2.0", "rawPath": "/pose", "rawQueryString": "format=png",
    "headers": {"content-type": "image/jpeg"},
    "requestContext": {"http": {"method": "POST", "path": "/pose"}},
    "body": base64.b64encode(open(photo, "rb").read()).decode(), "isBase64Encoded": True}
answer = handler.handler(event, None); marks["first photo"] = time.time()
assert answer["statusCode"] == 200, answer
warm = time.time(); handler.handler(event, None); warm = time.time() - warm
last, split = began, {}
for name, mark in marks.items():
    split[name], last = (mark - last) * 1e3, mark
print(json.dumps(split | {"whole": (last - began) * 1e3, "warm": warm * 1e3}))
"""


def run(effort: Effort) -> str:
    """The section of results.md."""
    count = max(5, effort.rounds // 2)
    with tempfile.NamedTemporaryFile(suffix=".jpg") as photo:
        photo.write(jpeg(1280))
        photo.flush()
        parts = _median([_start(photo.name, "parts") for _ in range(count)])
        local = _median([_start(photo.name, "lambda") for _ in range(count)])
        with s3_server() as environ:
            fetched = _median([_start(photo.name, "lambda", environ) for _ in range(count)])
    rows = [[name, *(round(found.get(name, 0.0)) for found in (parts, local, fetched))] for name in parts]
    return "\n\n".join(
        [
            "## Cold start",
            f"The default model, a 1,280-px JPEG, a drawn PNG; medians of {count} new processes, ms. The first column "
            "imports one after another to show the split; the others do as Lambda does (the model is loaded while the "
            "module is imported). `s3` fetches from a moto server on this machine, a new cache folder each time.",
            table(["", "one after another", "as Lambda, local model", "as Lambda, model from S3"], rows),
            "Budget: 1,000 ms with a local model, 1,300 ms with S3 (process start to first answered photo, two cores).",
        ]
    )


def _start(photo: str, mode: str, environ: dict[str, str] | None = None) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as cache:
        given = {"HPE_CACHE_DIR": cache, "HPE_LOG_LEVEL": "ERROR", **(environ or {})}
        return report_of(CHILD, str(time.time()), photo, mode, environ=given)


def _median(found: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.median([one[key] for one in found])) for key in found[0]}


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """A moto server on a free port of 127.0.0.1 that holds the default model -> environment for HPE_MODEL there."""
    import boto3

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",  # moto takes any
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "HPE_MODEL": "s3://hpe-bench/pose.json",
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **quiet)
    try:
        _wait_for(environ["AWS_ENDPOINT_URL"])
        keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "region_name": "us-east-1"}
        client = boto3.client("s3", endpoint_url=environ["AWS_ENDPOINT_URL"], **keys)
        client.create_bucket(Bucket="hpe-bench")
        for path in (ROOT / "models").glob("*.*"):
            client.upload_file(str(path), "hpe-bench", path.name)
        yield environ
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str, patience_s: float = 30.0) -> None:
    until = time.monotonic() + patience_s
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=2).read()
            return
        except (OSError, urllib.error.URLError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
