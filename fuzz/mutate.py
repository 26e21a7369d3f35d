"""One file or header -> a damaged one, by a random generator that is given: the same seed, the same damage."""

import random
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Final

# Sizes, counts and offsets that programs trip over.
_ODD: Final = (0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_WIDTHS: Final = ("<B", "<H", ">H", "<I", ">I", "<Q", ">Q")
_LONGEST: Final = 200_000
Mutation = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def mutated(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A file with one to six things wrong with it. `others`: files to splice parts of into it."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if found:
            rng.choice(_MUTATIONS)(found, rng, others)
    del found[_LONGEST:]
    # a decoder that checks sums would see nothing but wrong ones
    return repaired_png(bytes(found)) if rng.random() < 0.7 else bytes(found)


def repaired_png(data: bytes) -> bytes:
    """A PNG with its chunks' check sums put right; anything else as it is."""
    if not data.startswith(b"\x89PNG"):
        return data
    found, at = bytearray(data), 8
    while at + 12 <= len(found):
        end = at + 8 + int.from_bytes(found[at : at + 4], "big")
        if end + 4 > len(found):
            break
        found[end : end + 4] = struct.pack(">I", zlib.crc32(found[at + 4 : end]))
        at = end + 4
    return bytes(found)


def _place(data: bytearray, rng: random.Random) -> int:
    """Anywhere, half of the time near the start: headers are short, and say most."""
    return rng.randrange(min(len(data), 200) if rng.random() < 0.5 else len(data))


def _flip_bits(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    for _ in range(rng.randint(1, 8)):
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _set_bytes(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    at = _place(data, rng)
    data[at : at + rng.randint(1, 16)] = rng.randbytes(rng.randint(1, 16))


def _set_number(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    form, at = rng.choice(_WIDTHS), _place(data, rng)
    bits = 8 * struct.calcsize(form)
    value = (rng.choice(_ODD) if rng.random() < 0.7 else rng.getrandbits(bits)) % (1 << bits)
    data[at : at + bits // 8] = struct.pack(form, value)


def _cut_out(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    at = _place(data, rng)
    del data[at : at + rng.randint(1, max(1, len(data) // 4))]


def _cut_off(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    del data[_place(data, rng) :]


def _repeat(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    at = _place(data, rng)
    piece = data[at : at + rng.randint(1, 60)]
    data[at:at] = piece * rng.choice((1, 2, 10, 300))


def _insert(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    at = _place(data, rng)
    data[at:at] = rng.randbytes(rng.randint(1, 64))


def _splice(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    other, at = rng.choice(others), _place(data, rng)
    start = rng.randrange(max(1, len(other)))
    piece = other[start : start + rng.randint(1, 2000)]
    data[at : at + (len(piece) if rng.random() < 0.5 else 0)] = piece


def _swap(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    size = rng.randint(1, 32)
    one, two = _place(data, rng), _place(data, rng)
    if abs(one - two) >= size and max(one, two) + size <= len(data):
        data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


def _fill(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    at = _place(data, rng)
    size = min(rng.randint(1, 400), len(data) - at)
    data[at : at + size] = bytes([rng.choice((0, 0xFF, 0x20, 0x55))]) * size


_MUTATIONS: Final[tuple[Mutation, ...]] = (
    _flip_bits,
    _set_bytes,
    _set_number,
    _set_number,
    _cut_out,
    _cut_off,
    _repeat,
    _insert,
    _splice,
    _swap,
    _fill,
)
