"""AVIF: how large its pictures really are. libavif believes the container, decodes what is there, and scales it.

A file of 3,567 bytes may call itself 48x32 and unpack to 268 megapixels: 1,014 MB, measured with Pillow alone. A grid
may do so once a tile. AV1 itself says the size in its sequence headers (AV1 specification, 5.5.1), which are found
here through the container's tables.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final

from hpe.errors import BrokenImage, TooLarge

# A grid of 64 megapixels in tiles of 512 px has 256.
MAX_AVIF_ITEMS: Final = 1000
_MAX_BOXES: Final = 20_000
_MAX_PIECES: Final = 10_000
_MAX_OBUS: Final = 100
# Colours, transparency and a depth map or preview may each be as large as the photo.
MAX_PLANES: Final = 3
_SEQUENCE_HEADER: Final = 1


def still_avif(data: bytes, max_pixels: int) -> bytes:
    """An AVIF file -> the same as a still picture: a film's tracks, which nothing here checks, are not opened then.

    Raises TooLarge if its coded pictures, together, are far larger than a photo may be, and BrokenImage.
    """
    _check_sizes(data, max_pixels)
    # libavif opens the tracks if "avis" is the major brand, else the picture that every such file has for a cover
    return data[:8] + b"avif" + data[12:] if data[8:12] == b"avis" else data


def _check_sizes(data: bytes, max_pixels: int) -> None:
    total = 0
    try:
        for item in _coded_items(data):
            for width, height in _sizes(item):
                total += width * height
                if width * height > max_pixels or total > MAX_PLANES * max_pixels:
                    raise TooLarge(
                        f"the AVIF holds pictures of {width}x{height} px; the limit is {max_pixels} px: send a smaller "
                        "photo",
                        limit=max_pixels,
                    )
    except (struct.error, IndexError) as error:
        raise BrokenImage("the AVIF is damaged or cut off: its tables make no sense") from error


def _coded_items(data: bytes) -> Iterator[memoryview | bytes]:
    """The bytes of each AV1 picture."""
    for name, start, end in _boxes(data, 0, len(data)):
        if name != b"meta":
            continue
        parts = {inner: (first, last) for inner, first, last in _boxes(data, start + 4, end)}
        if b"iinf" not in parts or b"iloc" not in parts:
            continue
        coded, base = _av1_items(data, *parts[b"iinf"]), parts.get(b"idat", (0, 0))[0]
        for item, extents in _locations(data, parts[b"iloc"][0], base):
            if item in coded:
                pieces = [memoryview(data)[at : at + length if length else None] for at, length in extents]
                yield pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, start of the content, its end) of the boxes in data[at:end] (ISO 14496-12, 4.2)."""
    for _ in range(_MAX_BOXES):
        if at + 8 > end:
            return
        size, name = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        size = size or end - at
        if size < start - at:
            return
        yield name, start, min(at + size, end)
        at += size


def _av1_items(data: bytes, start: int, end: int) -> set[int]:
    """Numbers of the items of type av01."""
    found = set()
    for name, at, _ in _boxes(data, start + (6 if data[start] == 0 else 8), end):
        if name == b"infe":
            item, _, kind = struct.unpack_from(">IH4s" if data[at] == 3 else ">HH4s", data, at + 4)
            if kind == b"av01":
                found.add(item)
    if len(found) > MAX_AVIF_ITEMS:
        raise BrokenImage(f"the AVIF has {len(found)} pictures in it: save it again", limit=MAX_AVIF_ITEMS)
    return found


def _locations(data: bytes, at: int, base: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Item number -> (where, how long; 0 to the file's end) of its pieces. base: where the idat box's content is."""
    version, sizes = data[at], (data[at + 4] << 8) | data[at + 5]
    offset, length, first, index = ((sizes >> shift) & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version == 2 else 2
    reader, pieces, joined = _Numbers(data, at + 6), 0, 0
    for _ in range(reader.next(wide)):
        item = reader.next(wide)
        inside = version > 0 and reader.next(2) & 15 == 1
        reader.next(2)
        origin = reader.next(first) + (base if inside else 0)
        extents = []
        for _ in range(reader.next(2)):
            if version > 0:
                reader.next(index)
            extents.append((origin + reader.next(offset), reader.next(length)))
            pieces, joined = pieces + 1, joined + (extents[-1][1] or len(data)) * (len(extents) > 1)
            if pieces > _MAX_PIECES or joined > 2 * len(data):
                raise BrokenImage("the AVIF's pictures are in too many pieces: save it again", limit=_MAX_PIECES)
        pieces += 1
        yield item, extents


class _Numbers:
    """Big-endian whole numbers, one after another."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def next(self, size: int) -> int:
        """The next number of so many bytes. Raises IndexError past the end."""
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise IndexError("past the end")
        self._at += size
        return int.from_bytes(found, "big")


def _sizes(item: memoryview | bytes) -> Iterator[tuple[int, int]]:
    """(width, height) in px that each sequence header in an AV1 picture says (AV1 specification, 5.3)."""
    at = 0
    for _ in range(_MAX_OBUS):
        if at >= len(item):
            return
        head = item[at]
        at += 2 if head & 4 else 1
        size = len(item) - at
        if head & 2:
            size, shift = 0, 0
            while True:  # leb128
                size |= (item[at] & 127) << shift
                at, shift = at + 1, shift + 7
                if item[at - 1] < 128 or shift > 56:
                    break
        if (head >> 3) & 15 == _SEQUENCE_HEADER:
            yield _frame_size(bytes(item[at : at + min(size, 256)]))
        at += size
    raise BrokenImage("the AVIF's picture is cut into too many pieces: save it again", limit=_MAX_OBUS)


def _frame_size(header: bytes) -> tuple[int, int]:
    """A sequence header's content -> the largest width and height of its frames (5.5.1)."""
    bits, left = int.from_bytes(header, "big"), 8 * len(header)

    def read(count: int) -> int:
        nonlocal left
        left -= count
        if left < 0:
            raise IndexError("past the end")
        return (bits >> left) & ((1 << count) - 1)

    read(4)  # profile, still picture
    if read(1):  # reduced_still_picture_header
        read(5)
    else:
        _skip_operating_points(read)
    width_bits, height_bits = read(4) + 1, read(4) + 1
    return read(width_bits) + 1, read(height_bits) + 1


def _skip_operating_points(read: Callable[[int], int]) -> None:
    """What stands before the size in the header of a film."""
    delay_bits = 0
    if read(1):  # timing_info
        read(64)
        if read(1):
            zeros = 0
            while not read(1):  # uvlc
                zeros += 1
            read(zeros)
        if read(1):  # decoder_model_info
            delay_bits = read(5) + 1
            read(42)
    display_delay = read(1)
    for _ in range(read(5) + 1):
        read(12)
        if read(5) > 7:
            read(1)
        if delay_bits and read(1):
            read(2 * delay_bits + 1)
        if display_delay and read(1):
            read(4)
