"""Colours that a file names by their code points: wide ones and those of high dynamic range come out as sRGB."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hpe.image.decode import decode_image
from hpe.image.hdr import code_points, conversion_from

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def png_of(rgb: np.ndarray, primaries: int, transfer: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "PNG")
    data, body = out.getvalue(), b"cICP" + bytes([primaries, transfer, 0, 1])
    return data[:33] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]


def colours() -> np.ndarray:
    steps = np.arange(0, 256, 51)
    return np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(6, 36, 3).astype(np.uint8)


def pq_of(srgb: np.ndarray) -> np.ndarray:
    """sRGB -> the same colours in PQ with BT.2020's primaries, white at 203 nits (ITU-R BT.2087, SMPTE ST 2084)."""
    x = srgb / 255
    light = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    wide = light @ np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]).T
    power = (wide * 203 / 10_000) ** 0.1593017578125
    return np.rint(255 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375).astype(np.uint8)


def test_what_is_as_good_as_srgb_is_left_alone() -> None:
    rgb = colours()
    for primaries, transfer in ((1, 13), (1, 1), (2, 2), (6, 6), (1, 99), (77, 13)):
        assert np.array_equal(decode_image(png_of(rgb, primaries, transfer)).rgb, rgb)


def test_a_p3_grey_is_the_same_grey_and_a_p3_red_is_redder() -> None:
    rgb = decode_image(png_of(np.array([[[128] * 3, [200, 60, 60]]], np.uint8), 12, 13)).rgb[0].astype(int)
    assert np.abs(rgb[0] - 128).max() <= 1
    assert rgb[1, 0] > 210 > 60 > rgb[1, 1]


def test_pq_of_ordinary_light_is_the_picture_itself() -> None:
    srgb = colours()
    pq = pq_of(srgb)
    back = decode_image(png_of(pq, 9, 16)).rgb.astype(int)
    assert np.abs(pq.astype(int) - srgb).mean() > 40
    assert np.abs(back - srgb).mean() < 6, "of PQ there were 8 bits"


def test_brighter_light_is_pressed_and_not_cut_off() -> None:
    # a grey card, white paper, and a window of 1000 nits
    nits = np.array([40.0, 203.0, 500.0, 1000.0])
    power = (nits / 10_000) ** 0.1593017578125
    codes = 255 * ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    picture = np.repeat(np.rint(codes).astype(np.uint8)[None, :, None], 3, axis=2)
    card, paper, bright, window = decode_image(png_of(picture, 9, 16)).rgb[0, :, 0].astype(int)
    assert 95 < card < 130
    assert 175 < paper < 210
    assert paper + 20 < bright < window - 10
    assert window >= 254


@pytest.mark.parametrize("transfer", [16, 18])
def test_the_brightest_is_white_and_all_steps_are_told_apart(transfer: int) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    convert = conversion_from(9, transfer)
    assert convert is not None
    grey = convert(ramp)[0].astype(int)
    assert np.ptp(grey, axis=-1).max() <= 1, "grey stays grey"
    assert (np.diff(grey[:, 0]) >= 0).all()
    assert (grey[0, 0], grey[-1, 0]) == (0, 255)


def test_an_icc_profile_comes_first() -> None:
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    Image.fromarray(colours()).save(out, "PNG", icc_profile=srgb)
    data, body = out.getvalue(), b"cICP" + bytes([9, 16, 0, 1])
    data = data[:33] + struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body)) + data[33:]
    assert np.array_equal(decode_image(data).rgb, colours())


def test_code_points_are_found_in_a_head_or_unknown() -> None:
    box = b"\0\0\0\x13colrnclx\0\x09\0\x10\0\x09\x80"
    assert code_points(b"....ftypavif" + box, "avif") == (9, 16)
    for broken in (b"", box[:10], box[:15]):
        assert code_points(broken, "avif") == (2, 2)
    assert code_points(b"\0\0\0\4cICP\x09", "png") == (2, 2)


@pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is not there")
def test_the_ten_bit_avif_in_pq_is_neither_darker_nor_paler_than_its_codes() -> None:
    data = (CASES / "pq-10.avif").read_bytes()
    assert code_points(data, "avif") == (9, 16)
    rgb = decode_image(data).rgb
    codes = np.asarray(Image.open(CASES / "pq-10.avif").convert("RGB"))
    assert abs(rgb.mean() - codes.mean()) < 12
    assert np.ptp(rgb, axis=-1).mean() > np.ptp(codes, axis=-1).mean(), "less grey"
    assert (rgb == 255).all(axis=-1).mean() < 0.01, "nothing is burnt out"
