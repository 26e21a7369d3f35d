"""A short run of every kind of fuzzing, and proof that a finding would be found."""

import random
import sys
from pathlib import Path

import pytest
from web.fakes import post

from fuzz.__main__ import main
from fuzz.mutate import mutated, repaired_png
from fuzz.seeds import FORMATS, form_of, seeds
from fuzz.targets import TARGETS, Stub, one_event, one_upload

EVENTS = Path(__file__).parents[1] / "events"


def test_every_seed_is_a_photo() -> None:
    assert {name.partition("-")[0] for name in seeds()} == set(FORMATS)
    for name, data in seeds().items():
        assert post(data).status == (415 if name == "tiff-float" else 200), name


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_photos_are_read_or_refused_by_the_api() -> None:
    rng, statuses = random.Random(7), set()
    for number in range(400):
        kind = FORMATS[number % len(FORMATS)]
        photo = mutated(seeds()[kind], rng, list(seeds().values()))
        content_type, body = form_of(photo, kind) if number % 3 else (f"image/{kind}".encode(), photo)
        statuses.add(post(body, content_type.decode(), estimator=Stub(), format="json").status)
    assert {200, 415, 422} <= statuses, "some are read, and each way of refusing is met"
    assert max(statuses) < 500


@pytest.mark.parametrize("target", TARGETS)
def test_what_coverage_guides_holds_for_chance_as_well(target: str) -> None:
    one, hurt, start = TARGETS[target]
    rng, corpus = random.Random(11), list(start().values())
    for data in corpus:
        one(data)
    for _ in range(1200):
        one(hurt(rng.choice(corpus), rng))


def test_the_same_seed_gives_the_same_damage() -> None:
    photo = seeds()["webp"]
    assert mutated(photo, random.Random(3), [photo]) == mutated(photo, random.Random(3), [photo])
    assert mutated(photo, random.Random(3), [photo]) != mutated(photo, random.Random(4), [photo])


def test_a_5xx_for_an_event_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stub, "card", None)
    with pytest.raises(AssertionError, match="answered 500"):
        one_event((EVENTS / "http-api-v2-head-health.json").read_bytes())


def test_a_fault_in_a_decoder_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpe.image.decode.image_type", lambda data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        one_upload(b"image/png\n" + seeds()["png"])


def test_check_sums_are_put_right_after_a_mutation() -> None:
    data = bytearray(seeds()["png"])
    data[20] ^= 1
    assert repaired_png(bytes(data)) != bytes(data)
    assert repaired_png(seeds()["png"]) == seeds()["png"]


def test_without_atheris_it_says_so_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("fuzz.__main__.have_atheris", lambda: False)
    monkeypatch.setattr(sys, "argv", ["fuzz", "events"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code
    assert "NOT RUN: events: atheris is not installed" in capsys.readouterr().out
