"""One table of kinds: what names them agrees with it, and each has the limit that its memory allows."""

import io
import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fuzz.hostile import bmp_rle, gif, jpeg_saying, many_scans, png, tiff, webp
from hpe.errors import BrokenImage, TooLarge, UnsupportedImage
from hpe.image import kinds
from hpe.image.decode import LIMITS, Limits, decode_image
from hpe.image.kinds import KINDS, READABLE, SUFFIXES, image_type

ROOT = Path(__file__).resolve().parents[2]


def test_every_suffix_and_type_is_one_kinds() -> None:
    assert len(SUFFIXES) == sum(len(kind.suffixes) for kind in KINDS.values()), "no suffix twice"
    assert set(SUFFIXES.values()) == set(READABLE)
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in SUFFIXES)
    for suffix in [".hif", ".heif", ".jfif", ".jpe", ".mpo", ".apng", ".avifs", ".dib"]:
        assert suffix in SUFFIXES


def test_the_site_sends_each_suffix_as_its_kind() -> None:
    source = (ROOT / "static-site" / "photo.js").read_text()
    table = re.findall(r'(\w+): "(\w+)"', source.partition("const TYPES = {")[2].partition("}")[0])
    assert {f".{suffix}": f"image/{name}" for suffix, name in table} == SUFFIXES


def test_openapi_and_the_site_name_the_same_kinds() -> None:
    document = json.loads((ROOT / "hpe" / "web" / "openapi.json").read_text())
    sent = document["paths"]["/pose"]["post"]["requestBody"]["content"]
    assert set(READABLE) <= set(sent)
    chooser = re.search(r'id="file" accept="([^"]+)"', (ROOT / "static-site" / "index.html").read_text())
    assert chooser
    # those that systems do not know for images by themselves
    odd = set(SUFFIXES) - {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"}
    assert set(chooser[1].split(",")) == {"image/*", *odd}


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"hevc", b"avif", b"avis"])
def test_brands_tell_heic_from_avif(brand: bytes) -> None:
    head = struct.pack(">I4s4sI4s", 24, b"ftyp", brand, 0, b"miaf")
    assert image_type(head) == ("avif" if brand.startswith(b"avi") else "heic")


# kind: (a file of the first size that is one px too many by the table, its bytes)
OVER = {
    "png": lambda w, h: png(w, h),
    "webp": lambda w, h: webp(w, h),
    "gif": lambda w, h: gif((w, h), (1, 1)),
    "bmp": lambda w, h: bmp_rle(w, h),
    "tiff": lambda w, h: tiff({256: w, 257: h}),
    "jpeg": lambda w, h: jpeg_saying(w, h),
}


@pytest.mark.parametrize("name", OVER)
def test_a_kind_with_a_lower_limit_is_refused_before_it_is_decoded(name: str) -> None:
    limit = KINDS[name].max_pixels
    width = 16_000
    with pytest.raises(TooLarge, match=f"the limit for a {name.upper()} is {limit} px") as caught:
        decode_image(OVER[name](width, limit // width + 1), Limits(max_pixels=10**9))
    assert caught.value.limit == limit
    if name in ("png", "jpeg", "tiff"):  # let through, and then found to hold nothing
        with pytest.raises((BrokenImage, UnsupportedImage)):
            decode_image(OVER[name](width, limit // width), Limits(max_pixels=limit))


def test_the_lower_of_both_limits_is_told() -> None:
    with pytest.raises(TooLarge, match="the limit is 1000 px"):
        decode_image(OVER["webp"](100, 100), Limits(max_pixels=1000))


def test_jpegs_of_several_scans_have_limits_of_their_own() -> None:
    with pytest.raises(TooLarge, match="progressive JPEG is 72000000 px"):
        decode_image(many_scans(9000, 8001, 1), LIMITS)
    cmyk = io.BytesIO()
    Image.new("CMYK", (48, 32)).save(cmyk, "JPEG", progressive=True)
    data = cmyk.getvalue()
    at = data.index(b"\xff\xc2") + 5
    with pytest.raises(TooLarge, match="progressive JPEG in CMYK is 48000000 px"):
        decode_image(data[:at] + struct.pack(">HH", 8001, 6000) + data[at + 4 :], LIMITS)


def test_a_tiff_in_one_large_strip_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpe.image import pillow

    out = io.BytesIO()
    Image.fromarray(np.zeros((200, 300, 3), np.uint8)).save(out, "TIFF", compression="tiff_lzw", strip_size=10**6)
    monkeypatch.setattr(pillow, "MAX_STRIP_BYTES", 200 * 300 * 3)
    assert decode_image(out.getvalue()).width == 300
    monkeypatch.setattr(pillow, "MAX_STRIP_BYTES", 200 * 300 * 3 - 1)
    with pytest.raises(TooLarge, match="strips of 180000 bytes"):
        decode_image(out.getvalue())
    assert kinds.MAX_STRIP_BYTES == 200_000_000
