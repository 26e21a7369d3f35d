"""A short run of fuzzing, and proof that a finding would be found."""

import random
import sys

import pytest
from web.fakes import post

from fuzz.__main__ import main
from fuzz.mutate import mutated, repaired_png
from fuzz.seeds import FORMATS, seeds
from fuzz.upload import damaged, read_upload, uploads


def test_every_seed_is_a_photo() -> None:
    assert {name.partition("-")[0] for name in seeds()} == set(FORMATS)
    for name, data in seeds().items():
        assert post(data).status == (415 if name == "tiff-float" else 200), name


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_photos_are_read_or_refused_by_the_api() -> None:
    rng, corpus, statuses = random.Random(7), list(uploads().values()), set()
    for _ in range(800):
        content_type, _, body = damaged(rng.choice(corpus), rng).partition(b"\n")
        statuses.add(post(body, content_type.decode("latin-1"), format="json").status)
    assert {200, 400, 415, 422} <= statuses, "some are read, and each way of refusing is met"
    assert max(statuses) < 500


def test_the_same_seed_gives_the_same_damage() -> None:
    photo = seeds()["webp"]
    assert mutated(photo, random.Random(3), [photo]) == mutated(photo, random.Random(3), [photo])
    assert mutated(photo, random.Random(3), [photo]) != mutated(photo, random.Random(4), [photo])


def test_a_fault_in_a_decoder_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    read_upload(b"image/png\n" + seeds()["png"])
    monkeypatch.setattr("hpe.image.decode.image_type", lambda data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        read_upload(b"image/png\n" + seeds()["png"])


def test_check_sums_are_put_right_after_a_mutation() -> None:
    data = bytearray(seeds()["png"])
    data[20] ^= 1
    assert repaired_png(bytes(data)) != bytes(data)
    assert repaired_png(seeds()["png"]) == seeds()["png"]


def test_without_atheris_it_says_so_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("fuzz.__main__.have_atheris", lambda: False)
    monkeypatch.setattr(sys, "argv", ["fuzz", "uploads"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code
    assert "NOT RUN: uploads: atheris is not installed" in capsys.readouterr().out
