"""Many mixed requests to the local server in a process of its own: what it holds stays flat."""

import http.client
import io
import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final

import cv2
import numpy as np
from PIL import Image

from bench.photos import jpeg
from bench.report import Effort, table
from bench.serving import Served, Usage, serving
from fuzz.mutate import mutated
from fuzz.seeds import FORMATS, form_of, seeds

SIZES: Final = (320, 640, 1280)
# Encoders' own choice takes seconds a photo.
_QUICKLY: Final = {"avif": {"speed": 10}, "heic": {"enc_params": {"preset": "ultrafast"}}}
ANSWERS: Final = ("json", "png", "jpeg", "webp")
BAD_SHARE: Final = 0.3
SHARES: Final = (0.1, 0.25, 0.5, 0.75, 1.0)
# What an allocator may still add after the first quarter, and threads that are just ending.
_MAX_GROWTH_MB: Final = 20.0
_MAX_MORE_FILES: Final = 3


@cache
def photo(kind: str, width: int) -> bytes:
    """A photograph of a person in this format, one of FORMATS."""
    if kind == "jpeg":
        return jpeg(width)
    seeds()  # registers HEIF
    rgb = cv2.imdecode(np.frombuffer(jpeg(width), np.uint8), cv2.IMREAD_COLOR_RGB)
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "HEIF" if kind == "heic" else kind.upper(), **_QUICKLY.get(kind, {}))
    return out.getvalue()


class Soak:
    """Sends requests by number, good and bad by chance, and judges what comes back."""

    def __init__(self, served: Served, sizes: Sequence[int]) -> None:
        self.served, self.sizes, self.statuses = served, sizes, Counter[int]()
        self._connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)

    def send(self, number: int) -> None:
        """One request. Raises RuntimeError where its answer is wrong."""
        rng = random.Random(number)
        status = self._bad(rng) if rng.random() < BAD_SHARE else self._good(rng)
        self.statuses[status] += 1

    def _good(self, rng: random.Random) -> int:
        kind, width, wanted = rng.choice(FORMATS), rng.choice(self.sizes), rng.choice(ANSWERS)
        content_type, body = f"image/{kind}".encode(), photo(kind, width)
        if rng.random() < 0.5:
            content_type, body = form_of(body, kind)
        status, found, answer = self._post(wanted, content_type, body)
        expected = "application/json" if wanted == "json" else f"image/{wanted}"
        if status != 200 or found != expected:
            raise RuntimeError(f"{kind} of {width} px as {wanted}: {status} {answer[:300]!r}")
        return status

    def _bad(self, rng: random.Random) -> int:
        kind = rng.choice(FORMATS)
        content_type, body = form_of(mutated(seeds()[kind], rng, list(seeds().values())), kind)
        if rng.random() < 0.3:
            body = mutated(body, rng, [b"\r\n--", content_type])
        status, _, answer = self._post("json", content_type, body)
        if status >= 500:
            raise RuntimeError(f"a damaged {kind}: {status} {answer[:300]!r}")
        return status

    def _post(self, wanted: str, content_type: bytes, body: bytes) -> tuple[int, str, bytes]:
        headers = {"Content-Type": content_type.decode("latin-1")}
        self._connection.request("POST", f"/pose?format={wanted}", body, headers)
        response = self._connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()


def soak(served: Served, count: int, sizes: Sequence[int] = SIZES) -> tuple[dict[int, Usage], Counter[int]]:
    """`count` requests, one after another -> what the server held after some shares of them, and the statuses."""
    sender, seen = Soak(served, sizes), {}
    points = {max(1, round(count * share)) for share in SHARES}
    for done in range(1, count + 1):
        sender.send(done)
        if done in points:
            seen[done] = served.usage()
    return seen, sender.statuses


def growth(seen: dict[int, Usage]) -> list[str]:
    """What is more at the end than it was after the first quarter, in words; nothing where all is flat."""
    early, late = list(seen.values())[min(1, len(seen) - 1)], list(seen.values())[-1]
    found = []
    if late.megabytes - early.megabytes > _MAX_GROWTH_MB:
        found.append(f"memory grew from {early.megabytes:.1f} to {late.megabytes:.1f} MB")
    if late.files > early.files + _MAX_MORE_FILES:
        found.append(f"open files grew from {early.files} to {late.files}")
    if late.left > early.left:
        found.append(f"temporary files grew from {early.left} to {late.left}")
    return found


def run(effort: Effort) -> str:
    """The section of results.md. Raises RuntimeError where an answer was wrong or something grew."""
    with serving() as served:
        seen, statuses = soak(served, effort.soak)
    head = ["requests", "resident MB", "open files", "temporary files"]
    rows = [[f"{done:,}", f"{use.megabytes:.1f}", use.files, use.left] for done, use in seen.items()]
    if grown := growth(seen):
        raise RuntimeError("\n\n".join(["; ".join(grown), table(head, rows)]))
    first, *_, last = seen.values()
    text = (
        f"{effort.soak:,} requests over HTTP to `hpe serve` in its own process: photos of {', '.join(map(str, SIZES))} "
        f"px in {', '.join(FORMATS)}, raw and in forms, answers in {', '.join(ANSWERS)}, all by chance; "
        f"{BAD_SHARE:.0%} are damaged photos and forms of `fuzz/`. By status: {_listed(statuses)}. From the first "
        f"tenth on memory changed by {last.megabytes - first.megabytes:+.1f} MB."
    )
    return "\n\n".join(["## Soak", text, table(head, rows)])


def _listed(statuses: Counter[int]) -> str:
    words = {status: "hung up on, being cut off" if status == 0 else str(status) for status in statuses}
    return ", ".join(f"{statuses[status]:,} {words[status]}" for status in sorted(statuses))
