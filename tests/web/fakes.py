"""Stand-ins for what the web layer is given: an estimator that needs no model, and photos small enough to read."""

import io
from typing import Any

import numpy as np
from PIL import Image

from hpe.engine.card import ModelCard
from hpe.engine.inputs import checked_boxes
from hpe.errors import ModelUnavailable
from hpe.image.decode import DecodedImage
from hpe.pose.result import Pose
from hpe.settings import Settings
from hpe.web.api import handle
from hpe.web.messages import Request, Response

CARD = ModelCard("fake", "fake.onnx", "ab" * 32, 256, "none", 0.2, 0.2, 2.0)
BOUNDARY = "d74496d66958873e"


class FakeEstimator:
    """Finds `people` in every picture: joints on a diagonal, at fixed parts of its size, or of the boxes it is given.

    Remembers its calls.
    """

    card = CARD
    threshold = 0.2

    def __init__(self, people: int = 1) -> None:
        self.people = people
        self.calls: list[dict[str, Any]] = []

    def __call__(
        self,
        image: Any,
        *,
        max_people: int | None = None,
        boxes: Any = None,
        flip: bool | None = None,
        threshold: float | None = None,
    ) -> list[Pose]:
        assert isinstance(image, DecodedImage)
        assert image.rgb.dtype == np.uint8
        asked = {"shape": image.rgb.shape, "flip": flip, "threshold": threshold, "people": max_people, "boxes": boxes}
        self.calls.append(asked)
        width, height = image.width, image.height
        given = None if boxes is None else checked_boxes(boxes, height, width)
        frames = [(-0.5, -0.5, width - 0.5, height - 0.5)] * self.people if given is None else list(given)
        limit = self.threshold if threshold is None else threshold
        return [self._pose(frame, 0.75 * 0.9**n, limit) for n, frame in enumerate(frames)][:max_people]

    def _pose(self, frame: Any, score: float, limit: float) -> Pose:
        x0, y0, x1, y1 = frame
        part = np.linspace(0.1, 0.9, 16, dtype=np.float32)
        points = np.stack([x0 + part * (x1 - x0), y0 + part * (y1 - y0)], axis=1).astype(np.float32)
        scores = np.linspace(0.05, 0.95, 16, dtype=np.float32)
        return Pose(points, scores, np.concatenate([points.min(axis=0), points.max(axis=0)]), score, limit)


def no_model() -> Any:
    """An estimator source whose model cannot be had."""
    raise ModelUnavailable("s3://models/pose.onnx: no such key", retry_after_s=7)


def photo(width: int = 96, height: int = 64, format: str = "JPEG", **options: Any) -> bytes:
    """A smooth colour ramp as an image file."""
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, width)[None, :]
    ramp[..., 1] = np.linspace(0, 255, height)[:, None]
    ramp[..., 2] = 120
    out = io.BytesIO()
    Image.fromarray(ramp).save(out, format, **options)
    return out.getvalue()


def part(
    data: bytes, name: str | None = "image", filename: str | None = "photo.jpg", kind: str = "image/jpeg"
) -> bytes:
    """One part of a form, its headers included."""
    disposition = "form-data"
    disposition += f'; name="{name}"' if name is not None else ""
    disposition += f'; filename="{filename}"' if filename is not None else ""
    head = f"Content-Disposition: {disposition}\r\n" + (f"Content-Type: {kind}\r\n" if kind else "")
    return head.encode() + b"\r\n" + data


def form(*parts: bytes, boundary: str = BOUNDARY) -> bytes:
    """Parts -> a multipart/form-data body."""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + one + b"\r\n" for one in parts)
    return body + b"--" + boundary.encode() + b"--\r\n"


def post(
    body: bytes,
    content_type: str = "image/jpeg",
    *,
    estimator: Any = None,
    settings: Settings | None = None,
    headers: dict[str, str] | None = None,
    **query: str,
) -> Response:
    """POST /pose, answered with a fake estimator."""
    found = FakeEstimator() if estimator is None else estimator
    request = Request("POST", "/pose", query, {"content-type": content_type, **(headers or {})}, body)
    return handle(request, lambda: found, settings or Settings())
