"""The files that mutations start from: small pictures of every type that is read, made by code."""

import io
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

# name: (Pillow's format, its mode, options of save)
_KINDS: Final[Mapping[str, tuple[str, str, dict[str, Any]]]] = {
    "jpeg": ("JPEG", "RGB", {"quality": 80}),
    "jpeg-progressive": ("JPEG", "RGB", {"quality": 80, "progressive": True}),
    "jpeg-grey": ("JPEG", "L", {"quality": 80}),
    "jpeg-cmyk": ("JPEG", "CMYK", {"quality": 80}),
    "jpeg-restarts": ("JPEG", "RGB", {"quality": 80, "restart_marker_blocks": 2, "comment": b"seed"}),
    "png": ("PNG", "RGB", {}),
    "png-alpha": ("PNG", "RGBA", {}),
    "png-palette": ("PNG", "P", {"transparency": 3}),
    "png-deep": ("PNG", "I;16", {}),
    "png-bits": ("PNG", "1", {}),
    "webp": ("WEBP", "RGB", {"quality": 70}),
    "webp-lossless": ("WEBP", "RGBA", {"lossless": True}),
    "avif": ("AVIF", "RGB", {"quality": 70, "speed": 10}),
    "avif-alpha": ("AVIF", "RGBA", {"quality": 70, "speed": 10}),
    "heic": ("HEIF", "RGB", {"quality": 70}),
    "heic-alpha": ("HEIF", "RGBA", {"quality": 70}),
    "gif": ("GIF", "P", {}),
    "tiff": ("TIFF", "RGB", {}),
    "tiff-lzw": ("TIFF", "RGB", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", "L", {"compression": "tiff_adobe_deflate"}),
    "tiff-jpeg": ("TIFF", "RGB", {"compression": "jpeg"}),
    "tiff-packbits": ("TIFF", "1", {"compression": "packbits"}),
    "tiff-fax": ("TIFF", "1", {"compression": "group4"}),
    "tiff-big": ("TIFF", "CMYK", {"big_tiff": True}),
    "tiff-float": ("TIFF", "F", {}),
    "bmp": ("BMP", "RGB", {}),
    "bmp-palette": ("BMP", "P", {}),
    "bmp-bits": ("BMP", "1", {}),
}
_ANIMATED: Final = {"gif-frames": "GIF", "webp-frames": "WEBP", "png-frames": "PNG", "tiff-pages": "TIFF"}
BOUNDARY: Final = "d74496d66958873e"
FORMATS: Final = ("jpeg", "png", "webp", "avif", "heic", "gif", "tiff", "bmp")


def picture(width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB: a gradient, with noise on its lower half."""
    across, down = np.linspace(0, 255, width), np.linspace(0, 255, height)
    ramp = np.stack(np.broadcast_arrays(across, down[:, None], 120.0), axis=-1)
    noise = np.random.default_rng(seed).normal(0, 40, ramp.shape)
    noise[: height // 2] = 0
    return np.clip(ramp + noise, 0, 255).astype(np.uint8)


@cache
def seeds() -> dict[str, bytes]:
    """Name -> file. The part of a name before its first dash is the type, one of FORMATS."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    found = {name: _saved(_in_mode(mode), format, **options) for name, (format, mode, options) in _KINDS.items()}
    frames = [Image.fromarray(picture(48, 32, seed)) for seed in range(3)]
    for name, format in _ANIMATED.items():
        found[name] = _saved(frames[0], format, save_all=True, append_images=frames[1:], duration=100)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a seed"
    for format in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        found[f"{format.lower()}-exif"] = _saved(frames[0], format, exif=exif.tobytes(), icc_profile=b"junk" * 40)
        found[f"{format.lower()}-profile"] = _saved(frames[0], format, icc_profile=exchanged())
    return found


def exchanged() -> bytes:
    """An ICC profile: sRGB with red and blue exchanged, so that nothing but converting it gives the right picture."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")


def form_of(photo: bytes, kind: str) -> tuple[bytes, bytes]:
    """A photo -> the Content-Type and the body of a form of two fields with it."""
    head = (
        f'Content-Disposition: form-data; name="image"; filename="photo.{kind}"\r\nContent-Type: image/{kind}\r\n\r\n'
    )
    note = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--{BOUNDARY}\r\n'
    body = (note + head).encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
    return f"multipart/form-data; boundary={BOUNDARY}".encode(), body


def _in_mode(mode: str) -> Image.Image:
    rgb = picture(72, 56)
    if mode == "I;16":
        return Image.fromarray(rgb[..., 0].astype(np.uint16) * 257)
    if mode == "F":
        return Image.fromarray(rgb[..., 0].astype(np.float32) / 255)
    found = Image.fromarray(rgb)
    if mode == "RGBA":
        found.putalpha(Image.fromarray(rgb[..., 0]))
    return found.convert(mode)


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()
