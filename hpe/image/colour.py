"""Colours as a browser shows them: pixels that come with an ICC profile -> sRGB.

LittleCMS (Pillow's ImageCms) converts, and is the measure. Display P3, Adobe RGB and all other profiles of three curves
and a matrix take a quicker way through OpenCV if that gives the same colours as LittleCMS does: for 1600x1200 px,
7 to 10 ms rather than 40 to 57 on one core of a busy machine.
"""

import io
import struct
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.image.checks import MAX_PROFILE_BYTES
from hpe.image.resize import RGB

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

_HEADER: Final = 128
_MAX_TAGS: Final = 100
_BAND_PX: Final = 1 << 18
# Grey levels of 255 that nobody sees: two implementations of sRGB differ by as much.
_SAME: Final = 2
# XYZ of sRGB's primaries, adapted to D50 as profiles are (IEC 61966-2-1, with Bradford's transform).
_SRGB_XYZ: Final = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)

Conversion = Callable[[RGB], RGB]


def to_srgb(rgb: RGB, profile: bytes, grey: bool = False) -> RGB:
    """(H, W, 3) uint8 RGB in the colours of an ICC profile -> (H, W, 3) uint8 sRGB.

    grey: whether it was stored as grey, as profiles for grey want it. The same array is given back if the profile is
    sRGB's, broken, or for other colours.
    """
    convert = conversion_of(profile, grey) if _HEADER < len(profile) <= MAX_PROFILE_BYTES else None
    return rgb if convert is None else convert(rgb)


def cmyk_conversion(profile: bytes) -> "Callable[[PillowImage], RGB] | None":
    """An ICC profile -> what makes (H, W, 3) uint8 sRGB of a CMYK image; None if it is broken or not for CMYK."""
    if not _HEADER < len(profile) <= MAX_PROFILE_BYTES or profile[16:20] != b"CMYK":
        return None
    transform = _transform(profile, "CMYK")
    return None if transform is None else lambda picture: _applied(transform, picture)


@lru_cache(maxsize=8)
def conversion_of(profile: bytes, grey: bool) -> Conversion | None:
    """How to convert RGB pixels; None if nothing is to be done. Kept, since building a transform takes 5 ms."""
    kind = profile[16:20]
    if kind == b"GRAY" and grey:
        return _grey_conversion(profile)
    transform = _transform(profile, "RGB") if kind == b"RGB " else None
    if transform is None:
        return None
    exact = _in_bands(partial(_through, transform))
    steps = np.append(np.arange(0, 255, 15, dtype=np.uint8), [4, 8, 253, 255])
    samples = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3).astype(np.uint8)
    wanted = exact(samples).astype(int)
    if np.abs(wanted - samples).max() <= _SAME:
        return None
    quick = quick_conversion(profile)
    return quick if quick and np.abs(wanted - quick(samples)).max() <= _SAME else exact


def _grey_conversion(profile: bytes) -> Conversion | None:
    transform = _transform(profile, "L")
    if transform is None:
        return None
    from PIL import Image

    ramp = np.arange(256, dtype=np.uint8).reshape(1, 256)
    table = _applied(transform, Image.fromarray(ramp))  # (1, 256, 3)
    return lambda rgb: cv2.LUT(rgb, table).astype(np.uint8, copy=False)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> Any:
    """LittleCMS's transform from the profile's colours in Pillow's `mode` to sRGB; None if it has none."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, _srgb(), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


@lru_cache(maxsize=1)
def _srgb() -> Any:
    from PIL import ImageCms

    return ImageCms.createProfile("sRGB")


def _applied(transform: Any, picture: "PillowImage") -> RGB:
    from PIL import ImageCms

    return np.asarray(ImageCms.applyTransform(picture, transform), dtype=np.uint8)


def _through(transform: Any, rgb: RGB) -> RGB:
    from PIL import Image

    return _applied(transform, Image.fromarray(rgb))


def quick_conversion(profile: bytes) -> Conversion | None:
    """Of a profile of three curves and a matrix (ICC.1:2022, 8.3.3): curve, matrix, sRGB's own curve, in 16 bits."""
    try:
        tags = _tags(profile)
        curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")], axis=-1)
        primaries = np.array([struct.unpack(">3i", tags[name][8:20]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T
    except (KeyError, struct.error, ValueError, OverflowError):
        return None
    return by_curves_and_matrix(curves, np.linalg.inv(_SRGB_XYZ) @ primaries / 65_536)


def by_curves_and_matrix(curves: NDArray[np.float64], matrix: NDArray[np.float64]) -> Conversion:
    """curves: (256, 3) light of the values 0 to 255, 0 to 1. matrix: (3, 3) light -> light in sRGB's primaries."""
    table = np.rint(65_535 * np.clip(np.nan_to_num(curves), 0, 1)).astype(np.uint16)[None]  # (1, 256, 3)
    if (table == table[..., :1]).all():  # as in nearly all: OpenCV is then three times as fast
        table = table[..., 0]

    def convert(rgb: RGB) -> RGB:
        light = cv2.transform(cv2.LUT(rgb, table), matrix)  # out of sRGB's range is cut off, as browsers do
        return cv2.LUT(light, _srgb_curve()).astype(np.uint8, copy=False)

    return _in_bands(convert)


def _in_bands(convert: Conversion) -> Conversion:
    """The same, so many px at a time: of a whole picture in 16 bits there need be no copy."""

    def convert_all(rgb: RGB) -> RGB:
        out, rows = np.empty_like(rgb), max(1, _BAND_PX // rgb.shape[1])
        for top in range(0, len(rgb), rows):
            out[top : top + rows] = convert(rgb[top : top + rows])
        return out

    return convert_all


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    entries = [struct.unpack_from(">4sII", profile, _HEADER + 4 + 12 * n) for n in range(min(count, _MAX_TAGS))]
    return {name: profile[at : at + size] for name, at, size in entries}


def _curve(tag: bytes) -> NDArray[np.float64]:
    """A tag of type curv or para (ICC.1:2022, 10.6 and 10.18) -> (256,) light, 0 to 1, of the values 0 to 255."""
    x: NDArray[np.float64] = np.linspace(0, 1, 256)
    (number,) = struct.unpack_from(">I" if tag[:4] == b"curv" else ">H", tag, 8)
    if tag[:4] == b"curv":
        points = np.frombuffer(tag, ">u2", number, 12).astype(np.float64)
        if number < 2:
            return np.asarray(x ** float(points[0] / 256)) if number else x
        return np.interp(x, np.linspace(0, 1, number), points / 65_535)
    if tag[:4] != b"para":
        raise ValueError("no curve")
    given = [value / 65_536 for value in struct.unpack_from(f">{(1, 3, 4, 5, 7)[min(number, 4)]}i", tag, 12)]
    gamma, a, b, c, d, e, f = given + [0.0] * (7 - len(given))
    if number == 0:
        return np.asarray(x**gamma)
    if number < 3:  # the power ends where it reaches 0; under that, and on all of it, lies c
        return np.asarray(np.maximum(a * x + b, 0) ** gamma + c)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(x >= d, np.maximum(a * x + b, 0) ** gamma + e, c * x + f))


@lru_cache(maxsize=1)
def _srgb_curve() -> NDArray[np.uint8]:
    """(65536,) light in 16 bits -> sRGB's 8."""
    light = np.linspace(0, 1, 65_536)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * value), dtype=np.uint8)
