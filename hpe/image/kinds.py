"""The kinds of image files that are read: one table for everything that names them. Bytes decide: names lie."""

from dataclasses import dataclass
from typing import Final

from hpe.errors import UnsupportedImage


@dataclass(frozen=True)
class Kind:
    """A kind of image file.

    name: as in `DecodedImage.format`. suffixes: of file names, each with its dot, the usual one first. max_pixels: of a
    photo, so that no process takes more than 700 MiB with it: the more its decoder holds at a time, the fewer
    (docs/reliability.md). Over 89 million Pillow warns.
    """

    name: str
    media_type: str
    suffixes: tuple[str, ...]
    max_pixels: int


KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("jpeg", "image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), 200_000_000),
        Kind("png", "image/png", (".png", ".apng"), 89_000_000),
        Kind("webp", "image/webp", (".webp",), 28_000_000),
        Kind("avif", "image/avif", (".avif", ".avifs"), 28_000_000),
        Kind("heic", "image/heic", (".heic", ".heif", ".hif"), 64_000_000),
        Kind("gif", "image/gif", (".gif",), 89_000_000),
        Kind("tiff", "image/tiff", (".tif", ".tiff"), 89_000_000),
        Kind("bmp", "image/bmp", (".bmp", ".dib"), 89_000_000),
    )
}
# Kinds of JPEG whose decoder holds all numbers of all blocks at a time, as those of one pass do not.
MAX_PIXELS_OF_SEVERAL_SCANS: Final = 72_000_000
MAX_PIXELS_OF_CMYK_SCANS: Final = 48_000_000
# Bytes of a TIFF's strip or tile: it is unpacked whole.
MAX_STRIP_BYTES: Final = 200_000_000

READABLE: Final[tuple[str, ...]] = tuple(kind.media_type for kind in KINDS.values())
# suffix, in small letters -> media type
SUFFIXES: Final[dict[str, str]] = {suffix: kind.media_type for kind in KINDS.values() for suffix in kind.suffixes}
# First bytes of a file that are enough to tell its kind.
HEAD_BYTES: Final = 32

_HEIF_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS: Final = {b"avif", b"avis"}
# Sizes of the header that follows "BM" and twelve more bytes: two letters alone prove nothing.
_BMP_HEADERS: Final = {12, 16, 40, 52, 56, 64, 108, 124}

# What people send instead of a photo: first bytes, name, what to do.
_OTHERS: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"%PDF", "a PDF", "export the page as a JPEG or PNG"),
    (b"PK\x03\x04", "a zip archive (or an office document)", "send the photos in it one at a time"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"8BPS", "a Photoshop file", "export it as a JPEG or PNG"),
    (b"\xff\x0a", "a JPEG XL image", "save it as a JPEG or PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image", "save it as a JPEG or PNG"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 image", "save it as a JPEG or PNG"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image", "save it as a JPEG or PNG"),
    (b"\0\0\x01\0", "a Windows icon", "save it as a PNG"),
    (b"FUJIFILMCCD-RAW", "a camera raw file", "export it as a JPEG"),
    (b"IIRO", "a camera raw file", "export it as a JPEG"),
    (b"\x1a\x45\xdf\xa3", "a video", "send one frame as a JPEG or PNG"),
    (b"data:", "a data: URL", "send the bytes that it encodes"),
    (b"{", "JSON", "send the image's own bytes"),
)


def image_type(data: bytes) -> str:
    """The first bytes of a file -> 'jpeg', 'png', 'webp', 'avif', 'heic', 'gif', 'tiff' or 'bmp'.

    Raises UnsupportedImage saying what the file seems to be instead.
    """
    found = kind_of(data[:HEAD_BYTES])
    if found is None:
        what, remedy = _describe(data)
        raise UnsupportedImage(
            f"this is {what}, not an image type that is read here: {remedy}",
            limit=READABLE,
            hint="JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF and BMP are read",
        )
    return found


def kind_of(head: bytes) -> str | None:
    """The first bytes of a file -> its kind's name; None if it is not one that is read."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")) and head[8:10] != b"CR":
        return "tiff"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    return _iso_media(head)


def _iso_media(head: bytes) -> str | None:
    """AVIF and HEIC share a container with MP4: the brands after 'ftyp' tell."""
    if head[4:8] != b"ftyp":
        return None
    brands = {head[at : at + 4] for at in (8, 16, 20, 24, 28)}
    if brands & _AVIF_BRANDS:
        return "avif"
    return "heic" if brands & _HEIF_BRANDS else None


def _describe(data: bytes) -> tuple[str, str]:
    if not data:
        return "an empty file", "choose a photo"
    if data[4:8] == b"ftyp":
        if data[8:11] == b"crx":
            return "a camera raw file", "export it as a JPEG"
        return "a video", "send one frame as a JPEG or PNG"
    for start, what, remedy in _OTHERS:
        if data.startswith(start):
            return what, remedy
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return "an SVG drawing", "export it as a PNG"
    if head.startswith((b"<!doctype html", b"<html")):
        return "a web page", "save the photo itself rather than the page that shows it"
    if head and not any(byte < 9 for byte in head):
        return "text", "send the image's own bytes"
    return "something unknown", "save it as a JPEG or PNG"
