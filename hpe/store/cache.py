"""The folder that keeps fetched models: files named by their sha256, whole or absent."""

import contextlib
import errno
import hashlib
import os
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

from hpe.errors import ModelUnavailable

# a living download writes at least every read timeout (5 s)
_STALE_PART_S: Final = 60.0


class Download:
    """A file being fetched (an `hpe.store.s3.Sink`): hashed on the way, gone again unless `keep_as` is called."""

    def __init__(self, cache_dir: Path) -> None:
        self._dir = cache_dir
        self._file: BinaryIO
        self._hash = hashlib.sha256()

    def __enter__(self) -> "Download":
        try:
            self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_stale_parts(self._dir)
            descriptor, self._part = tempfile.mkstemp(".part", dir=self._dir)
        except OSError as error:
            raise _disk_trouble(self._dir, error) from error
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        return self

    def restart(self) -> None:
        """Forget what came so far: the object is sent again."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Add bytes. Raises ModelUnavailable when the disk is full."""
        self._hash.update(chunk)
        rest = memoryview(chunk)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _disk_trouble(self._dir, error) from error

    @property
    def sha256(self) -> str:
        """Of the bytes so far."""
        return self._hash.hexdigest()

    def keep_as(self, path: Path) -> None:
        """Give the file its name, whole at once: another process sees all of it or nothing."""
        try:
            self._file.close()
            Path(self._part).replace(path)
        except OSError as error:
            raise _disk_trouble(self._dir, error) from error

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            Path(self._part).unlink(missing_ok=True)


def has_sha256(path: Path, sha256: str) -> bool:
    """Whether the file has these contents. Raises ModelUnavailable if it cannot be read.

    Hashed at every start, 1.3 ms a MB with SHA instructions and up to 4 without: beside the imports it hardly shows.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read: {error.strerror}") from error


def _remove_stale_parts(cache_dir: Path) -> None:
    for part in cache_dir.glob("*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE_PART_S:
                part.unlink()


def _disk_trouble(cache_dir: Path, error: OSError) -> ModelUnavailable:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # the last: a limit on the size of files
    remedy = "free some space there" if full else "make it writable"
    return ModelUnavailable(
        f"the model cannot be stored in {cache_dir}: {error.strerror}: {remedy}, or set HPE_CACHE_DIR to another folder"
    )
