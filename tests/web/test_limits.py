"""Every limit on what is sent is a setting: at it a photo passes, one below it is refused, and the error names it."""

import io
import json
from collections.abc import Callable

import pytest
from PIL import Image
from web.fakes import BOUNDARY, form, part, photo, post

from hpe.settings import Settings
from hpe.web.messages import Response

PHOTO = photo(60, 40, "PNG")
FORM = form(part(b"x", "note", None, ""), part(b"y", "other", None, ""), part(PHOTO))


def animation(frames: int) -> bytes:
    """A WebP of so many frames."""
    out = io.BytesIO()
    pictures = [Image.new("L", (30, 20), 20 * n) for n in range(frames)]
    pictures[0].save(out, "WEBP", save_all=True, append_images=pictures[1:])
    return out.getvalue()


# setting: (what just passes it, how it is sent)
CASES: dict[str, tuple[int, Callable[[Settings], Response]]] = {
    "max_upload_bytes": (len(PHOTO), lambda settings: post(PHOTO, settings=settings)),
    "max_pixels": (60 * 40, lambda settings: post(PHOTO, settings=settings)),
    "max_frames": (5, lambda settings: post(animation(5), settings=settings)),
    "max_parts": (3, lambda settings: post(FORM, f"multipart/form-data; boundary={BOUNDARY}", settings=settings)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_limit_holds_to_the_last_one(name: str) -> None:
    edge, send = CASES[name]
    at, below = Settings.from_env({f"HPE_{name.upper()}": str(edge)}), Settings(**{name: edge - 1})
    assert send(at).status == 200
    refused = send(below)
    assert refused.status == 413
    assert json.loads(refused.body)["limit"] == edge - 1


def test_a_single_picture_passes_the_smallest_limit_of_frames() -> None:
    for format in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"):
        assert post(photo(format=format), settings=Settings(max_frames=1)).status == 200, format
