"""What kind of file a clip is, told by its first bytes, before FFmpeg opens it.

FFmpeg also opens playlists and session descriptions, which name other files and addresses: none of those gets past
here, so a clip that somebody sent never makes this machine read or fetch something else.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from hpe.errors import BrokenVideo, UnsupportedVideo

READ_HERE: Final = "MP4, MOV, WebM, MKV, AVI, MPEG, WMV, OGV, FLV and animated GIF"
# By a name's suffix, for those who list files: what is told to a browser or to an API.
CLIP_TYPES: Final = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".avi": "video/x-msvideo",
    ".mpg": "video/mpeg",
    ".mpeg": "video/mpeg",
    ".mts": "video/mp2t",
    ".m2ts": "video/mp2t",
    ".3gp": "video/3gpp",
    ".wmv": "video/x-ms-wmv",
    ".ogv": "video/ogg",
    ".flv": "video/x-flv",
}
_HEAD: Final = 4096
_TS_PACKET: Final = 188
# Of a QuickTime file from before 2000, which has no ftyp box.
_OLD_BOXES: Final = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
# An MP4 has some ten boxes; one in fragments has two for each second or so.
_MOST_BOXES: Final = 100_000
_PHOTOS: Final = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\0", b"MM\0*")
_STILLS: Final = (b"heic", b"heix", b"avif", b"mif1")


def container_of(path: Path) -> str:
    """A clip's file -> 'mp4', 'matroska' (WebM and MKV), 'avi', 'ts', 'mpeg', 'asf', 'ogg', 'flv' or 'gif'.

    Raises UnsupportedVideo for other files, BrokenVideo for an MP4 that is cut off before its index, OSError if it
    cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        kind = _kind(head)
        if kind == "mp4":
            _check_boxes(file)
    if kind:
        return kind
    if not head:
        raise BrokenVideo("the file is empty: send the clip again")
    if head.startswith(_PHOTOS) or (head[8:12] == b"WEBP" and head[:4] == b"RIFF") or head[8:12] in _STILLS:
        raise UnsupportedVideo("this is a photo, not a clip: hpe predict and POST /pose take photos")
    if head.startswith(b"#EXTM3U"):
        raise UnsupportedVideo("this is a playlist, not a clip: save the clip that it names, and send that")
    raise UnsupportedVideo(f"this is not a clip of a kind that is read here: {READ_HERE} are", limit=tuple_of_kinds())


def tuple_of_kinds() -> tuple[str, ...]:
    """The kinds that are read, for programs."""
    return ("mp4", "mov", "webm", "mkv", "avi", "mpeg", "ts", "wmv", "ogv", "flv", "gif")


def _kind(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return "" if head[8:12] in _STILLS else "mp4"
    if head[4:8] in _OLD_BOXES:
        return "mp4"
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"AVIX"):
        return "avi"
    if head[:1] == b"G" and len(head) > _TS_PACKET and head[_TS_PACKET : _TS_PACKET + 1] == b"G":
        return "ts"
    starts = {
        b"\x1a\x45\xdf\xa3": "matroska",
        b"\x00\x00\x01\xba": "mpeg",
        b"\x00\x00\x01\xb3": "mpeg",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
        b"OggS": "ogg",
        b"FLV\x01": "flv",
        b"GIF8": "gif",
    }
    return next((kind for start, kind in starts.items() if head.startswith(start)), "")


def _check_boxes(file: IO[bytes]) -> None:
    """Raise BrokenVideo if an MP4 has no index (moov): recorders and uploads that stopped early leave such files."""
    names = list(_boxes(file))
    if b"moov" not in names:
        raise BrokenVideo(
            "the clip is cut off: its index (moov), which cameras write last, is missing. Copy or record it again"
        )


def _boxes(file: IO[bytes]) -> Iterator[bytes]:
    end = file.seek(0, os.SEEK_END)
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        size, name = struct.unpack(">I4s", head[:8])
        yield name
        if size == 1 and len(head) == 16:
            size = struct.unpack(">Q", head[8:])[0]
        at += size if size else end
        if size < 8 and size:
            return
