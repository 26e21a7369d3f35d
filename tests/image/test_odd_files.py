"""Files that other programs show and files that none does: read whole, or refused with a remedy that can help."""

import struct
from collections.abc import Callable

import numpy as np
import pytest
from image.files import save
from PIL import Image

from hpe.errors import BrokenImage, UnsupportedImage
from hpe.image.decode import decode_image

JPEGS = {
    "baseline": {"quality": 75},
    "progressive": {"quality": 75, "progressive": True},
    "with restarts": {"quality": 85, "restart_marker_rows": 1},
    "full colours": {"quality": 95, "subsampling": 0},
}
# what phones put behind a photo: a directory of theirs and a video, with bytes that look like markers in it
TRAILER = (
    b"\0\0\1\n\x0e\0\0\0Image_UTC_Data1500000000000" + bytes(20) + np.random.default_rng(0).bytes(50_000) + b"SEFT"
)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("name", JPEGS)
def test_a_whole_jpeg_without_its_end_marker_is_read(photo: np.ndarray, name: str, mode: str) -> None:
    data = save(Image.fromarray(photo).convert(mode), "JPEG", **JPEGS[name])
    bare, want = data.removesuffix(b"\xff\xd9"), decode_image(data).rgb
    for behind in (b"", bytes(9), bytes(300_000), TRAILER, bytes(200) + TRAILER):
        assert np.array_equal(decode_image(bare + behind).rgb, want), len(behind)


@pytest.mark.parametrize("behind", [b"", bytes(50_000)], ids=["bare", "zeros"])
@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("lost", [150, 1000, 0.1, 0.5, 0.9])
def test_a_jpeg_that_is_cut_off_is_refused(photo: np.ndarray, name: str, lost: float, behind: bytes) -> None:
    data = save(photo, "JPEG", **JPEGS[name])
    cut = data[: -lost - 2] if isinstance(lost, int) else data[: int(len(data) * (1 - lost))]
    with pytest.raises(BrokenImage, match="cut off") as caught:
        decode_image(cut + behind)
    assert "whole file" in caught.value.hint


def jpeg_of(marker: int, bits: int = 8, components: int | None = None) -> Callable[[np.ndarray], bytes]:
    """A JPEG whose frame says that it is of another kind."""

    def make(photo: np.ndarray) -> bytes:
        data = bytearray(save(photo, "JPEG"))
        at = data.index(b"\xff\xc0")
        data[at + 1], data[at + 4] = marker, bits
        data[at + 9] = components or data[at + 9]
        return bytes(data)

    return make


def bmp(bits: int, compression: int = 0, header: int = 40) -> Callable[[np.ndarray], bytes]:
    def make(photo: np.ndarray) -> bytes:
        head = struct.pack("<IiiHHIIiiII", header, 40, 30, 1, bits, compression, 0, 0, 0, 0, 0)[:header]
        return b"BM" + struct.pack("<IHHI", 9000, 0, 0, 14 + len(head) + 16) + head + bytes(9000)

    return make


def tiff_with(**tags: int) -> Callable[[np.ndarray], bytes]:
    """A whole TIFF with tags that say other things of it: t259=34712 is JPEG 2000."""

    def make(photo: np.ndarray) -> bytes:
        data = bytearray(save(photo, "TIFF"))
        for name, value in tags.items():
            at = data.index(struct.pack("<H", int(name[1:])), 8)
            data[at + 8 : at + 12] = struct.pack("<I", value)
        return bytes(data)

    return make


def float_colours(photo: np.ndarray) -> bytes:
    """A TIFF of three floats a pixel."""
    values = (photo / 255).astype("<f4").tobytes()
    tags = [(256, 4, 1, 400), (257, 4, 1, 240), (258, 3, 3, 8), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 200),
            (277, 3, 1, 3), (278, 4, 1, 240), (279, 4, 1, len(values)), (339, 3, 3, 14)]  # fmt: skip
    body = struct.pack("<6H", 32, 32, 32, 3, 3, 3) + struct.pack("<H", len(tags))
    body += b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return (b"II*\0" + struct.pack("<I", 20) + body).ljust(200, b"\0") + values


def lab(photo: np.ndarray) -> bytes:
    return save(Image.fromarray(photo).convert("LAB"), "TIFF")


UNSUPPORTED = {
    "lossless JPEG": jpeg_of(0xC3),
    "hierarchical JPEG": jpeg_of(0xC5),
    "JPEG-LS": jpeg_of(0xF7),
    "JPEG of 12 bits": jpeg_of(0xC1, bits=12),
    "JPEG of two colours": jpeg_of(0xC0, components=2),
    "BMP of 2 bits": bmp(2),
    "BMP of 24 bits in runs": bmp(24, compression=4),
    "BMP with OS/2's short header": bmp(24, header=16),
    "BMP that holds a JPEG": bmp(24, compression=9),
    "TIFF in JPEG 2000": tiff_with(t259=34_712),
    "TIFF in WebP": tiff_with(t259=50_001),
    "TIFF of colour filters": tiff_with(t262=32_803),
    "TIFF of three floats": float_colours,
    "TIFF of one float": lambda photo: save(Image.fromarray(photo[..., 0].astype(np.float32)), "TIFF"),
    "TIFF of whole numbers of 32 bits": lambda photo: save(Image.fromarray(photo[..., 0].astype(np.int32)), "TIFF"),
    "TIFF in CIELAB": lab,
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_whole_and_not_supported_says_so(photo: np.ndarray, name: str) -> None:
    with pytest.raises(UnsupportedImage, match=r"not supported here.*convert .* to a PNG or") as caught:
        decode_image(UNSUPPORTED[name](photo))
    assert "whole file" not in caught.value.hint


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "jpeg"])
@pytest.mark.parametrize("part", [0.3, 0.95])
def test_a_tiff_that_is_cut_off_is_not_called_unsupported(photo: np.ndarray, compression: str, part: float) -> None:
    data = save(photo, "TIFF", compression=compression)
    assert decode_image(data).width == 400
    with pytest.raises(BrokenImage, match="cut off"):
        decode_image(data[: int(len(data) * part)])
