"""What is fuzzed under the guidance of coverage: an upload as bytes -> nothing, or the exception that is a finding."""

import contextlib
import random
import warnings
from collections.abc import Mapping
from typing import Final

from fuzz.mutate import mutated
from fuzz.seeds import BOUNDARY, form_of, seeds

# Enough to decode any seed, and little enough that no honest input takes long.
_MAX_PIXELS: Final = 4_000_000
_MAX_SIDE: Final = 400
_MAX_PARTS: Final = 20
_MAX_FRAMES: Final = 100


def read_upload(data: bytes) -> None:
    """A line with a Content-Type, then a body -> the photos in it, decoded. Only errors of ours may come of it."""
    from hpe.errors import HpeError
    from hpe.image.decode import Limits, decode_image
    from hpe.web.multipart import read_body

    content_type, _, body = data.partition(b"\n")
    warnings.filterwarnings("ignore", module="PIL")  # as the server does
    with contextlib.suppress(HpeError):
        photos, _ = read_body(body, content_type.decode("latin-1"), _MAX_PARTS)
        for photo in photos:
            image = decode_image(photo.data, Limits(len(data), _MAX_PIXELS, _MAX_FRAMES), _MAX_SIDE)
            if image.rgb.ndim != 3 or image.rgb.shape[2] != 3 or image.rgb.dtype != "uint8" or not image.rgb.size:
                raise AssertionError(f"a picture of {image.rgb.shape} {image.rgb.dtype}")


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Mutate the body, or (seldom) the line before it."""
    content_type, _, body = data.partition(b"\n")
    if rng.random() < 0.15:
        return mutated(content_type, rng, [b"; boundary=", BOUNDARY.encode()]) + b"\n" + body
    return content_type + b"\n" + mutated(body, rng, list(seeds().values()))


def uploads() -> Mapping[str, bytes]:
    """Every seed as it is, and in a form."""
    found: dict[str, bytes] = {}
    for name, photo in seeds().items():
        kind = name.partition("-")[0]
        found[name] = f"image/{kind}\n".encode() + photo
        content_type, body = form_of(photo, kind)
        found[f"{name}-form"] = content_type + b"\n" + body
    return found
