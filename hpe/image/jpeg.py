"""JPEG: its markers walked before a decoder sees them, and decoding at a half, a quarter or an eighth of the size."""

import re
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import BrokenImage, UnsupportedImage

# mozjpeg writes about twelve, jpegtran ten. A bomb has thousands, each a pass over the whole picture.
MAX_SCANS: Final = 30
# A photo has some twenty, one with a large colour profile and depth maps a few hundred.
MAX_SEGMENTS: Final = 2000
# A block of 8x8 px takes at least a bit in Huffman coding.
_MAX_PIXELS_A_BYTE: Final = 8 * 64
# Bytes of one scan for each 8x8 block of one component: 64 numbers of at most 27 bits, twice as long where every byte
# is stuffed, make 432, a restart marker two more. What is longer is restarts without a picture, or padding.
_MAX_BYTES_A_BLOCK: Final = 1024
# Padding between segments, bytes.
_MAX_JUNK: Final = 65_536

_SOS, _EOI, _ADOBE, _EXIF, _PROFILE, _COMMENT = 0xDA, 0xD9, 0xEE, 0xE1, 0xE2, 0xFE
_APPLICATION: Final = range(0xE1, 0xF0)
_ARITHMETIC: Final = range(0xC9, 0xD0)
_PROGRESSIVE: Final = frozenset((0xC2, 0xCA))
# Frames by their marker (ITU-T T.81, table B.1), and of those the ones that no browser shows either.
_FRAMES: Final = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}
_NOT_READ: Final = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "a lossless JPEG"),
    **dict.fromkeys((0xC5, 0xC6, 0xCD, 0xCE), "a hierarchical JPEG"),
    0xF7: "a JPEG-LS",
}
_ALONE: Final = frozenset((0x01, *range(0xD0, 0xD9)))
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
# In a scan's data 0xFF is followed by 0 (a stuffed byte), D0-D7 (a restart), or a marker that ends the scan.
_SCAN_END: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
# Zeros that are left of those behind the picture: its last byte may be one.
_ZEROS_LEFT: Final = 4
# What a decoder would need for the next blocks.
_PADDING_BYTES: Final = 4096
_REDUCED: Final = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


@dataclass(frozen=True)
class JpegParts:
    """width, height: stored size, px. components: 1 grey, 3 colour, 4 CMYK. scans: passes over the picture.

    huffman: how its numbers are coded, as nearly all are. exif: its bytes, from their TIFF header on. profile: its ICC
    profile. pixels: the file without metadata and without what follows it. ended: whether its end marker was there.
    """

    width: int
    height: int
    components: int
    scans: int
    huffman: bool
    exif: bytes
    profile: bytes
    pixels: bytes
    ended: bool

    def check_whole(self) -> None:
        """Raise BrokenImage if there are fewer bits than blocks (a decoder would make up the rest, slowly), or if
        more than the end marker is missing."""
        if self.huffman and self.width * self.height > _MAX_PIXELS_A_BYTE * len(self.pixels):
            raise _cut_off(self.pixels)
        if not self.ended and not _has_all_blocks(self.pixels):
            raise _cut_off(self.pixels)


def _has_all_blocks(pixels: bytes) -> bool:
    """Whether what might follow the data changes nothing in the picture, so that the decoder needs none of it."""
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(2):
        padding = rng.integers(0, 255, _PADDING_BYTES, dtype=np.uint8).tobytes()  # no 255, which begins a marker
        data = np.frombuffer(pixels.removesuffix(b"\xff\xd9").rstrip(b"\xff") + padding + b"\xff\xd9", dtype=np.uint8)
        pictures.append(cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION))
    return pictures[0] is not None and pictures[1] is not None and bool((pictures[0] == pictures[1]).all())


@dataclass
class _Coverage:
    """Which coefficients of each component the scans have given so far, and to which bit (ITU-T T.81, G.1.1)."""

    lowest: dict[int, list[int]] = field(default_factory=dict)

    def add(self, scan: bytes, progressive: bool) -> None:
        """Note a scan by its header's content."""
        count = scan[0] if scan else 0
        if len(scan) < 4 + 2 * count:
            raise _no_frame()
        first, last, low = scan[1 + 2 * count], min(scan[2 + 2 * count], 63), scan[3 + 2 * count] & 15
        for component in scan[1 : 1 + 2 * count : 2]:
            told = self.lowest.setdefault(component, [15] * 64)
            for n in range(first, last + 1) if progressive else range(64):
                told[n] = low if progressive else 0

    def whole(self, frame: bytes) -> bool:
        """Whether the scans have given all of a frame, by its header's content."""
        return len(frame) > 5 and len(self.lowest) >= frame[5] and not any(map(any, self.lowest.values()))

    def goes_on(self, data: bytes, marker: int, at: int) -> bool:
        """Whether the marker here begins one more scan of the same components."""
        count = data[at + 4] if marker == _SOS and at + 4 < len(data) else 0
        names = data[at + 5 : at + 5 + 2 * count : 2]
        return count > 0 and int.from_bytes(data[at + 2 : at + 4]) == 6 + 2 * count and set(names) <= set(self.lowest)


def jpeg_parts(data: bytes) -> JpegParts:
    """Walk the markers of a JPEG file to its end; decode nothing.

    Raises BrokenImage where it is cut off, or repeats something more often than any honest encoder does:
    decoders take seconds over that, and show a cut-off file as if it were whole. Whether one without an end marker
    is whole, `check_whole` finds out. Raises UnsupportedImage for kinds that no browser shows.
    """
    if data.endswith(bytes(_ZEROS_LEFT + 1)):
        data = data.rstrip(b"\0") + bytes(_ZEROS_LEFT)
    coverage = _Coverage()
    at, scans, exif, frame, coding, kept = 2, 0, b"", b"", 0, [data[:2]]
    profile: dict[int, bytes] = {}
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at, at + _MAX_JUNK)
        marker, start = (data[found.end() - 1], found.start()) if found else (_EOI, len(data))
        ended = marker == _EOI and start < len(data)
        # a bomb goes on with scans that add nothing, a phone's trailer with any bytes
        over = coverage.whole(frame) and not coverage.goes_on(data, marker, start)
        if ended or over:
            if not scans or (not ended and data.endswith(b"\xff")):  # cut off within its end marker
                raise _cut_off(data)
            kept.append(b"\xff\xd9")
            whole = b"".join(part for _, part in sorted(profile.items()))
            return _parts(frame, coding, scans, exif, whole, b"".join(kept), ended)
        if marker == _EOI:
            raise _cut_off(data)
        if marker in _ALONE:
            at = start + 2
            continue
        at = start + 2 + int.from_bytes(data[start + 2 : start + 4], "big")
        if marker == _SOS:
            scans += 1
            coverage.add(data[start + 4 : at], coding in _PROGRESSIVE)
            limit = at + _longest_scan(frame)
            end = _SCAN_END.search(data, at, limit)
            if end is None and limit < len(data):
                raise BrokenImage("the JPEG has more data than its pixels can need: save it again")
            at = end.start() if end else len(data)
        if scans > MAX_SCANS:
            raise BrokenImage(f"the JPEG has more than {MAX_SCANS} scans: save it again", limit=MAX_SCANS)
        if marker in _FRAMES:
            if frame:
                raise BrokenImage("the JPEG has two frames in one: save it again")
            frame, coding = data[start + 4 : at], marker
            _check_supported(frame, coding)
        if marker == _EXIF and not exif and data.startswith(b"Exif\0\0", start + 4):
            exif = data[start + 10 : at]
        if marker == _PROFILE and data.startswith(b"ICC_PROFILE\0", start + 4):  # in parts, which are numbered
            profile.setdefault(data[start + 16], data[start + 18 : at])
        if marker != _COMMENT and (marker not in _APPLICATION or marker == _ADOBE):
            kept.append(data[start:at])
    raise BrokenImage(f"the JPEG has more than {MAX_SEGMENTS} segments: save it again", limit=MAX_SEGMENTS)


def _longest_scan(frame: bytes) -> int:
    """Bytes that one scan of a picture may take, from its frame header."""
    if len(frame) < 6:
        raise _no_frame()
    across, down = (-(-int.from_bytes(frame[i : i + 2], "big") // 8) + 1 for i in (3, 1))
    return _MAX_JUNK + _MAX_BYTES_A_BLOCK * across * down * max(1, frame[5])


def _parts(frame: bytes, coding: int, scans: int, exif: bytes, profile: bytes, pixels: bytes, ended: bool) -> JpegParts:
    if len(frame) < 6:
        raise _no_frame()
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return JpegParts(width, height, frame[5], scans, coding not in _ARITHMETIC, exif, profile, pixels, ended)


def _check_supported(frame: bytes, coding: int) -> None:
    what = _NOT_READ.get(coding, "")
    if not what and len(frame) > 5 and frame[0] != 8:
        what = f"a JPEG of {frame[0]} bits a colour"
    if not what and len(frame) > 5 and frame[5] not in (1, 3, 4):
        what = f"a JPEG of {frame[5]} colours"
    if what:
        raise UnsupportedImage(f"this is {what}, which is not supported here: convert it to a PNG or an ordinary JPEG")


def _no_frame() -> BrokenImage:
    return BrokenImage("the JPEG has no frame header: its data is damaged")


def _cut_off(data: bytes) -> BrokenImage:
    return BrokenImage(
        f"the JPEG is cut off: {len(data)} bytes arrived and its end is missing", hint="send the whole file again"
    )


def decode_jpeg(parts: JpegParts, max_side: int) -> tuple[NDArray[np.uint8], int]:
    """A grey or colour JPEG -> (H, W, 3) uint8 RGB, as stored (not turned by its EXIF orientation), and how many px
    of the photo each of its px spans. The last row and column may span fewer.

    Decoded at 1/2, 1/4 or 1/8 if the longest side is still `max_side` or more: the inverse DCT
    then makes fewer pixels. Raises BrokenImage.
    """
    flags, by = cv2.IMREAD_COLOR_RGB, 1
    for shrink, reduced in _REDUCED.items():
        if max(parts.width, parts.height) // shrink >= max_side:
            flags, by = reduced, shrink
    try:
        image = cv2.imdecode(np.frombuffer(parts.pixels, dtype=np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise BrokenImage(f"the JPEG cannot be decoded ({error.err})", hint="open and save it again") from error
    if image is None or image.shape != (-(-parts.height // by), -(-parts.width // by), 3):
        raise BrokenImage("the JPEG cannot be decoded: its data is damaged", hint="open and save it again")
    if by > 1:  # the reduced flags come in BGR only
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    return image.astype(np.uint8, copy=False), by
