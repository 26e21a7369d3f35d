"""Pictures made to eat memory or time, by code: each is to be refused, or answered without harm, at once.

`HOSTILE` names them all; `True` beside one says that it is read all the same, because what is hostile in it is
skipped, `False` that it is refused, None that either will do.
"""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from PIL import Image

from fuzz.seeds import picture, seeds

Maker = Callable[[], bytes]
_MEGABYTES: Final = 1_000_000


@cache
def zeros(megabytes: int) -> bytes:
    """So many megabytes of zeros, deflated: a thousandth of that."""
    packer = zlib.compressobj(9)
    found = [packer.compress(bytes(_MEGABYTES)) for _ in range(megabytes)]
    return b"".join(found) + packer.flush()


def saved(format: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """A small picture, or this one, as a file."""
    seeds()  # registers HEIF
    out = io.BytesIO()
    (image or Image.fromarray(picture(48, 32))).save(out, format, **options)
    return out.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Length, name, data, check sum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: tuple[bytes, bytes], pixels: bytes | None = None) -> bytes:
    """A PNG that says this size, with these chunks before its pixels (8-bit RGB; black ones of 48x32)."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = zlib.compress(bytes(32 * (1 + 3 * 48))) if pixels is None else pixels
    extra = b"".join(png_chunk(name, body) for name, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + header + extra + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def gif(screen: tuple[int, int], frame: tuple[int, int], before: bytes = b"", frames: int = 1) -> bytes:
    """A GIF of two colours whose frames hold one pixel of data each, whatever size they say."""
    one = b",\0\0\0\0" + struct.pack("<HH", *frame) + b"\0\2\2L\1\0"
    return b"GIF89a" + struct.pack("<HH", *screen) + b"\x80\0\0" + bytes(6) + before + one * frames + b";"


def tiff(tags: Mapping[int, int | tuple[int, int, int]], behind: bytes = b"", next_directory: int = 0) -> bytes:
    """A grey TIFF of 10x10; tags: number -> value, or (type, count, value or offset)."""
    every: dict[int, int | tuple[int, int, int]] = {256: 10, 257: 10, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1}
    every |= {278: 10, 279: 100, **tags}
    body = struct.pack("<H", len(every))
    for tag, value in sorted(every.items()):
        kind, count, first = value if isinstance(value, tuple) else (4, 1, value)
        body += struct.pack("<HHII", tag, kind, count, first)
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", next_directory) + bytes(400) + behind


def tiff_chain(length: int) -> bytes:
    """A TIFF of so many directories, each an empty one that names the next."""
    start = len(tiff({}))
    chain = b"".join(struct.pack("<HI", 0, start + 6 * (n + 1)) for n in range(length - 1)) + struct.pack("<HI", 0, 0)
    return tiff({}, chain, next_directory=start)


def tiff_packed(compression: int, data: bytes, **tags: int) -> bytes:
    """A TIFF of one compressed strip."""
    named = {int(name[1:]): value for name, value in tags.items()}
    start = len(tiff({259: compression, **named}))
    return tiff({259: compression, 273: start, 279: len(data), **named}, data)


def webp(width: int, height: int, frames: int = 1, extra: bytes = b"") -> bytes:
    """An animated WebP with this canvas and so many small frames."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    frame = bytes(6) + (47).to_bytes(3, "little") + (31).to_bytes(3, "little") + b"\x10\0\0\0" + saved("WEBP")[12:]
    body = b"WEBP" + chunk(b"VP8X", b"\2\0\0\0" + canvas) + chunk(b"ANIM", bytes(6)) + chunk(b"ANMF", frame) * frames
    return b"RIFF" + struct.pack("<I", len(body + extra)) + body + extra


def jpeg_saying(width: int, height: int, **options: Any) -> bytes:
    """A small JPEG whose header says another size."""
    data = saved("JPEG", **options)
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def jpeg_with(segments: bytes) -> bytes:
    """A small JPEG with these bytes behind its first marker."""
    data = saved("JPEG")
    return data[:2] + segments + data[2:]


def many_scans(width: int, height: int, times: int) -> bytes:
    """A progressive JPEG of this size by its header, whose last scan is there so many times."""
    data = jpeg_saying(width, height, progressive=True)
    start, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:start] + data[start:end] * times + data[end:]


def exif_directory(*tags: tuple[int, int, int, int], next_directory: int = 0) -> bytes:
    """EXIF: one directory at 8, its tags as (tag, type, count, value)."""
    body = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + body + struct.pack("<I", next_directory)


def flat(format: str, width: int, height: int, **options: Any) -> bytes:
    """One colour, in the file that takes the fewest bytes."""
    return saved(format, Image.new("RGB", (width, height), (9, 90, 200)), **options)


def lying_ispe(data: bytes, width: int, height: int) -> bytes:
    """A HEIC or AVIF file that says another size than its pixels have."""
    found = bytearray(data)
    at = found.find(b"ispe")
    while at >= 0:
        found[at + 8 : at + 16] = struct.pack(">II", width, height)
        at = found.find(b"ispe", at + 1)
    return bytes(found)


def boxes_in_boxes(brand: bytes, depth: int) -> bytes:
    """An ISO media file of boxes, each in the one before."""
    inner = b""
    for _ in range(depth):
        inner = struct.pack(">I4s", len(inner) + 8, b"moov") + inner
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand) + inner


def bmp_rle(width: int, height: int) -> bytes:
    """A run-length BMP of this size with no runs in it."""
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 4, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1100, 0, 0, 1078) + head + bytes(1024) + b"\0\1\0\1"


def sound(kind: str) -> bytes:
    """A seed."""
    return seeds()[kind]


_LOOP: Final = exif_directory((0x0112, 3, 1, 1), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8), next_directory=8)
_SPRAWL: Final = exif_directory((0x927C, 7, 2**32 - 1, 8), (0x010E, 2, 2**31, 2**31), (0x0112, 3, 2**30, 6))
HOSTILE: Final[Mapping[str, tuple[Maker, bool | None]]] = {
    # sizes that are only said
    "PNG of 30,000 x 30,000": (lambda: png(30_000, 30_000), False),
    "PNG of 2^31 x 2^31": (lambda: png(2**31 - 1, 2**31 - 1), False),
    "PNG of 64,000,001 x 1": (lambda: png(64_000_001, 1), False),
    "PNG of 8,000 x 8,000 with 5 kB of pixels": (lambda: png(8000, 8000), False),
    "JPEG of 65,500 x 65,500": (lambda: jpeg_saying(65_500, 65_500), False),
    "JPEG of 8,000 x 8,000 with 1 kB of pixels": (lambda: jpeg_saying(8000, 8000), False),
    "WebP canvas of 16,383 x 16,383": (lambda: webp(16_383, 16_383), False),
    "WebP canvas of 13,000 x 13,000": (lambda: webp(13_000, 13_000), False),
    "GIF screen of 65,535 x 65,535": (lambda: gif((65_535, 65_535), (1, 1)), False),
    "GIF frame far larger than its screen": (lambda: gif((10, 10), (65_535, 65_535)), False),
    "TIFF of 100,000 x 100,000": (lambda: tiff({256: 100_000, 257: 100_000}), False),
    "BMP of 60,000 x 60,000": (lambda: bmp_rle(60_000, 60_000), False),
    "BMP of 2^31 x -2^31": (lambda: bmp_rle(2**31 - 1, -(2**31)), False),
    "BMP of 7,900 x 7,900 with no runs": (lambda: bmp_rle(7900, 7900), None),
    "AVIF that says 65,535 x 65,535": (lambda: lying_ispe(sound("avif"), 65_535, 65_535), False),
    "HEIC that says 65,535 x 65,535": (lambda: lying_ispe(sound("heic"), 65_535, 65_535), False),
    "AVIF of 67 megapixels that says 48 x 32": (
        lambda: lying_ispe(flat("AVIF", 16_384, 4096, speed=10), 48, 32),
        False,
    ),
    "HEIC of 4 megapixels that says 48 x 32": (lambda: lying_ispe(flat("HEIF", 2000, 2000), 48, 32), False),
    # what unpacks to more than it should
    "PNG whose pixels unpack to 300 MB": (lambda: png(48, 32, pixels=zeros(300)), None),
    "PNG whose profile unpacks to 300 MB": (lambda: png(48, 32, (b"iCCP", b"a\0\0" + zeros(300))), True),
    "PNG of a thousand profiles of 1 MB": (lambda: png(48, 32, *[(b"iCCP", b"a\0\0" + zeros(1))] * 1000), True),
    "PNG whose text unpacks to 300 MB": (lambda: png(48, 32, (b"zTXt", b"a\0\0" + zeros(300))), True),
    "PNG whose international text unpacks to 300 MB": (
        lambda: png(48, 32, (b"iTXt", b"a\0\1\0\0\0" + zeros(300))),
        True,
    ),
    "TIFF strip that unpacks to 300 MB": (lambda: tiff_packed(8, zeros(300)), None),
    "TIFF strip of 2^32 rows": (lambda: tiff_packed(8, zeros(100), t278=2**32 - 1), None),
    "TIFF tiles of 2^31 x 2^31": (lambda: tiff({322: 2**31 - 16, 323: 2**31 - 16, 324: 8, 325: 100}), False),
    "TIFF of one tile of 30,000 x 30,000 for 10 x 10": (
        lambda: tiff_packed(8, zeros(300), t322=30_000, t323=30_000, t324=8, t325=100),
        False,
    ),
    "TIFF of 65,535 samples a pixel": (lambda: tiff({277: 65_535}), False),
    "TIFF whose fax rows never end": (lambda: tiff_packed(4, b"\0" * 4_000_000), None),
    # passes, blocks, tags, frames: one too many of them
    "JPEG of 1,000 scans": (lambda: many_scans(48, 32, 1000), False),
    "JPEG of 8,000 x 8,000 with 25 scans of nothing": (lambda: many_scans(8000, 8000, 16), False),
    "JPEG of a million comments": (lambda: jpeg_with(b"\xff\xfe\0\2" * 1_000_000), False),
    "JPEG of 15 MB of padding": (lambda: jpeg_with(b"\xff" * 15_000_000), False),
    "JPEG of 15 MB of zeros between segments": (lambda: jpeg_with(bytes(15_000_000)), False),
    "JPEG of 15 MB of restarts": (lambda: saved("JPEG")[:-2] + b"\xff\xd0" * 7_500_000 + b"\xff\xd9", False),
    "PNG of a million chunks": (lambda: png(48, 32, *[(b"tIME", b"")] * 1_000_000), False),
    "PNG of 2^32 - 1 frames": (lambda: png(48, 32, (b"acTL", b"\xff" * 4 + bytes(4))), True),
    "GIF of three million comments": (lambda: gif((10, 10), (10, 10), b"!\xfe\x01a\0" * 3_000_000), False),
    "GIF of one comment without end": (lambda: gif((10, 10), (10, 10), b"!\xfe" + b"\x01a" * 7_000_000), False),
    "GIF of 15 MB of junk before its frame": (lambda: gif((10, 10), (10, 10), b"\x11" * 15_000_000), False),
    "GIF of a million frames": (lambda: gif((10, 10), (10, 10), frames=1_000_000), False),
    "GIF frame of 7 million blocks": (
        lambda: gif((10, 10), (10, 10))[:-2] + b"\x01L" * 7_000_000 + b"\0;",
        False,
    ),
    "WebP of 20,000 frames": (lambda: webp(48, 32, frames=20_000), False),
    "TIFF of a million directories": (lambda: tiff_chain(1_000_000), True),
    "TIFF whose directories go in a circle": (lambda: tiff({}, next_directory=8), True),
    "TIFF of directories within directories": (lambda: tiff({330: 8, 34665: 8, 34853: 8, 40965: 8}), True),
    "TIFF of 20,000 tags": (lambda: tiff({40_000 + n: 0 for n in range(20_000)}), False),
    "TIFF of two million strips": (lambda: tiff({273: (4, 2_000_000, 8)}, bytes(8_000_000)), False),
    "TIFF tag of 2^32 - 1 doubles": (lambda: tiff({34_675: (12, 2**32 - 1, 8)}), None),
    "HEIC of 100,000 boxes in boxes": (lambda: boxes_in_boxes(b"heic", 100_000), False),
    "AVIF of 100,000 boxes in boxes": (lambda: boxes_in_boxes(b"avif", 100_000), False),
    # metadata
    "JPEG whose EXIF goes in a circle": (lambda: saved("JPEG", exif=_LOOP), True),
    "JPEG whose EXIF sprawls": (lambda: saved("JPEG", exif=_SPRAWL), True),
    "PNG whose EXIF goes in a circle": (lambda: saved("PNG", exif=_LOOP), True),
    "WebP whose EXIF goes in a circle": (lambda: saved("WEBP", exif=_LOOP), True),
    "WebP whose EXIF sprawls": (lambda: saved("WEBP", exif=_SPRAWL), True),
    "JPEG of 5,000 EXIF tags": (
        lambda: saved("JPEG", exif=exif_directory(*[(n, 3, 1, 1) for n in range(5000)])),
        True,
    ),
    "JPEG with 10 MB of junk as its profile": (lambda: saved("JPEG", icc_profile=b"\xde\xad" * 5_000_000), True),
    "WebP with 10 MB of junk as its profile": (lambda: saved("WEBP", icc_profile=b"\xde\xad" * 5_000_000), True),
    "TIFF with 10 MB of junk as its profile": (lambda: saved("TIFF", icc_profile=b"\xde\xad" * 5_000_000), True),
    "HEIC with 1 MB of junk as its profile": (lambda: saved("HEIF", icc_profile=b"\xde\xad" * 500_000), None),
    # more than one thing at a time
    "JPEG that is a zip from behind": (lambda: saved("JPEG") + b"PK\x03\x04" + bytes(500), True),
    "JPEG that is a web page in its comment": (lambda: saved("JPEG", comment=b"--><script>alert(1)</script>"), True),
    "GIF that is JavaScript": (lambda: gif((0x2F2A, 0x2F2A), (8, 8), b"*/=1;alert(1)//"), False),
    "PNG that is a web page from behind": (lambda: png(48, 32) + b"<script>alert(1)</script>", True),
    "PDF with a JPEG in it": (lambda: b"%PDF-1.7\n1 0 obj<</Subtype/Image>>stream\n" + saved("JPEG"), False),
    "PNG that goes on as a JPEG": (lambda: b"\x89PNG\r\n\x1a\n" + saved("JPEG"), False),
    "BMP that goes on as a PNG": (lambda: b"BM" + bytes(12) + struct.pack("<I", 40) + png(48, 32), False),
    "RIFF of a WebP in a WebP": (lambda: b"RIFF\xff\xff\xff\x7fWEBP" + saved("WEBP"), None),
}  # fmt: skip
