"""The folder that keeps fetched models: files named by their sha256, whole or absent, and verified once.

A sha256 costs 2.5 to 4 ms a MB on processors without SHA instructions (33 to 55 ms for a model of 13 MB), so a file
that was verified is remembered by its inode, size and times, as git does, and hashed again when one of them changes.
"""

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
    """A file being fetched (an `hpe.engine.s3.Sink`): hashed on the way, gone again unless `keep_as` is called."""

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
        """Forget what came so far: the object is sent anew."""
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


def is_verified(path: Path, sha256: str, cache_dir: Path) -> bool:
    """Whether the file at `path` has this sha256, by the note of an earlier look or by looking now."""
    note = cache_dir / f"{sha256}.seen"
    try:
        if _is_ours(note) and note.read_text("ascii") == _identity(path):
            return True
    except (OSError, ValueError):
        pass  # no note, or none that can be read: look
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError as error:
        raise ModelUnavailable(f"{path} cannot be read: {error.strerror}") from error
    if same:
        remember(path, sha256, cache_dir)
    return same


def remember(path: Path, sha256: str, cache_dir: Path) -> None:
    """Note that `path` was verified. A note that cannot be written costs only time."""
    with contextlib.suppress(OSError):
        cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written beside and renamed: a link that somebody put there is replaced, never written through.
        handle, part = tempfile.mkstemp(dir=cache_dir, suffix=".note")
        with os.fdopen(handle, "w", encoding="ascii") as note:
            note.write(_identity(path))
        Path(part).replace(cache_dir / f"{sha256}.seen")


def forget(cache_dir: Path) -> None:
    """Drop every note: what looked whole could not be used, so it is hashed again before it is believed again."""
    for note in cache_dir.glob("*.seen"):
        with contextlib.suppress(OSError):
            note.unlink()


def _identity(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_dev} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _is_ours(note: Path) -> bool:
    # on a shared machine somebody else may have made /tmp/hpe, with notes in it that vouch for anything
    return all(path.stat().st_uid == os.geteuid() and not path.stat().st_mode & 0o022 for path in (note, note.parent))


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
