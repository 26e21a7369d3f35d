"""One file for all photos: written as they are done, and gone on with where a run stopped."""

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import click

from hpe.commands.predict.outputs import BOM, write_stdout
from hpe.commands.predict.photos import shown
from hpe.commands.predict.resume import REMEDY, kept_lines, made_by, read_csv, read_json
from hpe.errors import BadSettings, HpeError
from hpe.extras import remedy
from hpe.photo.formats import FORMATS, document_of
from hpe.photo.tables import cell

if TYPE_CHECKING:
    from hpe.photo.coco_images import Images

_PART: Final = ".part.jsonl"


class Sink:
    """Takes what is written of each photo, in order. This one takes nothing: each result has a file of its own."""

    def has(self, file: str) -> bool:
        """Whether the photo of this name is in it from an earlier run."""
        return False

    empty = True

    def names(self) -> Iterable[str]:
        """What the photos in it are called."""
        return ()

    def drop(self, files: Collection[str]) -> None:
        """Take photos out of it that are to be done again. Raises OSError."""

    def take(self, data: bytes) -> None:
        """What one photo adds."""

    def finish(self) -> None:
        """The last photo is in."""

    def close(self) -> None:
        """Also after a fault: what was taken stays."""


class Stdout(Sink):
    """Lines to standard output, after the format's first."""

    def __init__(self, format: str, excel: bool = False) -> None:
        self._first = (BOM if excel else b"") + FORMATS[format].header().encode()

    def take(self, data: bytes) -> None:
        """Straight out, whatever the terminal's encoding."""
        write_stdout(self._first + data)
        self._first = b""


class Lines(Sink):
    """A file of JSON lines or CSV that grows by one photo at a time, and is gone on with if it is there already."""

    def __init__(self, path: Path, format: str, overwrite: bool, excel: bool = False) -> None:
        """excel: a byte order mark comes first. Raises BadSettings for a file that is something else, OSError for one
        that cannot be written.
        """
        self.path = path
        self._name: Callable[[str], str] = cell if format in ("csv", "csv-wide") else str
        self._done: set[str] = set()
        self._made: dict[str, Any] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._first = first = (BOM if excel else b"") + FORMATS[format].header().encode()
        regular = not path.exists() or path.is_file()
        self._good = 0
        if regular and not overwrite and path.exists() and path.stat().st_size:
            if first:
                self._check_mark(excel)
                self._good = read_csv(path, first, self._done)
            else:
                self._good, self._made = read_json(path, self._done)
        self.empty = not self._done
        self._open()

    def _check_mark(self, excel: bool) -> None:
        with self.path.open("rb") as file:
            marked = file.read(len(BOM)) == BOM
        if marked != excel and self.path.stat().st_size >= len(self._first):
            how = "with --excel, this run is without" if marked else "without --excel, this run is with it"
            raise BadSettings(f"{shown(str(self.path))} was made {how}: {REMEDY}")

    def has(self, file: str) -> bool:
        """Whether the photo of this name is in it from an earlier run."""
        return self._name(file) in self._done

    def names(self) -> Iterable[str]:
        """What the photos in it are called."""
        return self._done

    def drop(self, files: Collection[str]) -> None:
        """The file without these photos takes its place, or stays as it was. Raises OSError."""
        without = {self._name(file) for file in files} & self._done
        if not without:
            return
        new = self.path.with_name(f".{self.path.name}.new")
        with new.open("wb") as file:
            file.writelines(kept_lines(self.path, self._first, without))
        self._file.close()
        new.replace(self.path)
        self._good, self._done = self.path.stat().st_size, self._done - without
        self._open()

    def _open(self) -> None:
        self._file: IO[bytes] = self.path.open("r+b" if self._good else "wb", buffering=0)
        if self._good:
            self._file.truncate(self._good)
            self._file.seek(self._good)
        elif self._first:
            self._write(self._first)

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

    def __init__(self, path: Path | None, format: str, dataset: "bool | Images", overwrite: bool) -> None:
        """path: None for standard output. Raises BadSettings if the file is there already."""
        self._path, self._make, self._dataset = path, document_of(format), dataset
        if path and path.exists() and path.is_file() and not overwrite:
            raise BadSettings(f"{shown(str(path))} is there already: {REMEDY}")
        if format == "parquet":
            _need_pyarrow()
        part = path.with_name(path.name + _PART) if path else _scratch()
        self._lines = Lines(part, "json", overwrite)
        self.empty = self._lines.empty

    def has(self, file: str) -> bool:
        """Whether the photo of this name was done before the run was interrupted."""
        return self._lines.has(file)

    def names(self) -> Iterable[str]:
        """What the photos in it are called."""
        return self._lines.names()

    def drop(self, files: Collection[str]) -> None:
        """Take photos out of it that are to be done again. Raises OSError."""
        self._lines.drop(files)

    def take(self, data: bytes) -> None:
        """Kept beside the document until that can be made."""
        self._lines.take(data)

    def finish(self) -> None:
        """Make the document, and remove the lines."""
        part = self._lines.path
        if self._path is None:
            self._make(lambda: _lines(part), click.get_binary_stream("stdout"), self._dataset)
        else:
            made = self._path.with_name(f".{self._path.name}.new")
            try:
                with made.open("wb") as file:
                    self._make(lambda: _lines(part), file, self._dataset)
                made.replace(self._path)
            except OSError as error:
                with suppress(OSError):
                    made.unlink()
                why = error.strerror or str(error)
                raise HpeError(f"{shown(str(self._path))}: {why}: {shown(str(part))} holds what was done") from error
        self.close()
        part.unlink()

    def close(self) -> None:
        """The lines stay, for another run to go on with; those of standard output are of no use to one."""
        self._lines.close()
        if self._path is None:
            self._lines.path.unlink(missing_ok=True)


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


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
