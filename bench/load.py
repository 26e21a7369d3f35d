"""The local server under load: latency and throughput by number of clients, refusals, and whether all is right."""

import http.client
import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import cv2
import numpy as np

from bench.report import Effort, table
from bench.serving import serving

CLIENTS: Final = (1, 2, 4, 8, 16, 32)
PHOTOS: Final = 10
# A client that was refused comes again sooner than it was told to: the house stays full.
_PAUSE_S: Final = 0.1
_PATIENCE_S: Final = 60.0


@dataclass(frozen=True)
class Photo:
    """data: a JPEG. people: the answer's "people", as one process alone finds them."""

    data: bytes
    people: Any


@dataclass
class Tally:
    """What came of the requests of one step. answered, refused: seconds each took. wrong: in words."""

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    took_s: float = 0.0

    def add(self, photo: Photo, status: int, headers: Any, body: bytes, seconds: float) -> None:
        """Judge one answer."""
        if status == 200:
            self.answered.append(seconds)
            if json.loads(body)["people"] != photo.people:
                self.wrong.append("the joints of another photo, or none")
        elif status in (429, 503) and headers["Retry-After"]:
            self.refused.append(seconds)
        else:
            self.wrong.append(f"status {status}: {body[:200]!r}")


def photos(count: int = PHOTOS) -> list[Photo]:
    """One person at different places and sizes, with what `hpe.web.api.handle` finds in each in this process."""
    return [Photo(data, _people(data)) for data in (_jpeg(number) for number in range(count))]


def _jpeg(number: int) -> bytes:
    from skimage.data import astronaut

    rng = np.random.default_rng(number)
    person = astronaut()[:, :: -1 if number % 2 else 1]
    top, left, right = rng.integers(0, 40), rng.integers(0, 60), rng.integers(440, 512)
    side = 400 + 80 * (number % 5)
    photo = cv2.resize(np.ascontiguousarray(person[top:, left:right]), (side, side * 5 // 4))
    photo = np.clip(photo * rng.uniform(0.8, 1.1), 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


def _people(data: bytes) -> Any:
    from hpe.settings import Settings
    from hpe.web.api import handle
    from hpe.web.messages import Request

    logging.getLogger("hpe").setLevel(logging.ERROR)
    sent = Request("POST", "/pose", {"format": "json"}, {"content-type": "image/jpeg"}, data)
    return json.loads(handle(sent, _estimator, Settings()).body)["people"]


@cache
def _estimator() -> Any:
    from hpe.engine.estimator import PoseEstimator

    return PoseEstimator()


def drive(port: int, clients: int, seconds: float, known: Sequence[Photo]) -> Tally:
    """So many clients, each with its own connection, ask without a pause, photos in turn, for so long."""
    tally, lock, until = Tally(), threading.Lock(), time.monotonic() + seconds

    def client(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
        number = first
        while time.monotonic() < until:
            photo, number = known[number % len(known)], number + 1
            began = time.perf_counter()
            connection.request("POST", "/pose?format=json", photo.data, {"Content-Type": "image/jpeg"})
            response = connection.getresponse()
            body = response.read()
            took_s = time.perf_counter() - began
            with lock:
                tally.add(photo, response.status, response.headers, body, took_s)
            if response.status != 200:
                time.sleep(_PAUSE_S)
        connection.close()

    failed: list[BaseException] = []

    def guarded(first: int) -> None:
        try:
            client(first)
        except Exception as error:
            failed.append(error)

    began = time.monotonic()
    threads = [threading.Thread(target=guarded, args=(3 * n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.took_s = time.monotonic() - began
    tally.wrong += [f"no answer: {error!r}" for error in failed]
    return tally


def run(effort: Effort) -> str:
    """The section of results.md. Raises RuntimeError where an answer was wrong."""
    known = photos()
    if len({json.dumps(photo.people) for photo in known}) != len(known) or not all(photo.people for photo in known):
        raise RuntimeError("the photos cannot be told apart by their joints")
    with serving() as served:
        drive(served.port, 2, 2.0, known)
        tallies = {clients: drive(served.port, clients, effort.load_s, known) for clients in CLIENTS}
    if wrong := [words for tally in tallies.values() for words in tally.wrong]:
        raise RuntimeError(f"{len(wrong)} wrong answers, the first: {wrong[0]}")
    return section(tallies, effort.load_s)


def section(tallies: dict[int, Tally], seconds: float) -> str:
    """The tallies in words and as a table."""
    right = sum(len(tally.answered) for tally in tallies.values())
    text = (
        f"`hpe serve` in its own process, {PHOTOS} different JPEGs of 400 to 720 px, JSON back; each client asks again "
        f"as soon as it has its answer, {seconds:g} s a row; one that is refused (503 with Retry-After) waits "
        f"{_PAUSE_S * 1000:g} ms. All {right:,} answers held exactly the joints that their photo has when it is asked "
        "for alone; a single wrong one would have stopped this. The clients share the machine's cores with the server."
    )
    head = ["clients", "answered", "a second", "p50 ms", "p95 ms", "p99 ms", "refused", "refused: p50 ms", "p99 ms"]
    rows: list[list[object]] = []
    for clients, tally in tallies.items():
        rate = len(tally.answered) / tally.took_s
        late = [_percentile(tally.answered, share) for share in (50, 95, 99)]
        refusals = [_percentile(tally.refused, share) for share in (50, 99)]
        rows.append([clients, f"{len(tally.answered):,}", round(rate, 1), *late, f"{len(tally.refused):,}", *refusals])
    return "\n\n".join(["## Load", text, table(head, rows)])


def _percentile(seconds: Sequence[float], share: float) -> float | str:
    return round(float(np.percentile(seconds, share)) * 1000, 1) if seconds else "-"
