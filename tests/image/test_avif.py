"""hpe.image.avif: what AV1 itself says of its size, whatever the container does, and the still picture of a film."""

import struct

import pytest
from image.files import save
from PIL import Image

from hpe.errors import BrokenImage, TooLarge
from hpe.image import avif
from hpe.image.avif import still_avif
from hpe.image.decode import Limits, decode_image


def saved(width: int, height: int, mode: str = "RGB", frames: int = 1) -> bytes:
    pictures = [Image.new(mode, (width, height), (90 * n, 9, 200, 99)[: len(mode)]) for n in range(frames)]
    return save(pictures[0], "AVIF", speed=10, save_all=True, append_images=pictures[1:])


def saying(data: bytes, width: int, height: int) -> bytes:
    """The same file, whose container says another size."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@pytest.mark.parametrize(("mode", "frames"), [("RGB", 1), ("RGBA", 1), ("RGB", 3)])
def test_a_picture_passes_at_its_own_size(mode: str, frames: int) -> None:
    data = saved(130, 70, mode, frames)
    still_avif(data, 130 * 70)
    with pytest.raises(TooLarge, match="130x70 px") as caught:
        still_avif(data, 130 * 70 - 1)
    assert caught.value.limit == 130 * 70 - 1


def test_a_small_claim_does_not_hide_a_large_picture() -> None:
    # libavif would decode it all, and scale it down to what the container says
    data = saying(saved(600, 400), 48, 32)
    assert decode_image(data, Limits(max_pixels=600 * 400)).rgb.shape == (32, 48, 3)
    with pytest.raises(TooLarge, match="600x400"):
        decode_image(data, Limits(max_pixels=600 * 400 - 1))


def test_many_pictures_count_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avif, "MAX_PLANES", 1)  # colours alone: its transparency is one picture too many
    still_avif(saved(130, 70), 130 * 70)
    with pytest.raises(TooLarge):
        still_avif(saved(130, 70, "RGBA"), 130 * 70)


@pytest.mark.parametrize("name", [b"iloc", b"iinf"])
def test_tables_that_say_nonsense_are_broken_or_empty(name: bytes) -> None:
    data = bytearray(saved(60, 40))
    at = data.index(name) + 4
    data[at + 4 : at + 12] = b"\xff" * 8
    with pytest.raises(BrokenImage):
        decode_image(bytes(data))


def test_too_many_pictures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avif, "MAX_AVIF_ITEMS", 1)
    still_avif(saved(60, 40), 2400)
    with pytest.raises(BrokenImage, match="2 pictures"):
        still_avif(saved(60, 40, "RGBA"), 2400)
