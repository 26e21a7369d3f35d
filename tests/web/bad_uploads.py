"""A table of bad and odd uploads to POST /pose, made by code, each with the status that it must get.

`UPLOADS` is used against the handler and against the local server alike.
"""

import io
import struct
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PIL import Image, PngImagePlugin
from web.fakes import BOUNDARY, form, part, photo

from fuzz.hostile import png

FORM: Final = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True)
class Upload:
    """body, its Content-Type, the status; `says`: a word that the problem's detail or hint must hold."""

    body: bytes
    content_type: str
    status: int
    says: str = ""
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


JPEG: Final = photo(320, 240, quality=90)
PNG: Final = photo(320, 240, "PNG")


def cut(data: bytes, percent: float) -> bytes:
    """The first so many percent of a file."""
    return data[: int(len(data) * percent / 100)]


def with_exif(exif: bytes) -> bytes:
    """A JPEG with these bytes as its EXIF."""
    return photo(exif=exif)


def nan_metadata() -> bytes:
    """A PNG whose gamma, resolution and text make no sense."""
    info = PngImagePlugin.PngInfo()
    info.add(b"gAMA", b"\xff\xff\xff\xff")
    info.add(b"pHYs", b"\xff" * 8 + b"\x09")
    info.add_text("DPI", "NaN")
    return photo(format="PNG", pnginfo=info)


def tiff_with_rational_zero() -> bytes:
    """A TIFF whose resolution is 0/0."""
    data = bytearray(photo(format="TIFF", dpi=(72, 72)))
    return bytes(data.replace(struct.pack("<II", 72, 1), bytes(8)))


def twelve_megapixels() -> bytes:
    """What a phone's camera makes, lying on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return photo(4032, 3024, quality=85, exif=exif)


def five_megabytes() -> bytes:
    """Noise, as a PNG of about 5 MB."""
    noise = np.random.default_rng(5).integers(0, 256, (1250, 1333, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG", compress_level=1)
    return out.getvalue()


def raw(body: bytes, status: int, says: str = "", kind: str = "image/jpeg", **query: str) -> Upload:
    """The photo as the whole body."""
    return Upload(body, kind, status, says, query)


def in_form(status: int, says: str, *parts: bytes, kind: str = FORM) -> Upload:
    """Parts as a form."""
    return Upload(form(*parts), kind, status, says)


UPLOADS: Final[dict[str, Upload]] = {
    # cut off or damaged
    "JPEG cut at 50 %": raw(cut(JPEG, 50), 422, "cut off"),
    "JPEG without its last byte": raw(JPEG[:-1], 422, "cut off"),
    "JPEG of three bytes": raw(b"\xff\xd8\xff", 422, "cut off"),
    "PNG cut at 50 %": raw(cut(PNG, 50), 422, "truncated"),
    "PNG of its signature": raw(PNG[:8], 422, "damaged"),
    "WebP cut at 50 %": raw(cut(photo(format="WEBP"), 50), 422, "cut off"),
    "cut JPEG in a whole form": in_form(422, "cut off", part(cut(JPEG, 50))),
    # not images, whatever they say
    "text that says JPEG": raw(b"Not a photo at all.", 415, "text"),
    "text file in a form": in_form(415, "text", part(b"Dear sir or madam", "image", "letter.txt", "text/plain")),
    "zip": raw(b"PK\x03\x04" + bytes(100), 415, "zip", "application/zip"),
    "data URL": raw(b"data:image/jpeg;base64,/9j/4AAQ", 415, "data: URL"),
    "JSON with a photo in it": raw(b'{"image": "/9j/4AAQ"}', 415, "JSON", "application/json"),
    "zeros": raw(bytes(1000), 415, "unknown"),
    "zip that calls itself JPEG in a form": in_form(415, "zip", part(b"PK\x03\x04" + bytes(50))),
    # forms that are broken
    "empty body": raw(b"", 400, "no body"),
    "empty body of a form": Upload(b"", FORM, 400, "no body"),
    "no boundary": Upload(form(part(JPEG)), "multipart/form-data", 400, "boundary"),
    "form without Content-Type": Upload(form(part(JPEG)), "", 400, "form"),
    "form cut off": Upload(cut(form(part(JPEG)), 60), FORM, 400, "cut off"),
    "empty part": in_form(400, "empty", part(b"")),
    "form of text fields alone": in_form(400, "image", part(b"hello", "note", None, "")),
    "form with LF line ends": Upload(b"x\n" + form(part(b"abc")).replace(b"\r\n", b"\n"), FORM, 400, "LF"),
    "a hundred parts": in_form(413, "100 parts", *[part(b"x", f"f{n}", None, "") for n in range(100)]),
    # too large
    "PNG header of 30000x30000": raw(png(30_000, 30_000), 413, "30000x30000"),
    "PNG header of no width": raw(png(0, 100), 422),
    "one pixel over the limit": raw(png(64_000_001, 1), 413, "64000000"),
    "more bytes than may be": raw(JPEG + bytes(50_000_001), 413, "50000000"),
    # parameters
    "threshold that is no number": raw(JPEG, 400, "threshold", threshold="high"),
    "threshold NaN": raw(JPEG, 400, "threshold", threshold="nan"),
    "format that is not made": raw(JPEG, 400, "png, jpeg, webp, json", format="gif"),
    "misspelt parameter": raw(JPEG, 400, "treshold", treshold="0.3"),
    "Accept that leaves nothing": Upload(JPEG, "image/jpeg", 406, "Accept", headers={"accept": "video/mp4"}),
    # odd, and fine
    "1x1 PNG": raw(photo(1, 1, "PNG"), 200),
    "1x4000 PNG": raw(photo(1, 4000, "PNG"), 200),
    "12 MP photo on its side": raw(twelve_megapixels(), 200),
    "5 MB PNG": raw(five_megabytes(), 200),
    "PNG that says JPEG": raw(PNG, 200, kind="image/jpeg"),
    "photo without a type": raw(JPEG, 200, kind=""),
    "photo as curl --data-binary sends it": raw(JPEG, 200, kind="application/x-www-form-urlencoded"),
    "broken EXIF": raw(with_exif(b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 60), 200),
    "64 kB of EXIF": raw(with_exif(b"Exif\0\0II*\0\x08\0\0\0" + bytes(65_000)), 200),
    "metadata that makes no sense": raw(nan_metadata(), 200),
    "TIFF of resolution 0/0": raw(tiff_with_rational_zero(), 200),
    "JPEG with a tail": raw(JPEG + b"tail" * 1000, 200),
    "two photos": in_form(400, "send the photos one by one", part(JPEG), part(PNG)),
    "file name with a path": in_form(200, "", part(JPEG, filename="..\\..\\etc/passwd")),
}
