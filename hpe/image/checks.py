"""What is looked at in PNG, GIF and TIFF files before Pillow is: blocks that a hostile file repeats a million times.

Pillow reads each block in Python, at a microsecond and more, and unpacks some of them. Nothing here decodes pixels.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from hpe.errors import BrokenImage

# libpng writes an IDAT every 8 kB: 50 MB make 6,250.
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
    """Raise BrokenImage if a TIFF's first directory is longer than any honest one, or cuts the picture too fine."""
    try:
        for tag, kind, count, at in _tiff_entries(data):
            if tag in _STRIP_TAGS and count > MAX_TIFF_STRIPS:
                raise BrokenImage(f"the TIFF is cut into {count} strips: save it again", limit=MAX_TIFF_STRIPS)
            if tag in _TILE_SIDES and _tiff_numbers(data, kind, 1, at)[0] > MAX_TILE_SIDE:
                raise BrokenImage(f"the TIFF has tiles over {MAX_TILE_SIDE} px: save it again", limit=MAX_TILE_SIDE)
    except (struct.error, OverflowError) as error:
        raise BrokenImage("the TIFF is damaged or cut off: its directory is not in it") from error


def has_all_strips(data: bytes) -> bool:
    """Whether all strips or tiles of a TIFF's first picture lie within the file, so that it is not cut off."""
    try:
        tags = {tag: _tiff_numbers(data, kind, count, at) for tag, kind, count, at in _tiff_entries(data)
                if tag in _STRIP_TAGS}  # fmt: skip
    except (BrokenImage, struct.error, OverflowError):
        return False
    starts, sizes = (tags.get(a) or tags.get(b) or () for a, b in ((273, 324), (279, 325)))
    return bool(starts) and len(starts) == len(sizes) and max(map(sum, zip(starts, sizes, strict=True))) <= len(data)


def _tiff_order(data: bytes) -> tuple[str, bool]:
    """(byte order as struct has it, whether it is a BigTIFF)."""
    return "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+")


def _tiff_entries(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(tag, type, how many values, where the entry's value stands) of the first directory. Raises struct.error."""
    order, big = _tiff_order(data)
    (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    if count > MAX_TIFF_TAGS:
        raise BrokenImage(f"the TIFF has {count} tags; the limit is {MAX_TIFF_TAGS}", limit=MAX_TIFF_TAGS)
    size, head = (20, "HHQ") if big else (12, "HHI")
    for n in range(count):
        entry = at + (8 if big else 2) + n * size
        yield *struct.unpack_from(order + head, data, entry), entry + struct.calcsize("<" + head)


def _tiff_numbers(data: bytes, kind: int, count: int, at: int) -> tuple[int, ...]:
    """The values of an entry. Raises BrokenImage for other types than whole numbers, struct.error past the end."""
    order, big = _tiff_order(data)
    if kind not in _INTEGERS or (kind == 16 and not big):  # eight bytes would stand elsewhere: nobody writes that
        raise BrokenImage(f"the TIFF tells the sizes of its strips or tiles in type {kind}, which makes no sense")
    layout = f"{order}{min(count, MAX_TIFF_STRIPS)}{_INTEGERS[kind]}"
    if struct.calcsize(layout) > (8 if big else 4):
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, at)
    return struct.unpack_from(layout, data, at)


def exif_orientation(exif: bytes) -> int:
    """EXIF bytes -> the orientation, 1..8; 1 (upright) if there is none, or none that makes sense."""
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
