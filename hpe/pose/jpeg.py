"""JPEG: what OpenCV does not check, and decoding at a half, a quarter or an eighth of the size."""

import re
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import BrokenImage

# mozjpeg writes about twelve, jpegtran ten. A bomb has thousands, each a pass over the whole picture.
MAX_SCANS: Final = 30

_START_OF_SCAN: Final = 0xDA
_END_OF_IMAGE: Final = 0xD9
# In a scan's data 0xFF is followed by 0 (a stuffed byte), D0-D7 (a restart), or a marker that ends the scan.
_NEXT_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_REDUCED: Final = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


@dataclass(frozen=True)
class JpegLayout:
    """scans: how many passes over the picture the file holds. whole: whether its end marker is there."""

    scans: int
    whole: bool


def jpeg_layout(data: bytes) -> JpegLayout:
    """Walk the markers of a JPEG file, up to its end of image or its last byte. Decodes nothing."""
    at, scans = 2, 0
    while at + 4 <= len(data) or data[at : at + 2] == b"\xff\xd9":
        if data[at] != 0xFF:  # junk between segments: decoders skip it, so do we
            at += 1
            continue
        marker = data[at + 1]
        if marker == _END_OF_IMAGE:
            return JpegLayout(scans, whole=scans > 0)
        if marker == 0xFF or marker == 0 or marker == 1 or 0xD0 <= marker <= 0xD8:  # no length follows
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            scans += 1
            if scans > MAX_SCANS:
                break
            end = _NEXT_MARKER.search(data, at)
            at = end.start() if end else len(data)
    return JpegLayout(scans, whole=False)


def check_jpeg(data: bytes) -> None:
    """Raise BrokenImage where the file is cut off, or has more scans than any honest encoder writes."""
    layout = jpeg_layout(data)
    if layout.scans > MAX_SCANS:
        raise BrokenImage(
            f"the JPEG has more than {MAX_SCANS} scans: save it again with an ordinary encoder", limit=MAX_SCANS
        )
    if not layout.whole:
        raise BrokenImage(
            f"the JPEG is cut off: {len(data)} bytes arrived and its end is missing",
            hint="send the whole file again",
        )


def decode_jpeg(data: bytes, width: int, height: int, max_side: int | None) -> NDArray[np.uint8]:
    """JPEG bytes of width x height px -> (H, W, 3) uint8 RGB, as stored (not turned by its EXIF orientation).

    With `max_side`, decoded at 1/2, 1/4 or 1/8 where the longest side still is at least that: the inverse DCT
    then makes fewer pixels. Raises BrokenImage.
    """
    flags, by = cv2.IMREAD_COLOR_RGB, 1
    for by_ in (2, 4, 8):
        if max_side and max(width, height) // by_ >= max_side:
            flags, by = _REDUCED[by_], by_
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise BrokenImage(f"the JPEG cannot be decoded ({error.err})", hint="open and save it again") from error
    if image is None or image.shape != (-(-height // by), -(-width // by), 3):
        raise BrokenImage("the JPEG cannot be decoded: its data is damaged", hint="open and save it again")
    if by > 1:  # the reduced flags come in BGR only
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
    return image.astype(np.uint8, copy=False)
