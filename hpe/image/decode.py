"""The bytes of an image file -> its first frame as an upright RGB array, within limits that are checked first."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BrokenImage, HpeError, TooLarge, UnsupportedImage
from hpe.image.avif import still_avif
from hpe.image.checks import check_gif, check_tiff, exif_orientation, has_all_strips, plain_png
from hpe.image.colour import to_srgb
from hpe.image.hdr import code_points, conversion_from
from hpe.image.jpeg import JpegParts, decode_jpeg, jpeg_parts
from hpe.image.kinds import KINDS, MAX_PIXELS_OF_CMYK_SCANS, MAX_PIXELS_OF_SEVERAL_SCANS, image_type
from hpe.image.pillow import check_mode, check_strips, from_pillow, open_image, orientation, profile_of, to_srgb_pixels
from hpe.image.quiet import quiet_libraries
from hpe.image.resize import RGB, fitting, resize, upright
from hpe.image.sources import read_file, read_path

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

    from hpe.image.sources import FileLike

    ImageLike = NDArray[np.uint8] | str | PathLike[str] | bytes | PillowImage | FileLike

# of the longest side and of all px
Bounds = tuple[int | None, int | None]
_CHECKS: Final[dict[str, Callable[[bytes], None]]] = {"gif": check_gif, "tiff": check_tiff}
# As Pillow, libavif and libheif word it.
_NOT_SUPPORTED: Final = re.compile("unsupported|not supported|unknown (pixel mode|data organization)", re.IGNORECASE)
# Their readers list all frames when they open a file; of other animations nothing after the first frame is read.
_COUNTED: Final = ("webp", "heic")


@dataclass(frozen=True)
class Limits:
    """What is refused before it is decoded. max_frames: of animated WebP and HEIC, whose readers list them all."""

    max_bytes: int = 50_000_000
    max_pixels: int = 64_000_000
    max_frames: int = 1000


# Of the Python package and the command line, where the photos are the user's own.
LIMITS: Final[Limits] = Limits(max_bytes=200_000_000, max_pixels=200_000_000)


@dataclass(frozen=True)
class DecodedImage:
    """rgb: (H, W, 3) uint8 RGB, upright; smaller than width x height where a `max_side` asked for that.

    width, height: the original's size in px, upright. format: 'jpeg', 'png', 'webp', 'avif', 'heic', 'gif',
    'tiff' or 'bmp', '' for what was decoded elsewhere.
    """

    rgb: RGB
    width: int
    height: int
    format: str


def decode_image(
    data: bytes, limits: Limits = Limits(), max_side: int | None = None, max_area: int | None = None
) -> DecodedImage:
    """The bytes of an image file -> its first frame, upright, on white where it is transparent.

    `max_side`, `max_area`: the longest side and the px of the array, at most; larger pictures are averaged down, to a
    half, a quarter ... for `max_area`.
    Raises TooLarge (by bytes, frames, or the pixels that the header states: nothing is decoded then),
    UnsupportedImage, BrokenImage.
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
            data = still_avif(data, limits.max_pixels)
        with quiet_libraries():
            rgb, turn, stored = _decode(data, kind, limits, (max_side, max_area))
    except HpeError:
        raise
    except Exception as error:  # hostile bytes make decoders raise anything, MemoryError included
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        if _NOT_SUPPORTED.search(reason) or (kind == "tiff" and has_all_strips(data)):
            raise UnsupportedImage(
                f"this kind of {kind.upper()} is not supported here, if it is not damaged ({reason}): "
                "convert it to a PNG or JPEG"
            ) from error
        raise BrokenImage(
            f"the {kind.upper()} is damaged or cut off ({reason})", hint="send the whole file again"
        ) from error
    width, height = stored[::-1] if turn >= 5 else stored  # those four lie on their side
    return DecodedImage(upright(rgb, turn), width, height, kind)


def _decode(data: bytes, kind: str, limits: Limits, bounds: Bounds) -> tuple[RGB, int, tuple[int, int]]:
    """-> (H, W, 3) uint8 RGB as stored, its EXIF orientation 1..8, the stored size (width, height) in px."""
    if kind == "jpeg":
        return _decode_jpeg(jpeg_parts(data), limits, bounds)
    picture = open_image(plain_png(data) if kind == "png" else data, kind)
    _check_pixels(*picture.size, limits, KINDS[kind].max_pixels, f"a {kind.upper()}")
    check_mode(picture)
    if kind == "tiff":
        check_strips(picture)
    if kind in _COUNTED:
        _check_frames(getattr(picture, "n_frames", 1), limits)
    picture.load()
    size = picture.size  # only now: a TIFF is turned by loading it
    otherwise = conversion_from(*code_points(data, kind))
    rgb = to_srgb_pixels(picture, fitting(size, *bounds), profile_of(picture), otherwise)
    turn = orientation(picture)
    picture.close()  # pillow-heif's would keep its pixels until the next garbage collection
    return rgb, turn, size


def _decode_jpeg(parts: JpegParts, limits: Limits, bounds: Bounds) -> tuple[RGB, int, tuple[int, int]]:
    size = (parts.width, parts.height)
    several = parts.scans > 1
    if parts.components == 4 and several:
        _check_pixels(*size, limits, MAX_PIXELS_OF_CMYK_SCANS, "a progressive JPEG in CMYK")
    else:
        own = MAX_PIXELS_OF_SEVERAL_SCANS if several else KINDS["jpeg"].max_pixels
        _check_pixels(*size, limits, own, "a progressive JPEG" if several else "a JPEG")
    parts.check_whole()
    target = fitting(size, *bounds)
    if parts.components == 4:  # CMYK and YCCK: Pillow knows Adobe's inverted ones
        picture = open_image(parts.pixels, "jpeg")
        picture.draft(None, target)  # decoded at 1/2, 1/4 or 1/8, no smaller than this
        picture.load()
        rgb = to_srgb_pixels(picture, target, parts.profile)
    else:
        decoded, spans = decode_jpeg(parts, max(target))
        small = resize(decoded, *target, (parts.width / spans, parts.height / spans))
        rgb = to_srgb(small, parts.profile, grey=parts.components == 1)
    return rgb, exif_orientation(parts.exif), size


def _check_pixels(width: int, height: int, limits: Limits, of_kind: int, what: str) -> None:
    """of_kind: the limit of this kind, which takes more memory than others; `what` names it."""
    if width < 1 or height < 1:
        raise BrokenImage(f"the image is {width}x{height} px: it has no pixels")
    if of_kind < width * height <= limits.max_pixels:
        raise TooLarge(
            f"{width}x{height} px; the limit for {what} is {of_kind} px, since it cannot be made smaller while it is "
            "read: send a smaller photo, or the same as an ordinary JPEG",
            limit=of_kind,
        )
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


def picture_of(image: "ImageLike | DecodedImage", max_side: int | None = None) -> DecodedImage:
    """Any accepted image -> its pixels, upright. Raises HpeError's kinds for what is none.

    max_side: the longer side of the array, at most, as in `decode_image`.
    """
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise UnsupportedImage(f"array of {image.shape} {image.dtype}: expected (H, W, 3) uint8 RGB, not empty")
        return _smaller(DecodedImage(image, image.shape[1], image.shape[0], ""), max_side)
    if isinstance(image, bytes | bytearray | memoryview):
        return decode_image(bytes(image), LIMITS, max_side)
    if isinstance(image, str | PathLike):
        return decode_image(read_path(image), LIMITS, max_side)
    if isinstance(image, DecodedImage):
        return _smaller(image, max_side)
    if hasattr(image, "getexif"):
        with quiet_libraries():
            rgb = from_pillow(cast("PillowImage", image))
        return _smaller(DecodedImage(rgb, rgb.shape[1], rgb.shape[0], ""), max_side)
    if hasattr(image, "read"):
        return decode_image(read_file(image, LIMITS.max_bytes), LIMITS, max_side)
    raise UnsupportedImage(
        f"{type(image).__name__}: expected an RGB array, a path, bytes, a file opened with 'rb' or a Pillow image"
    )


def _smaller(image: DecodedImage, max_side: int | None) -> DecodedImage:
    size = fitting((image.rgb.shape[1], image.rgb.shape[0]), max_side)
    return replace(image, rgb=resize(image.rgb, *size))


def as_rgb(image: "ImageLike") -> NDArray[np.uint8]:
    """Any accepted image -> (H, W, 3) uint8 RGB at its own size, upright. Raises HpeError's kinds for what is none."""
    return picture_of(image).rgb
