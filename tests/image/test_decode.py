"""hpe.image: every type, mode and orientation in; files that keep to their size out."""

import contextlib
import io
import struct
import sys

import cv2
import numpy as np
import pytest
from image.files import save
from PIL import Image, ImageOps

from fuzz.hostile import jpeg_saying, tiff
from hpe.errors import BrokenImage, HpeError, TooLarge, UnsupportedImage
from hpe.image.decode import Limits, decode_image
from hpe.image.encode import encode_image
from hpe.image.jpeg import jpeg_parts

# name, Pillow's name, save options, mean error allowed (grey levels of 255)
TYPES = [
    ("jpeg", "JPEG", {"quality": 95}, 3.0),
    ("jpeg", "JPEG", {"quality": 95, "progressive": True}, 3.0),
    ("png", "PNG", {}, 0.0),
    ("webp", "WEBP", {"lossless": True}, 0.0),
    ("webp", "WEBP", {"quality": 90}, 3.0),
    ("avif", "AVIF", {"quality": 90}, 3.0),
    ("heic", "HEIF", {"quality": 90}, 3.0),
    ("gif", "GIF", {}, 8.0),
    ("tiff", "TIFF", {}, 0.0),
    ("tiff", "TIFF", {"compression": "tiff_lzw"}, 0.0),
    ("tiff", "TIFF", {"compression": "tiff_deflate", "big_tiff": True}, 0.0),
    ("bmp", "BMP", {}, 0.0),
]
NAMES = [f"{kind}-{'-'.join(map(str, options.values())) or 'plain'}" for kind, _, options, _ in TYPES]


def error_between(a: np.ndarray, b: np.ndarray) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def orientation_exif(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


@pytest.mark.parametrize(("kind", "format", "options", "allowed"), TYPES, ids=NAMES)
def test_each_type_is_read(photo: np.ndarray, kind: str, format: str, options: dict, allowed: float) -> None:
    image = decode_image(save(photo, format, **options))
    assert (image.format, image.width, image.height) == (kind, 400, 240)
    assert image.rgb.dtype == np.uint8
    assert error_between(image.rgb, photo) <= allowed


@pytest.mark.parametrize(("kind", "format", "options", "allowed"), TYPES, ids=NAMES)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_off_file_is_broken_rather_than_half_a_photo(
    photo: np.ndarray, kind: str, format: str, options: dict, allowed: float, part: float
) -> None:
    data = save(photo, format, **options)
    with pytest.raises(BrokenImage):
        decode_image(data[: int(len(data) * part)])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_all_eight_orientations_come_out_upright(photo: np.ndarray, format: str, orientation: int) -> None:
    # as a camera does it: the stored picture is the upright one turned back
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    turned = Image.fromarray(photo)
    turned.getexif()[0x0112] = undo
    stored = ImageOps.exif_transpose(turned)
    exif = orientation_exif(orientation)
    data = save(np.asarray(stored), format, exif=exif if format == "TIFF" else exif.tobytes(), quality=95)
    image = decode_image(data)
    assert (image.width, image.height) == (400, 240)
    assert error_between(image.rgb, photo) < 5
    small = decode_image(data, max_side=100)
    assert small.rgb.shape == (60, 100, 3)
    assert (small.width, small.height) == (400, 240)
    assert error_between(small.rgb, cv2.resize(photo, (100, 60), interpolation=cv2.INTER_AREA)) < 6


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_a_nonsense_orientation_means_upright(photo: np.ndarray, value: int) -> None:
    assert decode_image(save(photo, "JPEG", exif=orientation_exif(value))).rgb.shape == (240, 400, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    rgba = np.zeros((20, 30, 4), dtype=np.uint8)
    rgba[:, :10, 3], rgba[:, 10:20, 3] = 255, 128
    rgb = decode_image(save(Image.fromarray(rgba).convert(mode), "PNG")).rgb
    assert rgb[10, 5].tolist() == [0, 0, 0]
    assert abs(int(rgb[10, 15, 0]) - 127) <= 1
    assert rgb[10, 25].tolist() == [255, 255, 255]


def test_a_palette_with_a_transparent_colour_gets_white() -> None:
    picture = Image.new("P", (4, 2), 0)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((1, 0), 1)
    rgb = decode_image(save(picture, "PNG", transparency=0)).rgb
    assert rgb[0, 0].tolist() == [255, 255, 255]
    assert rgb[0, 1].tolist() == [200, 100, 50]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_grey_becomes_three_equal_channels(photo: np.ndarray, format: str) -> None:
    rgb = decode_image(save(Image.fromarray(photo).convert("L"), format)).rgb
    assert rgb.shape == photo.shape
    assert int(np.ptp(rgb.astype(int), axis=2).max()) <= (2 if format == "WEBP" else 0)


def test_one_bit_and_palette_are_read(photo: np.ndarray) -> None:
    assert set(np.unique(decode_image(save(Image.fromarray(photo).convert("1"), "PNG")).rgb)) == {0, 255}
    assert error_between(decode_image(save(Image.fromarray(photo).quantize(256), "PNG")).rgb, photo) < 8


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_tones(format: str) -> None:
    grey = np.tile(np.arange(256, dtype=np.uint16) * 257, (4, 1))
    rgb = decode_image(save(Image.fromarray(grey), format)).rgb
    assert np.array_equal(rgb[0, :, 1], np.arange(256))


def test_sixteen_bit_colour_keeps_its_tones(photo: np.ndarray) -> None:
    deep = photo.astype(np.uint16) * 257
    data = cv2.imencode(".png", deep[:, :, ::-1])[1].tobytes()
    assert error_between(decode_image(data).rgb, photo) == 0


@pytest.mark.parametrize("values", [np.zeros((10, 10), np.float32), np.zeros((10, 10), np.int32)], ids=["F", "I"])
def test_pixels_that_no_photo_has_are_not_supported_rather_than_broken(values: np.ndarray) -> None:
    with pytest.raises(UnsupportedImage, match="not supported here: convert the picture to a PNG or JPEG"):
        decode_image(save(Image.fromarray(values), "TIFF"))


def test_cmyk_of_adobe_and_plain_cmyk_look_right(photo: np.ndarray) -> None:
    cmyk = Image.fromarray(photo).convert("CMYK")
    data = save(cmyk, "JPEG", quality=95)
    assert b"Adobe" in data, "Pillow writes CMYK as Adobe does: inverted, and marked so"
    assert error_between(decode_image(data).rgb, photo) < 4
    assert error_between(decode_image(save(cmyk, "TIFF")).rgb, photo) < 2


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "HEIF"])
def test_of_an_animation_the_first_frame_is_taken(format: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "lime")]
    rgb = decode_image(save(frames[0], format, save_all=True, append_images=frames[1:])).rgb
    assert rgb.shape == (30, 40, 3)
    assert error_between(rgb, np.asarray(frames[0])) < 4


@pytest.mark.parametrize("format", ["GIF", "PNG", "TIFF", "AVIF"])
def test_frames_that_are_never_opened_have_no_limit(format: str) -> None:
    frames = [Image.new("L", (16, 16), 40 * n) for n in range(6)]
    data = save(frames[0], format, save_all=True, append_images=frames[1:])
    assert decode_image(data, Limits(max_frames=1)).rgb[8, 8, 0] < 5


def test_a_jpeg_with_something_after_its_end_is_whole(astronaut_jpeg: bytes) -> None:
    # motion photos carry a video there, and some cameras a preview
    assert decode_image(astronaut_jpeg + b"\0" * 4096 + b"ftypmp42" + astronaut_jpeg[:5000]).width == 512


@pytest.mark.parametrize("max_side", [511, 300, 256, 255, 100, 64, 20, 1])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_max_side_is_kept_exactly_and_the_original_size_is_told(
    astronaut: np.ndarray, format: str, max_side: int
) -> None:
    image = decode_image(save(astronaut[:300], format, quality=95), max_side=max_side)
    assert image.rgb.shape == (max(1, round(300 * max_side / 512)), max_side, 3)
    assert (image.width, image.height) == (512, 300)
    want = cv2.resize(astronaut[:300], image.rgb.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert error_between(image.rgb, want) < 9


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_shrinking_moves_nothing_where_sizes_do_not_divide(format: str) -> None:
    # one dark px in 997 (2 * 498 + 1): its centre of mass must lie at the same part of the small picture
    for column in (100, 501, 985):
        picture = np.full((15, 997, 3), 255, np.uint8)
        picture[:, column - 5 : column + 6] = 0
        small = decode_image(save(picture, format, quality=95), max_side=110).rgb.astype(float)
        dark = 255 - small.mean(axis=(0, 2))
        centre = ((np.arange(110) + 0.5) * dark).sum() / dark.sum()
        assert centre / 110 == pytest.approx((column + 0.5) / 997, abs=0.15 / 110)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_max_area_is_kept_with_the_shape(astronaut: np.ndarray, format: str) -> None:
    data = save(astronaut[:256], format)
    for area, shape in ((512 * 256, (256, 512)), (512 * 256 - 1, (128, 256)), (256 * 128, (128, 256)), (2, (1, 2))):
        image = decode_image(data, max_area=area)
        assert image.rgb.shape == (*shape, 3)
        assert (image.width, image.height) == (512, 256)


def test_a_small_picture_is_not_enlarged(photo: np.ndarray) -> None:
    assert decode_image(save(photo, "JPEG"), max_side=4000).rgb.shape == photo.shape


def test_limits_pass_at_the_edge_and_refuse_one_more(photo: np.ndarray) -> None:
    data = save(photo, "PNG")
    exact = Limits(max_bytes=len(data), max_pixels=240 * 400)
    assert decode_image(data, exact).width == 400
    with pytest.raises(TooLarge, match="95999 px") as caught:
        decode_image(data, Limits(len(data), 240 * 400 - 1))
    assert caught.value.limit == 95_999
    with pytest.raises(TooLarge, match="bytes"):
        decode_image(data, Limits(len(data) - 1, 240 * 400))


def test_a_gif_with_a_colour_table_and_xmp_is_read() -> None:
    xmp = b"!\xff\x0bXMP DataXMP" + b"".join(b"\x64" + bytes(100) for _ in range(2000)) + b"\0"
    data = save(Image.new("P", (40, 30), 3), "GIF")
    start = 13 + (3 << ((data[10] & 7) + 1))
    assert decode_image(data[:start] + xmp + data[start:]).width == 40


def test_a_jpeg_with_fewer_bits_than_blocks_is_cut_off() -> None:
    # a decoder would make 64 million grey pixels of two kilobytes
    with pytest.raises(BrokenImage, match="cut off"):
        decode_image(jpeg_saying(8000, 8000))
    flat = save(Image.new("L", (4000, 4000), 128), "JPEG", quality=1, optimize=True)
    assert decode_image(flat).width == 4000, "the smallest honest one: a quarter of a byte a block"


def test_a_jpeg_with_more_data_than_its_pixels_can_need_is_refused(photo: np.ndarray) -> None:
    # 48x32 px of three components: 7 x 5 blocks of 1024 bytes each, and 65,536 for padding
    scan = 65_536 + 3 * 7 * 5 * 1024
    start, _, rest = save(photo[:32, :48], "JPEG", subsampling=0).partition(b"\xff\xda")
    header = 2 + int.from_bytes(rest[:2], "big") - 2

    def stretched(length: int) -> bytes:
        body = rest[header : rest.rindex(b"\xff\xd9")]
        return start + b"\xff\xda" + rest[:header] + body + bytes(length - len(body)) + b"\xff\xd9"

    assert jpeg_parts(stretched(scan - 2)).scans == 1, "its end is the last two bytes that are looked at"
    with pytest.raises(BrokenImage, match="more data than its pixels can need"):
        jpeg_parts(stretched(scan - 1))


@pytest.mark.parametrize("kind", [3, 4, 9, 16])
def test_tiff_tiles_are_limited_whatever_the_picture_is(kind: int) -> None:
    # a tile is unpacked whole: 900 MB for a picture of 10x10
    data = bytearray(tiff({322: 4097, 323: 16, 324: 8, 325: 100}))
    at = data.index(struct.pack("<H", 322)) + 2
    data[at : at + 2] = struct.pack("<H", kind)
    with pytest.raises(BrokenImage, match="tiles"):
        decode_image(bytes(data))


def test_honest_tiles_are_read(photo: np.ndarray) -> None:
    tile = np.zeros((256, 256), np.uint8)
    tile[:100, :100] = photo[:100, :100, 0]
    data = tiff({256: 100, 257: 100, 278: 100, 322: 256, 323: 256, 324: 600, 325: 65_536})
    for strips in (273, 278, 279):
        data = data.replace(struct.pack("<HHI", strips, 4, 1), struct.pack("<HHI", strips + 40_000, 4, 1))
    data = data[:600].ljust(600, b"\0") + tile.tobytes()
    assert np.array_equal(decode_image(data).rgb[..., 0], photo[:100, :100, 0])


@pytest.mark.parametrize("format", ["WEBP", "HEIF"])
def test_frames_are_limited_at_the_edge(format: str) -> None:
    frames = [Image.new("RGB", (64, 64), (n, 90, 90)) for n in (0, 80, 160, 240)]
    data = save(frames[0], format, save_all=True, append_images=frames[1:])
    assert decode_image(data, Limits(max_frames=4)).rgb.shape == (64, 64, 3)
    with pytest.raises(TooLarge, match="more than 3 frames") as caught:
        decode_image(data, Limits(max_frames=3))
    assert caught.value.limit == 3


@pytest.mark.parametrize(
    "tags",
    [
        {322: 2**31 - 16, 323: 2**31 - 16, 324: 8},
        {258: 65_535},
        {277: 65_535},
        {259: 34_712},
        {273: 2**32 - 1},
        {257: 0},
        {279: 2**32 - 1, 278: 2**32 - 1},
    ],
    ids=str,
)
def test_nonsense_in_a_tiff_is_an_error_of_ours(tags: dict[int, int]) -> None:
    with contextlib.suppress(HpeError):
        decode_image(tiff(tags))


OTHER_FILES = {
    b"": "empty",
    b"Dear sir, this is text.": "text",
    b"PK\x03\x04" + bytes(30): "zip",
    b"%PDF-1.7": "PDF",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>": "SVG",
    b"<?xml version='1.0'?>\n<!-- made by x -->\n<svg/>": "SVG",
    b"<!DOCTYPE html><html></html>": "web page",
    b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom": "video",
    b"\0\0\0\x18ftypqt  \0\0\0\0qt  isom": "video",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"8BPS\0\1": "Photoshop",
    b"\0\0\1\0\1\0": "icon",
    b"II*\0\x10\0\0\0CR\2\0" + bytes(30): "unknown",
    b"\x1f\x8b\x08": "gzip",
    b'{"image": "..."}': "JSON",
    b"BM is how this text begins": "text",
    b"\x00\x01\x02\x03" * 9: "unknown",
}


@pytest.mark.parametrize("data", OTHER_FILES, ids=OTHER_FILES.values())
def test_what_is_no_image_is_named(data: bytes) -> None:
    with pytest.raises(UnsupportedImage, match=OTHER_FILES[data]) as caught:
        decode_image(data)
    assert "image/jpeg" in caught.value.limit
    assert caught.value.hint


def test_heic_without_its_library_is_refused_with_advice(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save(photo, "HEIF")
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    with pytest.raises(UnsupportedImage, match="JPEG") as caught:
        decode_image(data)
    assert "Most Compatible" in caught.value.hint


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (32, 9), (33, 65), (240, 400)])
def test_png_is_lossless_at_any_shape(photo: np.ndarray, shape: tuple[int, int]) -> None:
    rgb = np.ascontiguousarray(photo[: shape[0], : shape[1]])
    encoded = encode_image(rgb)
    assert (encoded.media_type, encoded.height, encoded.width) == ("image/png", *shape)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encoded.data))), rgb)
    assert np.array_equal(cv2.imdecode(np.frombuffer(encoded.data, np.uint8), cv2.IMREAD_COLOR_RGB), rgb)


def test_png_without_the_fast_deflate_is_as_right(photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal", None)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_image(photo).data))), photo)


@pytest.mark.parametrize("format", ["jpeg", "webp"])
def test_lossy_formats_stay_close(photo: np.ndarray, format: str) -> None:
    encoded = encode_image(photo, format)
    assert encoded.media_type == f"image/{format}"
    assert error_between(decode_image(encoded.data).rgb, photo) < 5


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("max_bytes", [100_000, 20_000, 3_000, 800])
def test_a_file_never_exceeds_its_limit(photo: np.ndarray, format: str, max_bytes: int) -> None:
    full = encode_image(photo, format)
    encoded = encode_image(photo, format, max_bytes)
    assert len(encoded.data) <= max_bytes
    assert (encoded.width < 400) == (len(full.data) > max_bytes)
    back = decode_image(encoded.data)
    assert (back.width, back.height) == (encoded.width, encoded.height)
    assert encoded.width / encoded.height == pytest.approx(400 / 240, rel=0.1)


def test_shrinking_uses_most_of_what_it_may_in_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpe.image import encode

    tries = []
    real = encode.encode_png
    monkeypatch.setattr(encode, "encode_png", lambda rgb: tries.append(rgb.shape) or real(rgb))
    noise = np.random.default_rng(0).integers(0, 256, (600, 800, 3), dtype=np.uint8)
    encoded = encode_image(noise, "png", 700_000)
    assert 350_000 < len(encoded.data) <= 700_000
    assert len(tries) <= 3


def test_a_limit_that_nothing_fits_is_an_error(photo: np.ndarray) -> None:
    with pytest.raises(TooLarge):
        encode_image(photo, "png", 20)


def test_webp_wider_than_webp_can_be_is_shrunk() -> None:
    encoded = encode_image(np.zeros((2, 20_000, 3), np.uint8), "webp")
    assert encoded.width == 16_383


def test_an_unknown_output_format_is_refused(photo: np.ndarray) -> None:
    with pytest.raises(UnsupportedImage, match="png, jpeg, webp"):
        encode_image(photo, "tiff")  # type: ignore[arg-type]


def test_what_is_given_is_not_changed(photo: np.ndarray) -> None:
    before = photo.copy()
    encode_image(photo, "jpeg", 5_000)
    encode_image(photo, "png", 5_000)
    assert np.array_equal(photo, before)
