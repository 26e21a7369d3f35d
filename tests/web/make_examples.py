"""Writes hpe/web/examples.json: the OpenAPI document's worked examples of POST /pose, as curl and what answers it.

`python tests/web/make_examples.py`, after every change of a format. tests/web/test_examples.py runs each of them.
"""

import json
import shlex
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from make_skeleton import HEIGHT, WIDTH, figure
from web.fakes import BOUNDARY, form, part, photo

from hpe.engine.card import ModelCard
from hpe.pose.result import Pose
from hpe.settings import Settings
from hpe.web.api import handle
from hpe.web.messages import Request, Response
from hpe.web.openapi import EXAMPLES

CURL: Final = "curl --fail-with-body -F image=@photo.jpg"
# name: what it is, and the request
COMMANDS: Final = {
    "json": ("Everybody's keypoints", f"{CURL} 'https://API/pose?format=json'"),
    "include": (
        "Angles, and COCO's form of the same people",
        f"{CURL} 'https://API/pose?format=json&include=angles,coco'",
    ),
    "several": (
        "Several photos in one request, one of them not a photo",
        f"{CURL} -F image=@notes.txt 'https://API/pose?format=json'",
    ),
    "coco": ("COCO's results", f"{CURL} 'https://API/pose?format=coco'"),
    "openpose": ("OpenPose's JSON, BODY_25", f"{CURL} 'https://API/pose?format=openpose'"),
    "openpose-18": ("OpenPose's 18 joints, for ControlNet's editors", f"{CURL} 'https://API/pose?format=openpose-18'"),
    "csv": ("A table, a row for each joint", f"{CURL} 'https://API/pose?format=csv'"),
    "yolo": ("Ultralytics' label text, to train with", f"{CURL} 'https://API/pose?format=yolo'"),
    "svg": ("The skeletons alone, to lay over the photo", f"{CURL} 'https://API/pose?format=svg'"),
    "png": ("The photo with everybody drawn", f"{CURL} 'https://API/pose' -o pose.png"),
    "controlnet": ("The picture that ControlNet reads", f"{CURL} 'https://API/pose?format=controlnet' -o control.png"),
    "jpeg": ("The drawn photo as JPEG", f"{CURL} 'https://API/pose?format=jpeg' -o pose.jpg"),
    "webp": ("The drawn photo as WebP", f"{CURL} 'https://API/pose?format=webp' -o pose.webp"),
}
SIZE: Final = (WIDTH // 2, HEIGHT // 2)


class Figure:
    """An estimator that sees the figure of docs/skeleton.png in every photo, unsure of its left foot."""

    card = ModelCard("pose", "pose.onnx", "ab" * 32, 256, "none", 0.4, 0.4, 2.0)
    threshold = 0.4

    def __call__(self, image: Any, **asked: Any) -> list[Pose]:
        pose = figure().scaled(0.5, 0.5)
        scores = np.linspace(0.6, 0.98, len(pose.points))
        scores[5] = 0.21
        limit = self.threshold if asked.get("threshold") is None else asked["threshold"]
        return [Pose(pose.points, scores, pose.box, 0.91, limit, SIZE)]


def answered(command: str) -> Response:
    """What the API answers to a curl command of the examples."""
    words = shlex.split(command)
    (url,) = (urlsplit(word) for word in words if word.startswith("https://API"))
    files = [word.partition("@")[2] for word in words if word.startswith("image=@")]
    sent = [part(photo(*SIZE) if file.endswith(".jpg") else b"no photo", "image", file) for file in files]
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return handle(Request("POST", url.path, dict(parse_qsl(url.query)), headers, form(*sent)), Figure, Settings())


def value_of(response: Response) -> Any:
    """An answer as its example's value; None for a picture, whose bytes say nothing to a reader."""
    media_type = response.headers["Content-Type"].partition(";")[0]
    if media_type == "application/json":
        return _calm(json.loads(response.body))
    if media_type.startswith("text/") or media_type == "image/svg+xml":
        return response.body.decode()
    return None


def _calm(value: Any) -> Any:
    """The same times on every machine."""
    if isinstance(value, list):
        return [_calm(one) for one in value]
    if isinstance(value, dict) and "timings_ms" in value:
        return {**value, "timings_ms": {"decode": 4.1, "infer": 61.3}}
    return value


def examples() -> dict[str, dict[str, Any]]:
    """{media type: {name: an Example Object}}, each answer as the API gives it now."""
    found: dict[str, dict[str, Any]] = {}
    for name, (summary, command) in COMMANDS.items():
        response = answered(command)
        value = value_of(response)
        entry = {"summary": summary, "description": f"`{command}`", **({} if value is None else {"value": value})}
        found.setdefault(response.headers["Content-Type"].partition(";")[0], {})[name] = entry
    return found


if __name__ == "__main__":
    lines = ",\n".join(f" {json.dumps(kind)}: {json.dumps(entry)}" for kind, entry in examples().items())
    EXAMPLES.write_text(f"{{\n{lines}\n}}\n")
    sys.stdout.write(f"{EXAMPLES}: {EXAMPLES.stat().st_size} bytes\n")
