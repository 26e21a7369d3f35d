"""Number n of a seed -> one HTTP request as bytes, mutated in its photo, in its form or in its head."""

import random
from dataclasses import dataclass
from typing import Final

from fuzz.mutate import mutated
from fuzz.seeds import FORMATS, seeds

BOUNDARY: Final = "d74496d66958873e"
_QUERIES: Final = (
    *("format=json", "format=png", "format=jpeg", "format=webp") * 20,
    "format=gif",
    "format=",
    "threshold=0.3&format=json",
    "threshold=nan",
    "threshold=1e-9&flip=1",
    "flip=1&flip=0",
    "%00=%ff&&=",
    "format=json;threshold=9",
)
_ACCEPTS: Final = (
    "*/*",
    "image/webp",
    "application/json;q=0.1, image/*",
    "text/html",
    ";q=,/",
    "video/mp4",
    "a/b;q=1e99",
)
_PATHS: Final = ("/pose", "/pose/", "//pose", "/POSE", "/uploads", "/results/x", "/health", "/%70ose", "/../pose", "*")
_METHODS: Final = ("POST", "PUT", "GET", "HEAD", "OPTIONS", "post", "DELETE", "P\tST")
_HEADERS: Final = (
    b"Expect: 100-continue",
    b"Transfer-Encoding: chunked",
    b"Content-Encoding: gzip",
    b"Content-Type: multipart/form-data; boundary=x",
    b"Content-Length: 7",
    b"Host: \xff\xfe",
    b"Cookie: " + b"c" * 9000,
    b"X: y\r\n folded",
    b" starts with a space: 1",
    b"no colon",
    b"Origin: null",
    b"Connection: keep-alive, Upgrade\r\nUpgrade: h2c",
)


@dataclass(frozen=True)
class Case:
    """request: all bytes of it. kind: of its seed, one of fuzz.seeds.FORMATS. damaged: 'photo', 'form' or 'head'."""

    request: bytes
    kind: str
    damaged: str


def case(seed: int, number: int) -> Case:
    """Deterministic: the same two numbers, the same bytes. Formats take turns."""
    rng = random.Random(f"{seed}:{number}")
    kind = FORMATS[number % len(FORMATS)]
    files = seeds()
    photo = files[rng.choice([name for name in files if name.partition("-")[0] == kind])]
    damaged = rng.choices(("photo", "form", "head"), (6, 2, 2))[0]
    if damaged == "photo":
        photo = mutated(photo, rng, list(files.values()))
    as_form = damaged == "form" or rng.random() < 0.5
    content_type, body = form_of(photo, kind) if as_form else (f"image/{kind}".encode(), photo)
    if damaged == "form":
        body = _damaged_form(body, rng)
    head = [b"POST /pose?" + rng.choice(_QUERIES).encode() + b" HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close"]
    head += [b"Content-Type: " + content_type, b"Content-Length: %d" % len(body)]
    if rng.random() < 0.3:
        head.append(b"Accept: " + rng.choice(_ACCEPTS).encode())
    if damaged == "head":
        head = _damaged_head(head, rng)
    return Case(b"\r\n".join(head) + b"\r\n\r\n" + body, kind, damaged)


def form_of(photo: bytes, kind: str) -> tuple[bytes, bytes]:
    """A photo -> the Content-Type and the body of a form of two fields with it."""
    head = (
        f'Content-Disposition: form-data; name="image"; filename="photo.{kind}"\r\nContent-Type: image/{kind}\r\n\r\n'
    )
    note = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n--{BOUNDARY}\r\n'
    body = (note + head).encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()
    return f"multipart/form-data; boundary={BOUNDARY}".encode(), body


def _damaged_form(body: bytes, rng: random.Random) -> bytes:
    """The form's own lines, rather than the photo in it, are what gets hurt."""
    front, back = body[:300], body[-60:]
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    lines = [end, b"\r\n\r\n", b"Content-Disposition: form-data; name=\"image\"; filename*=utf-8''%ff", b"--" * 40]
    if rng.random() < 0.7:
        front = mutated(front, rng, lines)
    else:
        back = mutated(back, rng, lines)
    return front + body[300:-60] + back


def _damaged_head(head: list[bytes], rng: random.Random) -> list[bytes]:
    found = list(head)
    for _ in range(rng.randint(1, 3)):
        how, at = rng.randrange(6), rng.randrange(len(found))
        if how == 0:
            found[at] = mutated(found[at], rng, _HEADERS)
        elif how == 1:
            found[0] = f"{rng.choice(_METHODS)} {rng.choice(_PATHS)} HTTP/1.{rng.choice('0123')}".encode()
        elif how == 2:
            found.insert(rng.randint(1, len(found)), rng.choice(_HEADERS))
        elif how == 3:
            found[4] = b"Content-Length: " + rng.choice(
                (b"0", b"-1", b"1e3", b"99999999999", b"+5", b"\xb2", b"12, 12")
            )
        elif how == 4:
            found[3] = b"Content-Type: " + mutated(found[3][14:], rng, _HEADERS)
        elif len(found) > 5:
            del found[at]
    return found
