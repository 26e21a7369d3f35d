"""What is looked at in PNG, GIF and TIFF files before Pillow is: blocks that a hostile file repeats a million times.

Pillow reads each block in Python, at a microsecond and more, and unpacks some of them. Nothing here decodes pixels.
"""

import struct
import zlib
from typing import Final

from hpe.errors import BrokenImage

# libpng writes an IDAT every 8 kB: 20 MB make 2,500.
MAX_PNG_CHUNKS: Final = 20_000
# XMP in a GIF comes as some thousand of these.
MAX_GIF_HEAD: Final = 50_000
MAX_TIFF_TAGS: Final = 1000
MAX_TIFF_STRIPS: Final = 100_000
# A tile is unpacked whole, however little of it is picture. Writers make them of 256 to 1024 px a side.
MAX_TILE_SIDE: Final = 4096

# The largest colour profiles in use describe presses, in 2.7 MB. What is larger is ignored, as is what makes no sense.
MAX_PROFILE_BYTES: Final = 4 << 20
# The pixels, their palette and transparency, and the orientation; texts may hold bombs.
_PNG_KEPT: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"))
_ORIENTATION: Final = 0x0112
# Offsets and byte counts of strips and of tiles.
_STRIP_TAGS: Final = frozenset((273, 279, 324, 325))
_TILE_SIDES: Final = frozenset((322, 323))
# Types of whole numbers without a sign.
_INTEGERS: Final = {1: "B", 3: "H", 4: "I", 16: "Q"}


def plain_png(data: bytes) -> bytes:
    """A PNG file -> the same picture without the chunks that do not matter here. Raises BrokenImage."""
    kept, at, profile = [data[:8]], 8, False
    for _ in range(MAX_PNG_CHUNKS):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if name in _PNG_KEPT or (name == b"iCCP" and not profile and _unpacks(data[at + 8 : end - 4])):
            kept.append(data[at:end])
            profile = profile or name == b"iCCP"
        if name == b"IEND" or end >= len(data):
            return b"".join(kept)
        at = end
    raise BrokenImage(f"the PNG has more than {MAX_PNG_CHUNKS} chunks: save it again", limit=MAX_PNG_CHUNKS)


def _unpacks(chunk: bytes) -> bool:
    """Whether an iCCP chunk (a name, a null, the method, what is deflated) holds no more than a colour profile may."""
    inflate = zlib.decompressobj()
    try:
        inflate.decompress(chunk[chunk.find(b"\0") + 2 :], MAX_PROFILE_BYTES)
    except zlib.error:
        return False
    return inflate.eof


def check_gif(data: bytes) -> None:
    """Raise BrokenImage where more stands before a GIF's first frame than belongs there."""
    flags = data[10] if len(data) > 10 else 0
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    in_extension = False
    for _ in range(MAX_GIF_HEAD):
        if at >= len(data) or (not in_extension and data[at] in b",;"):
            return
        if in_extension:  # sub-blocks: a length and so many bytes; length 0 ends them
            in_extension = data[at] != 0
            at += 1 + data[at]
        elif data[at] == 0x21:
            in_extension, at = True, at + 2
        else:
            at += 1
    raise BrokenImage(f"the GIF has more than {MAX_GIF_HEAD} blocks before its first frame", limit=MAX_GIF_HEAD)


def check_tiff(data: bytes) -> None:
    """Raise BrokenImage where a TIFF's first directory is longer than any honest one, or cuts the picture too fine."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
        if count > MAX_TIFF_TAGS:
            raise BrokenImage(f"the TIFF has {count} tags; the limit is {MAX_TIFF_TAGS}", limit=MAX_TIFF_TAGS)
        size, head = (20, "HHQ") if big else (12, "HHI")
        for n in range(count):
            entry = at + (8 if big else 2) + n * size
            tag, kind, values = struct.unpack_from(order + head, data, entry)
            if tag in _STRIP_TAGS and values > MAX_TIFF_STRIPS:
                raise BrokenImage(f"the TIFF is cut into {values} strips: save it again", limit=MAX_TIFF_STRIPS)
            if tag in _TILE_SIDES:
                _check_tile(data, order, kind, entry + struct.calcsize("<" + head), big)
    except (struct.error, OverflowError) as error:
        raise BrokenImage("the TIFF is damaged or cut off: its directory is not in it") from error


def _check_tile(data: bytes, order: str, kind: int, at: int, big: bool) -> None:
    if kind not in _INTEGERS or (kind == 16 and not big):  # eight bytes would stand elsewhere: nobody writes that
        raise BrokenImage(f"the TIFF says the size of its tiles in type {kind}, which makes no sense")
    (side,) = struct.unpack_from(order + _INTEGERS[kind], data, at)
    if side > MAX_TILE_SIDE:
        raise BrokenImage(f"the TIFF has tiles of {side} px: save it again", limit=MAX_TILE_SIDE)


def exif_orientation(exif: bytes) -> int:
    """EXIF bytes -> the orientation, 1..8; 1 (upright) where there is none, or none that makes sense."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, at)
        for n in range(min(count, MAX_TIFF_TAGS)):
            tag, kind, values = struct.unpack_from(order + "HHI", tiff, at + 2 + n * 12)
            if tag == _ORIENTATION and kind in (3, 4) and values == 1:
                (value,) = struct.unpack_from(order + ("H" if kind == 3 else "I"), tiff, at + 10 + n * 12)
                return value if 1 <= value <= 8 else 1
    except struct.error:  # the pixels are worth showing whatever their metadata holds
        pass
    return 1
