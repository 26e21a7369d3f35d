"""Embedded colour profiles: photos come out as a browser shows them, whatever the file and its profile are."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from image.files import save
from PIL import Image, ImageCms

from hpe.image.colour import conversion_of, quick_conversion
from hpe.image.decode import as_rgb, decode_image

# primaries as XYZ adapted to D50, red green blue
P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03135, 0.00009, 0.82491))


def fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(65_536 * value) for value in values))


def gamma(value: float) -> bytes:
    """A curve of type curv: a power."""
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(256 * value)) + b"\0\0"


SRGB_CURVE = b"para" + bytes(4) + b"\0\3\0\0" + fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
STRAIGHT = b"curv" + bytes(4) + struct.pack(">I", 0)
TABLE = b"curv" + bytes(4) + struct.pack(">I64H", 64, *(round(65_535 * (n / 63) ** 1.8) for n in range(64)))
# the other types of parametric curve (ICC.1:2022, table 68)
PARA = [
    b"para" + bytes(4) + struct.pack(">HH", number, 0) + fixed(*values)
    for number, values in enumerate(
        [(2.2,), (2.2, 0.95, 0.05), (2.0, 0.9, 0.05, 0.04), (), (2.4, 0.9, 0.1, 0.07, 0.1, 0.01, 0)]
    )
    if values
]


def profile(space: bytes, pcs: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2 with these tags."""
    tags = {b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1, 0.8249), **tags}
    at, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        tag += bytes(-len(tag) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(tag))
        body += tag
    head = struct.pack(">I4sI4s4s4s", 0, b"none", 0x02400000, kind, space, pcs) + bytes(12) + b"acsp"
    head = (head + bytes(28) + fixed(0.9642, 1, 0.8249)).ljust(128, b"\0")
    return struct.pack(">I", at + len(body)) + head[4:] + table + body


def of_matrix(primaries: tuple[tuple[float, ...], ...], *curves: bytes) -> bytes:
    """A profile of a matrix and a curve each for red, green and blue (or one for all)."""
    red, green, blue = curves * (3 // len(curves))
    xyz = {name: b"XYZ " + bytes(4) + fixed(*p) for name, p in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    return profile(b"RGB ", b"XYZ ", b"mntr", {**xyz, b"rTRC": red, b"gTRC": green, b"bTRC": blue})


def of_table(space: bytes, inputs: int, corners: list[tuple[int, int, int]]) -> bytes:
    """A profile of a table (lut8) with two steps a colour: Lab of all corners, the last colour changing fastest."""
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([inputs, 3, 2, 0]) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += ramp * inputs + b"".join(bytes(lab) for lab in corners) + ramp * 3
    return profile(space, b"Lab ", b"prtr" if inputs == 4 else b"mntr", {b"A2B0": table})


def inks() -> list[tuple[int, int, int]]:
    """Lab of all mixtures of four odd inks: the first is red, the second green, the third blue, the fourth black."""
    corners = []
    for n in range(16):
        first, second, third, black = n >> 3 & 1, n >> 2 & 1, n >> 1 & 1, n & 1
        light = 255 - 70 * (first + second + third) if not black else 20
        corners.append((max(light, 10), 128 + 60 * first - 60 * second, 128 - 60 * third + 20 * second))
    return corners


PROFILES = {
    "Display P3": of_matrix(P3, SRGB_CURVE),
    "Adobe RGB": of_matrix(ADOBE, gamma(563 / 256)),
    "ProPhoto": of_matrix(PROPHOTO, TABLE),
    "P3 with red and blue exchanged": of_matrix(P3[::-1], SRGB_CURVE),
    "a curve for each": of_matrix(P3, gamma(1.8), gamma(2.2), gamma(2.6)),
    "straight": of_matrix(P3, STRAIGHT),
    **{f"parametric curve {n}": of_matrix(ADOBE, curve) for n, curve in enumerate(PARA)},
    "a table": of_table(
        b"RGB ", 3, [(n * 30 + 20, 128 + 40 * (n >> 2 & 1), 128 + 40 * (n & 1)) for n in range(8)]
    ),
}  # fmt: skip
FORMATS = {
    "JPEG": {"quality": 95},
    "PNG": {},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 95},
    "HEIF": {"quality": 95},
    "TIFF": {},
}


def reference(picture: Image.Image, icc: bytes) -> np.ndarray:
    """What LittleCMS makes of it."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return np.asarray(ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"))


def furthest(a: np.ndarray, b: np.ndarray) -> int:
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("name", PROFILES)
def test_colours_are_those_of_little_cms(photo: np.ndarray, name: str, format: str) -> None:
    data = save(photo, format, icc_profile=PROFILES[name], **FORMATS[format])
    stored = Image.open(io.BytesIO(data)).convert("RGB")
    want = reference(stored, PROFILES[name])
    assert furthest(want, np.asarray(stored)) > 5, "a profile that changes something"
    assert furthest(decode_image(data).rgb, want) <= 2


def test_a_shrunk_photo_has_the_same_colours(photo: np.ndarray) -> None:
    icc = PROFILES["P3 with red and blue exchanged"]
    small = decode_image(save(photo, "JPEG", quality=95, icc_profile=icc), max_side=100).rgb
    want = cv2.resize(reference(Image.fromarray(photo), icc), (100, 60), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - want).mean() < 3


@pytest.mark.parametrize("name", ["Display P3", "Adobe RGB", "ProPhoto", "a curve for each", "parametric curve 3"])
def test_profiles_of_a_matrix_take_the_quick_way(name: str) -> None:
    convert = conversion_of(PROFILES[name], False)
    assert convert is not None
    quick = quick_conversion(PROFILES[name])
    picture = np.random.default_rng(0).integers(0, 256, (600, 700, 3), dtype=np.uint8)
    assert quick is not None
    assert np.array_equal(convert(picture), quick(picture))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_srgb_and_broken_profiles_change_nothing(photo: np.ndarray, format: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    p3 = PROFILES["Display P3"]
    plain = decode_image(save(photo, format, **FORMATS[format])).rgb
    for icc in (srgb, b"junk" * 12_000, p3[:200], p3[:132] + b"\xff" * 300, bytes(5000), p3.replace(b"RGB ", b"Luv ")):
        assert furthest(decode_image(save(photo, format, icc_profile=icc, **FORMATS[format])).rgb, plain) == 0


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_grey_goes_through_the_profile_of_a_grey(photo: np.ndarray, format: str) -> None:
    icc = profile(b"GRAY", b"XYZ ", b"mntr", {b"kTRC": gamma(1.0)})
    grey = Image.fromarray(photo).convert("L")
    data = save(grey, format, icc_profile=icc)
    want = reference(Image.open(io.BytesIO(data)), icc)
    assert furthest(want, np.asarray(grey.convert("RGB"))) > 40
    assert furthest(decode_image(data).rgb, want) <= 1
    coloured = save(photo, format, icc_profile=icc)
    assert furthest(decode_image(coloured).rgb, decode_image(save(photo, format)).rgb) == 0, "not made for colours"


@pytest.mark.parametrize(("format", "options"), [("JPEG", {"quality": 95}), ("TIFF", {})])
def test_cmyk_goes_through_its_profile(photo: np.ndarray, format: str, options: dict) -> None:
    icc = of_table(b"CMYK", 4, inks())
    cmyk = Image.fromarray(photo).convert("CMYK")
    data = save(cmyk, format, icc_profile=icc, **options)
    want = reference(Image.open(io.BytesIO(data)), icc)
    assert furthest(decode_image(data).rgb, want) <= 1
    small = decode_image(data, max_side=100).rgb
    assert np.abs(small.astype(int) - cv2.resize(want, (100, 60), interpolation=cv2.INTER_AREA)).mean() < 3
    wrong = decode_image(save(cmyk, format, icc_profile=PROFILES["Display P3"], **options)).rgb
    assert furthest(wrong, decode_image(save(cmyk, format, **options)).rgb) == 0, "not made for inks"


def test_a_jpeg_profile_in_parts_is_put_together_by_their_numbers(photo: np.ndarray) -> None:
    icc = PROFILES["ProPhoto"]
    plain = save(photo, "JPEG", quality=95)
    parts = [icc[at : at + 150] for at in range(0, len(icc), 150)]
    segments = [
        b"\xff\xe2" + struct.pack(">H", 16 + len(part)) + b"ICC_PROFILE\0" + bytes([number, len(parts)]) + part
        for number, part in enumerate(parts, 1)
    ]
    data = plain[:2] + b"".join(reversed(segments)) + plain[2:]
    assert furthest(decode_image(data).rgb, reference(Image.open(io.BytesIO(plain)), icc)) <= 2


def test_a_png_profile_that_unpacks_to_more_than_a_profile_is_left_out(photo: np.ndarray) -> None:
    icc = PROFILES["ProPhoto"]
    data = save(photo, "PNG", icc_profile=icc)
    at = data.index(b"iCCP") - 4
    (length,) = struct.unpack_from(">I", data, at)
    chunk = b"iCCPa\0\0" + zlib.compress(icc + bytes(4 << 20))
    huge = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert furthest(decode_image(data).rgb, photo) > 5
    assert furthest(decode_image(data[:at] + huge + data[at + 12 + length :]).rgb, photo) == 0


def test_what_is_transparent_is_white_in_any_colours() -> None:
    picture = Image.new("RGBA", (8, 8), (255, 0, 0, 255))
    picture.putpixel((3, 3), (0, 255, 0, 0))
    rgb = decode_image(save(picture, "PNG", icc_profile=PROFILES["P3 with red and blue exchanged"])).rgb
    assert rgb[0, 0, 2] > 240 > 80 > rgb[0, 0, 0], "its red is blue"
    assert rgb[3, 3].min() >= 253


@pytest.mark.parametrize("format", FORMATS)
def test_a_pillow_image_keeps_its_colours(photo: np.ndarray, format: str) -> None:
    data = save(photo, format, icc_profile=PROFILES["Adobe RGB"], **FORMATS[format])
    assert furthest(as_rgb(Image.open(io.BytesIO(data))), as_rgb(data)) == 0
