"""(H, W, 3) uint8 RGB -> the bytes of a PNG, JPEG or WebP file that keeps to a size."""

import io
from dataclasses import dataclass
from typing import Final

import cv2

from hpe.errors import TooLarge, UnsupportedImage
from hpe.image.png import encode_png
from hpe.image.resize import RGB, fitting, resize

MEDIA_TYPES: Final[dict[str, str]] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

JPEG_QUALITY: Final = 90
WEBP_QUALITY: Final = 82
# libwebp's speed setting: 4, its default, takes three times as long for 10 % fewer bytes
WEBP_METHOD: Final = 2
_LONGEST_SIDE: Final[dict[str, int]] = {"png": 2**31 - 1, "jpeg": 65_500, "webp": 16_383}
# Aimed at rather than the limit itself: bytes do not shrink quite as fast as pixels do.
_AIM: Final = 0.9


@dataclass(frozen=True)
class EncodedImage:
    """data: the file's bytes. width, height: px, smaller than the picture's if that was too large for `max_bytes`."""

    data: bytes
    media_type: str
    width: int
    height: int


def encode_image(rgb: RGB, format: str = "png", max_bytes: int | None = None) -> EncodedImage:
    """(H, W, 3) uint8 RGB -> a file of at most `max_bytes`: shrunk, keeping its shape, until it fits.

    Raises TooLarge where even one pixel does not fit, UnsupportedImage for another format.
    """
    if format not in MEDIA_TYPES:
        raise UnsupportedImage(f"cannot write {format!r}: choose one of {', '.join(MEDIA_TYPES)}")
    height, width = rgb.shape[:2]
    picture = resize(rgb, *fitting((width, height), _LONGEST_SIDE[format]))
    data = _encode(picture, format)
    while max_bytes is not None and len(data) > max_bytes:
        tall, wide = picture.shape[:2]
        if tall == wide == 1:
            raise TooLarge(f"one pixel as {format} takes {len(data)} bytes; the limit is {max_bytes}", limit=max_bytes)
        scale = min(0.95, (_AIM * max_bytes / len(data)) ** 0.5)
        # from the original each time: what is resampled twice is blurred twice
        picture = resize(rgb, max(1, int(wide * scale)), max(1, int(tall * scale)))
        data = _encode(picture, format)
    tall, wide = picture.shape[:2]
    return EncodedImage(data, MEDIA_TYPES[format], wide, tall)


def _encode(rgb: RGB, format: str) -> bytes:
    if format == "png":
        return encode_png(rgb)
    if format == "jpeg":
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1])
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return out.getvalue()
