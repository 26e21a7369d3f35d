"""Image bytes <-> upright RGB arrays: limits, orientation, transparency, and encoders that keep to a size."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import BrokenImage, HpeError, TooLarge, UnsupportedImage
from hpe.pose.avif import check_avif
from hpe.pose.containers import check_gif, check_tiff, exif_orientation, plain_png
from hpe.pose.frames import frames_in
from hpe.pose.image_type import image_type
from hpe.pose.jpeg import JpegParts, decode_jpeg, jpeg_parts
from hpe.pose.pillow_image import open_image, orientation, resized, to_rgb
from hpe.pose.png import encode_png

RGB = NDArray[np.uint8]
Format = Literal["png", "jpeg", "webp"]
MEDIA_TYPES: Final[dict[Format, str]] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

JPEG_QUALITY: Final = 90
WEBP_QUALITY: Final = 82
# libwebp's speed setting: 4, its default, takes three times as long for 10 % fewer bytes
WEBP_METHOD: Final = 2
_LONGEST_SIDE: Final[dict[Format, int]] = {"png": 2**31 - 1, "jpeg": 65_500, "webp": 16_383}
_CHECKS: Final[dict[str, Callable[[bytes], None]]] = {"gif": check_gif, "tiff": check_tiff}
# Their readers know the number of frames once they are open; of others it costs a look at every frame.
_COUNTED: Final = ("webp", "avif", "heic")
# Aimed at rather than the limit itself: bytes do not shrink quite as fast as pixels do.
_AIM: Final = 0.9


@dataclass(frozen=True)
class Limits:
    """What is refused before it is decoded."""

    max_bytes: int = 20_000_000
    max_pixels: int = 64_000_000
    max_frames: int = 1000


@dataclass(frozen=True)
class DecodedImage:
    """rgb: (H, W, 3) uint8 RGB, upright; smaller than width x height where a `max_side` asked for that.

    width, height: the original's size in px, upright. format: 'jpeg', 'png', 'webp', 'avif', 'heic', 'gif',
    'tiff' or 'bmp'.
    """

    rgb: RGB
    width: int
    height: int
    format: str


@dataclass(frozen=True)
class EncodedImage:
    """data: the file's bytes. width, height: px. shrunk: whether it was made smaller to keep to `max_bytes`."""

    data: bytes
    media_type: str
    width: int
    height: int
    shrunk: bool


def decode_image(data: bytes, limits: Limits = Limits(), max_side: int | None = None) -> DecodedImage:
    """The bytes of an image file -> its first frame, upright, on white where it is transparent.

    `max_side`: the longest side of the array, at most; larger pictures are averaged down. Raises TooLarge (by
    bytes, frames, or the pixels that the header states: nothing is decoded then), UnsupportedImage, BrokenImage.
    """
    if len(data) > limits.max_bytes:
        raise TooLarge(
            f"{len(data)} bytes; the limit is {limits.max_bytes}: send a smaller photo", limit=limits.max_bytes
        )
    kind = image_type(data)
    try:
        if kind in _CHECKS:
            _CHECKS[kind](data)
        if kind == "avif":
            check_avif(data, limits.max_pixels)
        _check_frames(frames_in(data, kind, limits.max_frames), limits)
        rgb, turn, stored = _decode(data, kind, limits, max_side)
    except HpeError:
        raise
    except Exception as error:  # hostile bytes make decoders raise anything, MemoryError included
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise BrokenImage(
            f"the {kind.upper()} is damaged or cut off ({reason})", hint="send the whole file again"
        ) from error
    width, height = stored[::-1] if turn >= 5 else stored  # those four lie on their side
    return DecodedImage(upright(rgb, turn), width, height, kind)


def _decode(data: bytes, kind: str, limits: Limits, max_side: int | None) -> tuple[RGB, int, tuple[int, int]]:
    """-> (H, W, 3) uint8 RGB as stored, its EXIF orientation 1..8, the stored size (width, height) in px."""
    if kind == "jpeg":
        return _decode_jpeg(jpeg_parts(data), limits, max_side)
    picture = open_image(plain_png(data) if kind == "png" else data, kind)
    _check_pixels(*picture.size, limits)
    if kind in _COUNTED:
        _check_frames(getattr(picture, "n_frames", 1), limits)
    picture.load()
    # a TIFF is turned by loading it
    size = picture.size
    fitting = _fitting(size, max_side)
    return _resize(to_rgb(resized(picture, fitting)), *fitting), orientation(picture), size


def _decode_jpeg(parts: JpegParts, limits: Limits, max_side: int | None) -> tuple[RGB, int, tuple[int, int]]:
    size = (parts.width, parts.height)
    _check_pixels(*size, limits)
    parts.check_length()
    if parts.components == 4:  # CMYK and YCCK: Pillow knows Adobe's inverted ones
        rgb, spans = to_rgb(open_image(parts.pixels, "jpeg")), 1
    else:
        rgb, spans = decode_jpeg(parts, max_side)
    extent = (parts.width / spans, parts.height / spans)
    return _resize(rgb, *_fitting(size, max_side), extent), exif_orientation(parts.exif), size


def _check_pixels(width: int, height: int, limits: Limits) -> None:
    if width < 1 or height < 1:
        raise BrokenImage(f"the image is {width}x{height} px: it has no pixels")
    if width * height > limits.max_pixels:
        raise TooLarge(
            f"{width}x{height} px; the limit is {limits.max_pixels} px: send a smaller photo",
            limit=limits.max_pixels,
        )


def _check_frames(frames: int, limits: Limits) -> None:
    if frames > limits.max_frames:
        raise TooLarge(
            f"more than {limits.max_frames} frames, which is the limit: send one of them as a photo",
            limit=limits.max_frames,
        )


def _fitting(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """(width, height) -> the largest of the same shape whose longest side is at most `max_side`."""
    if not max_side or max(size) <= max_side:
        return size
    scale = max_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _resize(rgb: RGB, width: int, height: int, extent: tuple[float, float] | None = None) -> RGB:
    """(H, W, 3) -> (height, width, 3). extent: how much of its width and height, px, is picture."""
    tall, wide = rgb.shape[:2]
    if (wide, tall) == (width, height):
        return rgb
    across, down = extent or (wide, tall)
    # below a factor of two bilinear sampling skips no pixel, and is five times as fast as averaging
    near = max(down / height, across / width) < 2
    if near and (across, down) != (wide, tall):
        # pixel (0, 0) of both has its corner at (-0.5, -0.5)
        rx, ry = across / width, down / height
        back = np.array([[rx, 0.0, (rx - 1) / 2], [0.0, ry, (ry - 1) / 2]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        out = cv2.warpAffine(rgb, back, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
        return out.astype(np.uint8, copy=False)
    # "exact" counts in whole numbers: the plain one's floats gave a third of the pixels another value on arm64
    how = cv2.INTER_LINEAR_EXACT if near else cv2.INTER_AREA
    return cv2.resize(rgb, (width, height), interpolation=how).astype(np.uint8, copy=False)


def upright(rgb: RGB, orientation: int) -> RGB:
    """(H, W, 3), EXIF orientation 1..8 -> the picture as it is to be seen (EXIF 2.32, tag 0x0112)."""
    turns: dict[int, Any] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: a[::-1].transpose(1, 0, 2),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: a[:, ::-1].transpose(1, 0, 2),
    }
    turned = turns[orientation](rgb) if orientation in turns else rgb
    return np.ascontiguousarray(turned, dtype=np.uint8)


def encode_image(rgb: RGB, format: Format = "png", max_bytes: int | None = None, threads: int = 1) -> EncodedImage:
    """(H, W, 3) uint8 RGB -> a file of at most `max_bytes`: shrunk, keeping its shape, until it fits.

    threads: a PNG is packed on so many; its bytes are the same.
    Raises TooLarge where even one pixel does not fit, UnsupportedImage for another format.
    """
    if format not in MEDIA_TYPES:
        raise UnsupportedImage(f"cannot write {format!r}: choose one of {', '.join(MEDIA_TYPES)}")
    height, width = rgb.shape[:2]
    picture = _resize(rgb, *_fitting((width, height), _LONGEST_SIDE[format]))
    data = _encode(picture, format, threads)
    while max_bytes is not None and len(data) > max_bytes:
        tall, wide = picture.shape[:2]
        if tall == wide == 1:
            raise TooLarge(f"one pixel as {format} takes {len(data)} bytes; the limit is {max_bytes}", limit=max_bytes)
        scale = min(0.95, (_AIM * max_bytes / len(data)) ** 0.5)
        # from the original each time: what is resampled twice is blurred twice
        picture = _resize(rgb, max(1, int(wide * scale)), max(1, int(tall * scale)))
        data = _encode(picture, format, threads)
    tall, wide = picture.shape[:2]
    return EncodedImage(data, MEDIA_TYPES[format], wide, tall, (wide, tall) != (width, height))


def _encode(rgb: RGB, format: Format, threads: int) -> bytes:
    if format == "png":
        return encode_png(rgb, threads)
    if format == "jpeg":
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1])
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "WEBP", quality=WEBP_QUALITY, method=WEBP_METHOD)
    return out.getvalue()
