"""Whether a clip may be interlaced, told by its own stream: OpenCV 5.0 makes no pictures of it, without a word.

It gives whatever lay in memory instead, the same for every frame. H.264 (ITU-T H.264, 7.3.2.1.1) and MPEG-2 (ITU-T
H.262, 6.2.3.1) say what they are; DV is always interlaced.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

import cv2

# Of H.264: profiles whose parameters begin with colours.
_HIGH: Final = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
# The parameters come with the first picture that stands on its own.
_PACKETS: Final = 30
# Whether this OpenCV reads interlaced clips: 4 does.
READ_HERE: Final = int(cv2.__version__.partition(".")[0]) < 5


def may_be_interlaced(codec: str, opened: Callable[[], cv2.VideoCapture]) -> bool:
    """codec: four letters. opened: the clip, whose `read` gives packets as they lie in it (CAP_PROP_FORMAT -1)."""
    codec = codec.lower()
    if READ_HERE or codec.startswith("dv"):
        return not READ_HERE
    if codec not in ("h264", "avc1", "avc3", "mpg2", "mpg1", "mp2v", "hdv2", "hdv3", "xdv2", "xd5b"):
        return False
    capture = opened()
    try:
        for _ in range(_PACKETS):
            done, packet = capture.read()
            if not done or packet is None:
                return False
            told = _told(packet.tobytes(), h264="avc" in codec or "264" in codec)
            if told is not None:
                return told
    finally:
        capture.release()
    return False


def _told(packet: bytes, h264: bool) -> bool | None:
    """A packet with start codes -> whether its pictures may be interlaced; None if it does not say."""
    for unit in re.split(b"\0\0\1", packet)[1:]:
        if h264 and len(unit) > 4 and unit[0] & 31 == 7:
            return not _frames_only(unit[1:])
        if not h264 and len(unit) > 5 and unit[0] == 0xB5 and unit[1] >> 4 == 8:
            return not unit[5] & 0x80
    return None


def _frames_only(parameters: bytes) -> bool:
    """The sequence parameter set of H.264 without its first byte -> frame_mbs_only_flag; True if it is damaged."""
    try:
        return _read(_Bits(parameters.replace(b"\0\0\3", b"\0\0")))
    except IndexError:
        return True


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def u(self, count: int) -> int:
        """So many bits."""
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - self._at % 8) & 1
            self._at += 1
        return value

    def ue(self) -> int:
        """An Exp-Golomb number."""
        zeros = 0
        while not self.u(1):
            zeros += 1
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed one."""
        value = self.ue()
        return (value + 1) // 2 if value % 2 else -(value // 2)


def _read(bits: _Bits) -> bool:
    profile = bits.u(8)
    bits.u(16)
    bits.ue()
    if profile in _HIGH:
        chroma = bits.ue()
        bits.u(chroma == 3)
        bits.ue()
        bits.ue()
        bits.u(1)
        if bits.u(1):
            for size in _scaling_lists(12 if chroma == 3 else 8):
                _skip_list(bits, size)
    bits.ue()
    order = bits.ue()
    if order == 0:
        bits.ue()
    elif order == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(bits.ue()):
            bits.se()
    bits.ue()
    bits.u(1)
    bits.ue()
    bits.ue()
    return bool(bits.u(1))


def _scaling_lists(count: int) -> Iterator[int]:
    yield from (16 if number < 6 else 64 for number in range(count))


def _skip_list(bits: _Bits, size: int) -> None:
    if not bits.u(1):
        return
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se() + 256) % 256
        last = following or last
