"""One file or header -> a damaged one, by a random generator that is given: the same seed, the same damage."""

import random
import struct
import zlib
from collections.abc import Sequence
from typing import Final

# Sizes, counts and offsets that programs trip over.
_ODD: Final = (0, 1, 2, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
_WIDTHS: Final = ("<B", "<H", ">H", "<I", ">I", "<Q", ">Q")
_LONGEST: Final = 200_000


def mutated(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A file with one to six things wrong with it. `others`: files to splice parts of into it."""
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if found:
            _damage(found, rng, rng.choice(others))
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


def _damage(data: bytearray, rng: random.Random, other: bytes) -> None:
    # anywhere, half of the time near the start: headers are short, and say most
    at = rng.randrange(min(len(data), 200) if rng.random() < 0.5 else len(data))
    match rng.randrange(6):
        case 0:  # other bytes
            data[at : at + rng.randint(1, 16)] = rng.randbytes(rng.randint(1, 16))
        case 1:  # another number
            form = rng.choice(_WIDTHS)
            bits = 8 * struct.calcsize(form)
            value = (rng.choice(_ODD) if rng.random() < 0.7 else rng.getrandbits(bits)) % (1 << bits)
            data[at : at + bits // 8] = struct.pack(form, value)
        case 2:  # a part is missing
            del data[at : at + rng.randint(1, max(1, len(data) // 4))]
        case 3:  # cut off
            del data[at:]
        case 4:  # a part is there several times
            data[at:at] = data[at : at + rng.randint(1, 60)] * rng.choice((1, 2, 10, 300))
        case _:  # a part of another file
            start = rng.randrange(max(1, len(other)))
            data[at:at] = other[start : start + rng.randint(1, 2000)]
