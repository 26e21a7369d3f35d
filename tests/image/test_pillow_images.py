"""Pillow images, arrays, paths and bytes through one door: the same pixels, or one clear error."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from image.files import save
from PIL import Image, ImageOps

from hpe.errors import BrokenImage, UnsupportedImage
from hpe.image.decode import as_rgb, decode_image

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]


def in_mode(photo: np.ndarray, mode: str) -> Image.Image:
    """The photo in this mode, a corner of it transparent where the mode has that."""
    if mode == "I;16":
        return Image.fromarray(photo[..., 1].astype(np.uint16) * 257)
    picture = Image.fromarray(photo).convert(mode)
    if mode in ("LA", "RGBA"):
        alpha = np.full(photo.shape[:2], 255, np.uint8)
        alpha[:50, :50], alpha[:50, 50:100] = 0, 128
        picture.putalpha(Image.fromarray(alpha))
    return picture


@pytest.mark.parametrize("mode", MODES)
def test_a_picture_in_memory_is_the_same_as_its_file(photo: np.ndarray, mode: str) -> None:
    picture = in_mode(photo, mode)
    data = save(picture)
    assert np.array_equal(as_rgb(picture), as_rgb(data))
    assert np.array_equal(as_rgb(Image.open(io.BytesIO(data))), as_rgb(data))
    if mode in ("LA", "RGBA"):
        assert as_rgb(picture)[:50, :50].min() == 255, "white, not the black that convert() makes of it"


def test_a_palette_with_an_alpha_of_its_own_is_read(photo: np.ndarray) -> None:
    alpha = in_mode(photo, "LA").getchannel("A")
    palette = in_mode(photo, "P")
    colours, picture = palette.convert("RGBA"), palette.convert("PA")
    colours.putalpha(alpha)
    picture.putalpha(alpha)
    assert picture.mode == "PA"
    assert np.array_equal(as_rgb(picture), as_rgb(colours))
    assert as_rgb(picture)[:50, :50].min() == 255


@pytest.mark.parametrize("mode", ["La", "RGBa", "CMYK", "YCbCr", "I;16B", "I;16L"])
def test_modes_that_no_png_has_are_read(photo: np.ndarray, mode: str) -> None:
    if mode.startswith("I;16"):
        picture = Image.new(mode, (400, 240))
        picture.frombytes((photo[..., 1].astype(np.uint16) * 257).astype(">u2" if mode == "I;16B" else "<u2").tobytes())
        want = np.repeat(photo[..., 1:2], 3, axis=2)
    else:
        like = {"La": "LA", "RGBa": "RGBA"}.get(mode, "RGB")
        want = as_rgb(in_mode(photo, like))
        picture = in_mode(photo, like).convert(mode)
    assert np.abs(as_rgb(picture).astype(int) - want).max() <= (3 if mode in ("YCbCr", "RGBa", "La") else 0)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "I;16"])
def test_one_transparent_colour_is_white_in_a_picture_and_in_its_file(mode: str) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    grey = Image.fromarray(ramp.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(ramp).convert(mode)
    clear = {"RGB": (20, 20, 20), "I;16": 20 * 257}.get(mode, 20)
    data = save(grey, transparency=clear)
    want = np.repeat(ramp[:, :, None], 3, axis=2)
    want[:, 20] = 255
    assert np.array_equal(as_rgb(data), want)
    assert np.array_equal(as_rgb(Image.open(io.BytesIO(data))), want)
    small = decode_image(data, max_side=64).rgb
    assert np.abs(small[0, 8:, 0].astype(int) - (np.arange(8, 64) * 4 + 1.5)).max() <= 1


def test_a_deep_ramp_is_the_same_with_a_transparent_grey_that_no_pixel_has() -> None:
    ramp = Image.fromarray((np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64))
    assert np.array_equal(as_rgb(save(ramp, transparency=0x1234)), as_rgb(save(ramp)))
    assert as_rgb(save(ramp)).std() > 70


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_file_that_pillow_opened_is_the_same_as_its_bytes(photo: np.ndarray, format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = save(Image.fromarray(photo), format, **({} if format in ("GIF", "BMP") else {"exif": exif}))
    opened = Image.open(io.BytesIO(data))
    assert np.array_equal(as_rgb(opened), as_rgb(data))
    assert np.array_equal(as_rgb(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))), as_rgb(data))


def test_a_path_and_an_array_are_the_same_as_bytes(photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a photo"
    path.write_bytes(save(Image.fromarray(photo)))
    for image in (path, str(path), path.read_bytes(), bytearray(path.read_bytes()), photo):
        assert np.array_equal(as_rgb(image), photo)


def test_a_truncated_or_empty_picture_gives_one_clear_error(photo: np.ndarray) -> None:
    for format in ("JPEG", "PNG", "TIFF", "BMP"):
        data = save(Image.fromarray(photo), format)
        with pytest.raises(BrokenImage, match="damaged or cut off"):
            as_rgb(Image.open(io.BytesIO(data[: len(data) // 2])))
    with pytest.raises(BrokenImage, match="0x0 px"):
        as_rgb(Image.new("RGB", (0, 0)))


@pytest.mark.parametrize("mode", ["F", "I", "LAB", "HSV"])
def test_modes_that_no_photo_has_are_refused_in_words(mode: str) -> None:
    with pytest.raises(UnsupportedImage, match="not supported here: convert the picture to a PNG or JPEG"):
        as_rgb(Image.new(mode, (4, 4)))


def test_broken_metadata_does_not_stop_a_picture(photo: np.ndarray) -> None:
    picture = Image.fromarray(photo)
    picture.info["icc_profile"] = "not bytes"
    picture.info["exif"] = b"Exif\0\0II*\0" + struct.pack("<I", 2**31)
    assert np.array_equal(as_rgb(picture), photo)


@pytest.mark.parametrize("given", [None, 5, [1, 2], np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3))], ids=str)
def test_what_is_no_image_is_refused_in_words(given: object) -> None:
    with pytest.raises(UnsupportedImage, match="expected"):
        as_rgb(given)  # type: ignore[arg-type]
