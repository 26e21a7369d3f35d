"""What is fuzzed under the guidance of coverage: one input as bytes -> nothing, or the exception that is a finding."""

import contextlib
import json
import logging
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fuzz.mutate import mutated
from fuzz.seeds import BOUNDARY, form_of, seeds
from hpe.engine.manifest import ModelCard
from hpe.pose.result import Pose

_EVENTS: Final = Path(__file__).parents[1] / "tests" / "events"
# Enough to decode any seed, and little enough that no honest input takes long.
_MAX_PIXELS: Final = 4_000_000
_MAX_SIDE: Final = 400
_MAX_PARTS: Final = 20
_MAX_FRAMES: Final = 100
_ODD: Final[Sequence[Any]] = (
    None, True, -1, 1e308, "", "\ufffd", "\ud800", "/pose", "POST", "%ff%00", "a" * 300, [], {}, [[]], {"": None},
)  # fmt: skip


class Stub:
    """Stands in for the network: joints on a diagonal of whatever picture comes."""

    card = ModelCard("stub", "stub.onnx", "00" * 32, 160, "none", 0.2, 0.2, 2.0)
    threshold = 0.2

    def __call__(self, image: NDArray[np.uint8], *, threshold: float | None = None, **_: Any) -> list[Pose]:
        """(H, W, 3) uint8 RGB -> one person."""
        height, width = image.shape[:2]
        part = np.linspace(0.1, 0.9, 16, dtype=np.float32)
        points = np.stack([part * width, part * height], axis=1) - 0.5
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        return [Pose(points, part, box, 0.75, self.threshold if threshold is None else threshold)]


def one_upload(data: bytes) -> None:
    """A line with a Content-Type, then a body -> the photo in it, decoded. Only errors of ours may come of it."""
    from hpe.errors import HpeError
    from hpe.image.decode import Limits, decode_image
    from hpe.web.multipart import read_body

    content_type, _, body = data.partition(b"\n")
    warnings.filterwarnings("ignore", module="PIL")  # as the server does
    with contextlib.suppress(HpeError):
        photo, _ = read_body(body, content_type.decode("latin-1"), _MAX_PARTS)
        image = decode_image(photo, Limits(len(data), _MAX_PIXELS, _MAX_FRAMES), _MAX_SIDE)
        if image.rgb.ndim != 3 or image.rgb.shape[2] != 3 or image.rgb.dtype != "uint8" or not image.rgb.size:
            raise AssertionError(f"a picture of {image.rgb.shape} {image.rgb.dtype}")


def one_event(data: bytes) -> None:
    """JSON -> the gateway's event -> an answer in the gateway's form, below 500."""
    from hpe.settings import Settings
    from hpe.web.api import handle_event

    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return
    logging.getLogger("hpe").setLevel(logging.CRITICAL)
    answer = handle_event(event, "fuzz", Stub, Settings(max_pixels=_MAX_PIXELS))
    json.dumps(answer)
    if not (200 <= answer["statusCode"] < 500 and isinstance(answer["body"], str)):
        raise AssertionError(f"answered {answer['statusCode']}")


def hurt_upload(data: bytes, rng: random.Random) -> bytes:
    """Mutate the body, or (seldom) the line before it."""
    content_type, _, body = data.partition(b"\n")
    others = list(seeds().values())
    if rng.random() < 0.15:
        return mutated(content_type, rng, [b"; boundary=", BOUNDARY.encode()]) + b"\n" + body
    return content_type + b"\n" + mutated(body, rng, others)


def hurt_event(data: bytes, rng: random.Random) -> bytes:
    """Replace, add or drop something anywhere in the JSON: bytes flipped in it would seldom leave JSON."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return rng.choice(list(event_seeds().values()))
    inside = event
    while isinstance(inside, dict | list) and inside:
        key = rng.choice(list(inside)) if isinstance(inside, dict) else rng.randrange(len(inside))
        deeper = inside[key]
        if isinstance(deeper, dict | list) and deeper and rng.random() < 0.7:
            inside = deeper
            continue
        if rng.random() < 0.2:
            del inside[key]
        elif isinstance(deeper, str) and rng.random() < 0.5:
            inside[key] = mutated(deeper.encode("utf-8", "surrogatepass"), rng, [b"/", b"%", b"="]).decode("latin-1")
        else:
            inside[key] = rng.choice(_ODD)
        break
    return json.dumps(event).encode()


def upload_seeds() -> Mapping[str, bytes]:
    """Every seed as it is, and in a form."""
    found: dict[str, bytes] = {}
    for name, photo in seeds().items():
        kind = name.partition("-")[0]
        found[name] = f"image/{kind}\n".encode() + photo
        content_type, body = form_of(photo, kind)
        found[f"{name}-form"] = content_type + b"\n" + body
    return found


def event_seeds() -> Mapping[str, bytes]:
    """The gateway events that the tests have on file."""
    return {path.stem: path.read_bytes() for path in sorted(_EVENTS.glob("*.json"))}


Target = tuple[Callable[[bytes], None], Callable[[bytes, random.Random], bytes], Callable[[], Mapping[str, bytes]]]
TARGETS: Final[Mapping[str, Target]] = {
    "uploads": (one_upload, hurt_upload, upload_seeds),
    "events": (one_event, hurt_event, event_seeds),
}
