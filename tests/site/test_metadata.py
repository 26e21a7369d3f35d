"""What a camera wrote goes, the picture stays: static-site/metadata.js on files that Pillow made."""

import io
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

NODE = shutil.which("node")
SCRIPT = """
import { readFileSync, writeFileSync } from 'node:fs';
import { withoutMetadata } from './static-site/metadata.js';
const [from, to] = process.argv.slice(-2);
const clean = withoutMetadata(new Uint8Array(readFileSync(from)));
if (clean) writeFileSync(to, clean);
"""
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>52,31N</exif:GPSLatitude></x:xmpmeta>'


@pytest.fixture
def clean(root: Path, tmp_path: Path) -> Any:
    """bytes -> the same without metadata, or None if it goes as it is."""
    if not NODE:
        pytest.skip("needs Node 20 or newer: apt-get install nodejs npm")

    def run(data: bytes) -> bytes | None:
        (tmp_path / "in").write_bytes(data)
        (tmp_path / "out").unlink(missing_ok=True)
        command = [NODE, "--input-type=module", "--eval", SCRIPT, str(tmp_path / "in"), str(tmp_path / "out")]
        subprocess.run(command, cwd=root, check=True, timeout=60)
        return (tmp_path / "out").read_bytes() if (tmp_path / "out").exists() else None

    return run


def exif(orientation: int | None) -> Image.Exif:
    """A place, a camera and perhaps an orientation."""
    tags = Image.Exif()
    tags[0x010F] = "PhoneMaker"
    tags.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    if orientation:
        tags[0x0112] = orientation
    return tags


def photo(format: str, orientation: int | None, **options: Any) -> bytes:
    """A picture of noise with all kinds of metadata."""
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save(out, format, exif=exif(orientation), **options)
    return out.getvalue()


@cache
def profile() -> bytes:
    """An ICC profile."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def words() -> PngImagePlugin.PngInfo:
    """PNG's text chunks."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "PhoneMaker")
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


KINDS = {
    "jpeg": ("JPEG", {"xmp": XMP, "comment": b"PhoneMaker"}),
    "progressive jpeg": ("JPEG", {"progressive": True, "subsampling": 0}),
    "png": ("PNG", {"pnginfo": words()}),
    "webp": ("WEBP", {"xmp": XMP}),
    "lossless webp": ("WEBP", {"lossless": True}),
}


@pytest.mark.parametrize("orientation", [None, 1, 6])
@pytest.mark.parametrize("kind", KINDS)
def test_pixels_orientation_and_profile_stay_alone(kind: str, orientation: int | None, clean: Any) -> None:
    format, options = KINDS[kind]
    data = photo(format, orientation, icc_profile=profile(), **options)
    got = clean(data)
    assert b"PhoneMaker" in data
    assert b"PhoneMaker" not in got
    assert b"GPSLatitude" not in got
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(got))
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert dict(after.getexif()) == ({0x0112: 6} if orientation == 6 else {})
    assert after.info.get("icc_profile") == profile()


def test_what_follows_a_jpeg_goes(clean: Any) -> None:
    """A phone's moving picture, or a second photo with a place of its own."""
    data = photo("JPEG", 6)
    assert clean(data + photo("JPEG", 6)) == clean(data)


@pytest.mark.parametrize("keep", [3, 30, 300, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_file_that_is_cut_short_does_no_harm(kind: str, keep: int, clean: Any) -> None:
    data = photo(KINDS[kind][0], 6)[:keep]
    got = clean(data)
    assert got is None or len(got) <= len(data) + 40


def test_other_files_go_as_they_are(clean: Any) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "TIFF")
    for data in (b"", b"\xff", b"hello", out.getvalue(), b"\x00\x00\x00\x18ftypheic" + bytes(40)):
        assert clean(data) is None
