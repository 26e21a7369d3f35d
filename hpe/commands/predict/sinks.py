"""One file for all photos: written as they are done, and gone on with where a run stopped."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import click

from hpe.commands.predict.outputs import write_stdout
from hpe.commands.predict.photos import shown
from hpe.commands.predict.resume import REMEDY, made_by, read_csv, read_json
from hpe.errors import BadSettings
from hpe.extras import remedy
from hpe.photo.formats import FORMATS, document_of

_PART: Final = ".part.jsonl"


class Sink:
    """Takes what is written of each photo, in order. This one takes nothing: each result has a file of its own."""

    def has(self, file: str) -> bool:
        """Whether the photo of this name is in it from an earlier run."""
        return False

    def take(self, data: bytes) -> None:
        """What one photo adds."""

    def finish(self) -> None:
        """The last photo is in."""

    def close(self) -> None:
        """Also after a fault: what was taken stays."""


class Stdout(Sink):
    """Lines to standard output, after the format's first."""

    def __init__(self, format: str) -> None:
        self._first = FORMATS[format].header().encode()

    def take(self, data: bytes) -> None:
        """Straight out, whatever the terminal's encoding."""
        write_stdout(self._first + data)
        self._first = b""


class Lines(Sink):
    """A file of JSON lines or CSV that grows by one photo at a time, and is gone on with if it is there already."""

    def __init__(self, path: Path, format: str, overwrite: bool) -> None:
        """Raises BadSettings for a file that is something else, OSError for one that cannot be written."""
        self.path = path
        self._done: set[str] = set()
        self._made: dict[str, Any] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        first = FORMATS[format].header().encode()
        regular = not path.exists() or path.is_file()
        self._good = 0
        if regular and not overwrite and path.exists() and path.stat().st_size:
            if first:
                self._good = read_csv(path, first, self._done)
            else:
                self._good, self._made = read_json(path, self._done)
        self._file: IO[bytes] = path.open("r+b" if self._good else "wb", buffering=0)
        if self._good:
            self._file.truncate(self._good)
            self._file.seek(self._good)
        elif first:
            self._write(first)

    def has(self, file: str) -> bool:
        """Whether the photo of this name is in it from an earlier run."""
        return file in self._done

    def take(self, data: bytes) -> None:
        """All of it, or OSError and a file as it was. Raises BadSettings if the file was made by other means."""
        if self._made:
            now = made_by(json.loads(data))
            other = [name for name in now if now[name] != self._made.get(name)]
            if other:
                told = ", ".join(f"{name} {self._made.get(name)}, this run has {now[name]}" for name in other)
                raise BadSettings(f"{shown(str(self.path))} was made with {told}: {REMEDY}")
            self._made = {}
        self._write(data)

    def _write(self, data: bytes) -> None:
        try:
            left = memoryview(data)
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            with suppress(OSError):
                self._file.truncate(self._good)
            raise
        self._good += len(data)

    def close(self) -> None:
        """What was taken stays."""
        self._file.close()


class Document(Sink):
    """COCO or Parquet, made of a file of lines beside it once all photos are in that."""

    def __init__(self, path: Path | None, format: str, dataset: bool, overwrite: bool) -> None:
        """path: None for standard output. Raises BadSettings if the file is there already."""
        self._path, self._make, self._dataset = path, document_of(format), dataset
        if path and path.exists() and path.is_file() and not overwrite:
            raise BadSettings(f"{shown(str(path))} is there already: {REMEDY}")
        if format == "parquet":
            _need_pyarrow()
        part = path.with_name(path.name + _PART) if path else _scratch()
        self._lines = Lines(part, "json", overwrite)

    def has(self, file: str) -> bool:
        """Whether the photo of this name was done before the run was interrupted."""
        return self._lines.has(file)

    def take(self, data: bytes) -> None:
        """Kept beside the document until that can be made."""
        self._lines.take(data)

    def finish(self) -> None:
        """Make the document, and remove the lines."""
        part = self._lines.path
        with part.open("rb") as lines, part.open("rb") as again:
            if self._path is None:
                self._make(lines, again, click.get_binary_stream("stdout"), self._dataset)
            else:
                made = self._path.with_name(f".{self._path.name}.new")
                with made.open("wb") as file:
                    self._make(lines, again, file, self._dataset)
                made.replace(self._path)
        self.close()
        part.unlink()

    def close(self) -> None:
        """The lines stay, for another run to go on with; those of standard output are of no use to one."""
        self._lines.close()
        if self._path is None:
            self._lines.path.unlink(missing_ok=True)


def _need_pyarrow() -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ModuleNotFoundError as error:
        raise BadSettings(remedy(error, "parquet") or str(error)) from error


def _scratch() -> Path:
    import tempfile

    descriptor, name = tempfile.mkstemp(suffix=_PART)
    os.close(descriptor)
    return Path(name)
