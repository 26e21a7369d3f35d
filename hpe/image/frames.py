"""How many pictures a file holds, counted without decoding any: only the first is ever looked at."""

import struct
from typing import Final

from hpe.errors import BrokenImage
from hpe.image.checks import MAX_PNG_CHUNKS

# Encoders fill them with 255 bytes each: 50 MB make 200,000.
MAX_GIF_BLOCKS: Final = 250_000


def frames_in(data: bytes, kind: str, most: int) -> int:
    """Frames of a PNG, GIF or TIFF file, counted up to `most` + 1; 1 of any other type, whose reader counts them.

    What ends before it should has no more frames: whether the first is whole is found out by decoding it.
    """
    if kind == "gif":
        return _gif_frames(data, most)
    if kind == "tiff":
        return _tiff_frames(data, most)
    return _png_frames(data) if kind == "png" else 1


def _png_frames(data: bytes) -> int:
    at = 8
    for _ in range(MAX_PNG_CHUNKS):
        name = data[at + 4 : at + 8]
        if name == b"acTL":
            return int.from_bytes(data[at + 8 : at + 12], "big")
        if name in (b"IDAT", b""):  # an animation says so before its first picture
            break
        at += 12 + int.from_bytes(data[at : at + 4], "big")
    return 1


def _gif_frames(data: bytes, most: int) -> int:
    frames, at = 0, 13 + _gif_palette(data, 10)
    blocks = MAX_GIF_BLOCKS
    while at < len(data) and frames <= most:
        if data[at] == 0x2C:
            frames += 1
            at += 11 + _gif_palette(data, at + 9)
        elif data[at] == 0x21:
            at += 2
        else:  # 0x3B, the end, or what no reader goes past
            break
        while at < len(data) and data[at]:
            at, blocks = at + 1 + data[at], blocks - 1
            if not blocks:
                raise BrokenImage(f"the GIF has more than {MAX_GIF_BLOCKS} blocks: save it again", limit=MAX_GIF_BLOCKS)
        at += 1
    return max(frames, 1)


def _gif_palette(data: bytes, at: int) -> int:
    """Bytes of the colour table that a byte of flags announces."""
    flags = data[at] if at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _tiff_frames(data: bytes, most: int) -> int:
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    offset, count, head, entry = ("Q", "Q", 8, 20) if big else ("I", "H", 2, 12)
    seen: set[int] = set()
    at = 8 if big else 4  # where the offset of the next directory stands
    try:
        while len(seen) <= most:
            (directory,) = struct.unpack_from(order + offset, data, at)
            if not directory or directory in seen:  # a chain that bites its tail has no more
                break
            (tags,) = struct.unpack_from(order + count, data, directory)
            seen.add(directory)
            at = directory + head + tags * entry
    except (struct.error, OverflowError):
        pass
    return max(len(seen), 1)
