"""Where a caller of the Python package has a photo's bytes: a path, or a file that is open."""

import io
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from hpe.errors import UnsupportedImage


class FileLike(Protocol):
    """A file opened with "rb", io.BytesIO, a zip's member: what gives bytes."""

    def read(self, size: int = ..., /) -> bytes:
        """The next bytes, `size` of them at most."""


def read_path(path: str | PathLike[str]) -> bytes:
    """The bytes of a file. Raises UnsupportedImage naming what is wrong."""
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError, TypeError) as error:  # a zero byte in it; a path of bytes
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnsupportedImage(f"{str(path)!r}: {reason}: give the path of an image file") from error


def read_file(file: FileLike, most: int) -> bytes:
    """What is left in an open file, `most` bytes and one at most; a file that can seek is left where it was.

    Raises UnsupportedImage for text, for nothing, and for what cannot be read.
    """
    how = "give a file opened with 'rb', at its beginning"
    name = str(getattr(file, "name", "") or type(file).__name__)
    try:
        start = _position(file)
        data: Any = file.read(most + 1)
        if start is not None:
            file.seek(start)  # type: ignore[attr-defined]
    except (OSError, ValueError, TypeError) as error:  # closed, opened for writing; another kind of read()
        raise UnsupportedImage(f"{name} cannot be read ({error}): {how}") from error
    if not isinstance(data, bytes | bytearray | memoryview):
        raise UnsupportedImage(f"{name} gives {type(data).__name__} instead of bytes: {how}")
    if not data:
        raise UnsupportedImage(f"{name} has nothing left to read: {how}")
    return bytes(data)


def _position(file: Any) -> int | None:
    try:
        return int(file.tell()) if file.seekable() else None
    except (AttributeError, io.UnsupportedOperation):
        return None
