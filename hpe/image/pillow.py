"""Pillow's part of reading an image: open it without decoding it, its orientation, its pixels as RGB."""

import io
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hpe.errors import TooLarge, UnsupportedImage
from hpe.image.checks import exif_orientation

# Each reader's class by itself: Image.open would import every plugin, and try them all on hostile bytes.
_READERS: Final[dict[str, tuple[str, str]]] = {
    "jpeg": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "png": ("PIL.PngImagePlugin", "PngImageFile"),
    "webp": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "avif": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "gif": ("PIL.GifImagePlugin", "GifImageFile"),
    "tiff": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "bmp": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "heic": ("pillow_heif.as_plugin", "HeifImageFile"),
}
# Modes whose values are colours, so that a mean of them makes sense.
_AVERAGED: Final = ("L", "LA", "RGB", "RGBA", "CMYK")


def open_image(data: bytes, kind: str) -> Image.Image:
    """Image bytes of a known type -> Pillow's image, its header read and its pixels not.

    Raises UnsupportedImage where no library for the type is installed, TooLarge where Pillow itself refuses
    the size, and whatever Pillow raises on damaged bytes.
    """
    module, name = _READERS[kind]
    try:
        reader = getattr(import_module(module), name)
    except ImportError as error:
        raise UnsupportedImage(
            f"{kind.upper()} images cannot be read here: save the photo as a JPEG",
            hint="on an iPhone: Settings, Camera, Formats, Most Compatible; "
            "whoever runs this service can install pillow-heif",
        ) from error
    try:
        opened: Image.Image = reader(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise TooLarge(f"{error}: send a smaller photo") from error
    return opened


def orientation(picture: Image.Image) -> int:
    """The EXIF orientation of a loaded image, 1..8. Pillow itself has turned a TIFF when it loaded it."""
    return 1 if picture.format == "TIFF" else exif_orientation(picture.info.get("exif") or b"")


def resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A loaded image, averaged down to `size`; as it is where its values are no colours (palette, 16 bits)."""
    if picture.size == size or picture.mode not in _AVERAGED or "transparency" in picture.info:
        return picture
    return picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def to_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    """A loaded Pillow image of any mode -> (H, W, 3) uint8 RGB, composited on white where it is transparent."""
    if picture.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        picture = Image.new("RGB", rgba.size, "white")
        picture.paste(rgba, mask=rgba.getchannel("A"))
    if picture.mode == "I" or picture.mode == "F" or picture.mode.startswith("I;16"):
        return _deep_grey(np.asarray(picture))
    if picture.mode == "LAB":
        raise UnsupportedImage("the colours are CIELAB, which is not read here: save the photo as sRGB")
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"), dtype=np.uint8)


def _deep_grey(grey: NDArray[Any]) -> NDArray[np.uint8]:
    """(H, W) of more than 8 bits -> (H, W, 3) uint8. Whole numbers are taken as 16 bits; floats by their range."""
    if grey.dtype.kind == "f":
        finite = np.nan_to_num(grey.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(finite.min()), float(finite.max())
        grey8 = ((finite - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    else:
        grey8 = (np.clip(grey, 0, 65_535) // 257).astype(np.uint8)
    return np.repeat(grey8[:, :, None], 3, axis=2)
