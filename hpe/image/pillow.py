"""Pillow's part of reading an image: open it without decoding it, its orientation, its pixels as sRGB."""

import io
from importlib import import_module
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hpe.errors import BrokenImage, TooLarge, UnsupportedImage
from hpe.image.checks import exif_orientation
from hpe.image.colour import Conversion, cmyk_conversion, to_srgb
from hpe.image.kinds import MAX_STRIP_BYTES
from hpe.image.resize import RGB, averaged, resize, upright

# Each reader's own class: Image.open would import every plugin, and try them all on hostile bytes.
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
_NOT_READ: Final = {"LAB": "CIELAB colours", "HSV": "HSV colours", "F": "floating-point pixels", "I": "32-bit pixels"}
_ORIENTATION: Final = 0x0112
# tags of TIFF
_BITS, _COMPRESSION, _ROWS_PER_STRIP, _TILE_OFFSETS = 258, 259, 278, 324
_GREY: Final = ("1", "L", "LA", "La", "I;16")
_ALPHA: Final = ("RGBA", "RGBa", "LA", "La", "PA")
# Rows are converted so many px at a time: whole copies of a large picture in each mode on its way cost most memory.
_BAND_PX: Final = 1 << 20


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


def check_mode(picture: Image.Image) -> None:
    """Raise UnsupportedImage for colours that are not read here."""
    if picture.mode in _NOT_READ:
        raise UnsupportedImage(
            f"{_NOT_READ[picture.mode]} are not supported here: convert the picture to a PNG or JPEG of 8 bits a colour"
        )


def check_strips(picture: Image.Image) -> None:
    """Raise TooLarge if a TIFF's strips are so large that unpacking one takes more memory than a photo may."""
    tags: Any = getattr(picture, "tag_v2", {})
    if tags.get(_COMPRESSION, 1) == 1:  # read from where it is
        return
    height = min(tags.get(_ROWS_PER_STRIP, picture.height), picture.height)
    bits = sum(tags.get(_BITS, (8,))) if _TILE_OFFSETS not in tags else 0  # tiles are limited in px
    size = picture.width * height * bits // 8
    if size > MAX_STRIP_BYTES:
        raise TooLarge(
            f"the TIFF is packed in strips of {size} bytes; the limit is {MAX_STRIP_BYTES}: save it in smaller strips, "
            "or as a JPEG",
            limit=MAX_STRIP_BYTES,
        )


def profile_of(picture: Image.Image) -> bytes:
    """Its ICC profile; nothing if there is none."""
    found = picture.info.get("icc_profile")
    return found if isinstance(found, bytes) else b""


def from_pillow(picture: Image.Image) -> RGB:
    """An image of Pillow's, loaded or not, of any mode -> (H, W, 3) uint8 sRGB, upright: as from its file's bytes.

    Raises BrokenImage if it is empty or its file is, UnsupportedImage for colours that are not read here.
    """
    if 0 in picture.size:
        raise BrokenImage(f"the Pillow image is {picture.width}x{picture.height} px: it has no pixels")
    check_mode(picture)
    try:
        picture.load()
        turn = picture.getexif().get(_ORIENTATION, 1)
    except Exception as error:  # the decoders of damaged files raise anything
        raise BrokenImage(f"the Pillow image cannot be read ({error}): its file is damaged or cut off") from error
    return upright(to_srgb_pixels(picture, picture.size, profile_of(picture)), turn)


def to_srgb_pixels(
    picture: Image.Image, size: tuple[int, int], profile: bytes, otherwise: Conversion | None = None
) -> RGB:
    """A loaded image of any mode -> (height, width, 3) uint8 sRGB of this size, on white where it is transparent.

    profile: the ICC profile that its values are meant in, or nothing. otherwise: to sRGB if there is none.
    """
    by = max(1, min(picture.width // size[0], picture.height // size[1]))
    across, down = -(-picture.width // by), -(-picture.height // by)
    small = np.empty((down, across, 3), dtype=np.uint8)
    rows = max(1, _BAND_PX // (picture.width * by))
    inks = cmyk_conversion(profile) if picture.mode == "CMYK" else None
    for top in range(0, down, rows):
        band = picture.crop((0, top * by, picture.width, min((top + rows) * by, picture.height)))
        small[top : top + rows] = averaged(inks(band) if inks else _to_rgb(band), by)
    extent = picture.width / by, picture.height / by
    rgb = resize(small, *size, extent)
    if not profile and otherwise:
        return otherwise(rgb)
    return (
        rgb
        if picture.mode == "CMYK"
        else to_srgb(rgb, profile, grey=picture.mode in _GREY or picture.mode.startswith("I;16"))
    )


def _to_rgb(picture: Image.Image) -> RGB:
    """A loaded image of any mode -> (H, W, 3) uint8 RGB in its own colours."""
    if picture.mode.startswith("I;16"):
        return _deep_grey(np.asarray(picture), picture.info.get("transparency"))
    if picture.mode == "La":  # all that Pillow converts it to
        picture = picture.convert("LA")
    if picture.mode in _ALPHA or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        picture = Image.new("RGB", rgba.size, "white")
        picture.paste(rgba, mask=rgba.getchannel("A"))
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"), dtype=np.uint8)


def _deep_grey(grey: NDArray[np.uint16], clear: int | None) -> RGB:
    """(H, W) of 16 bits -> (H, W, 3) uint8; white where a value is `clear`."""
    grey8 = (grey // 257).astype(np.uint8)
    if clear is not None:
        grey8[grey == clear] = 255
    return cv2.cvtColor(grey8, cv2.COLOR_GRAY2RGB).astype(np.uint8, copy=False)
