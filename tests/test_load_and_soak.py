"""bench.load and bench.soak against the server in its own process, small: that all is right, not how fast it is."""

import http.client
import json
import threading
from collections.abc import Iterator

import pytest

from bench.load import Photo, Tally, drive, photos, section
from bench.serving import Served, Usage, serving
from bench.soak import growth, soak

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def known() -> list[Photo]:
    return photos(8)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(HPE_CONCURRENT="2", HPE_QUEUE="2") as found:
        yield found


def test_the_photos_can_be_told_apart(known: list[Photo]) -> None:
    assert all(photo.people for photo in known)
    assert len({json.dumps(photo.people) for photo in known}) == len(known) == 8


def test_many_clients_get_the_joints_of_their_own_photos(served: Served, known: list[Photo]) -> None:
    tally = drive(served.port, 4, 2.0, known)
    assert not tally.wrong
    assert tally.answered
    assert not tally.refused, "two at once and two that wait"


def test_too_many_clients_are_refused_and_the_rest_answered_right(served: Served, known: list[Photo]) -> None:
    tally = drive(served.port, 12, 2.0, known)
    assert not tally.wrong
    assert tally.answered
    assert tally.refused
    assert "| 12 |" in section({12: tally}, 2.0)


def test_another_photos_joints_would_be_seen(known: list[Photo]) -> None:
    tally = Tally()
    body = json.dumps({"people": known[1].people}).encode()
    tally.add(known[0], 200, {}, body, 0.1)
    tally.add(known[1], 200, {}, body, 0.1)
    tally.add(known[0], 503, http.client.HTTPMessage(), b"busy, and no word on when to come again", 0.1)
    assert len(tally.wrong) == 2


def test_a_short_soak_leaves_nothing_behind(served: Served) -> None:
    before = threading.active_count()
    seen, statuses = soak(served, 60, sizes=(200, 320))
    assert list(seen) == [6, 15, 30, 45, 60]
    assert statuses[200] >= 30
    assert statuses.total() == 60
    late = list(seen.values())[-1]
    assert late.left == 0
    assert late.files <= seen[6].files + 3
    assert threading.active_count() <= before


def test_what_grows_is_told() -> None:
    flat = {n: Usage(100.0, 9, 0) for n in (1, 2, 3)}
    assert growth(flat) == []
    assert len(growth({**flat, 4: Usage(150.0, 30, 2)})) == 3
