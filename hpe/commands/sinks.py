"""One file for all photos: written as they are done, and gone on with where a run stopped."""

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, Protocol

from hpe.commands.outputs import write_stdout
from hpe.commands.photos import shown
from hpe.errors import BadSettings
from hpe.formats.lines import FILE, coco_document, first_line, parquet_file
from hpe.pose.skeleton import NUM_JOINTS

_PART: Final = ".part.jsonl"
_BEGIN: Final = b'{"file":'
_ANEW: Final = "give another name, or --overwrite to start it again"


class Sink(Protocol):
    """Takes what is written of each photo, in order."""

    def has(self, file: str) -> bool:
        """Whether the photo of this name is in it from an earlier run."""

    def take(self, data: bytes) -> None:
        """What one photo adds."""

    def finish(self) -> None:
        """The last photo is in."""

    def close(self) -> None:
        """Also after a fault: what was taken stays."""


class Nothing:
    """For results that each have a file of their own, which is written where it is made."""

    def has(self, file: str) -> bool:
        """Never."""
        return False

    def take(self, data: bytes) -> None:
        """Nothing comes."""

    def finish(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


class Stdout:
    """Lines to standard output, after the format's first."""

    def __init__(self, format: str) -> None:
        self._first = first_line(format).encode()

    def has(self, file: str) -> bool:
        """Never: what was printed is gone."""
        return False

    def take(self, data: bytes) -> None:
        """Straight out, whatever the terminal's encoding."""
        write_stdout(self._first + data)
        self._first = b""

    def finish(self) -> None:
        """All is out already."""

    def close(self) -> None:
        """All is out already."""


class Lines:
    """A file of JSON lines or CSV that grows by one photo at a time, and is gone on with if it is there already."""

    def __init__(self, path: Path, format: str, overwrite: bool) -> None:
        """Raises BadSettings for a file that is something else, OSError for one that cannot be written."""
        self.path = path
        self._done: set[str] = set()
        self._made: dict[str, Any] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        first = first_line(format).encode()
        regular = not path.exists() or path.is_file()
        self._good = 0
        if regular and not overwrite and path.exists() and path.stat().st_size:
            if first:
                self._good = _read_csv(path, first, self._done)
            else:
                self._good, self._made = _read_json(path, self._done)
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
            now = _made_by(json.loads(data))
            other = [name for name in now if now[name] != self._made.get(name)]
            if other:
                told = ", ".join(f"{name} {self._made.get(name)}, this run has {now[name]}" for name in other)
                raise BadSettings(f"{shown(str(self.path))} was made with {told}: {_ANEW}")
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

    def finish(self) -> None:
        """It is whole after every photo."""

    def close(self) -> None:
        """What was taken stays."""
        self._file.close()


class Document:
    """COCO or Parquet, made of a file of lines beside it once all photos are in that."""

    def __init__(self, path: Path | None, format: str, dataset: bool, overwrite: bool) -> None:
        """path: None for standard output. Raises BadSettings if the file is there already."""
        self._path, self._format, self._dataset = path, format, dataset
        if path and path.exists() and path.is_file() and not overwrite:
            raise BadSettings(f"{shown(str(path))} is there already: {_ANEW}")
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
                for text in coco_document(lines, self._dataset, again):
                    write_stdout(text.encode())
            else:
                made = self._path.with_name(f".{self._path.name}.new")
                with made.open("wb") as file:
                    if self._format == "parquet":
                        parquet_file(lines, file)
                    else:
                        file.writelines(text.encode() for text in coco_document(lines, self._dataset, again))
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
        raise BadSettings("parquet needs pyarrow, which is not installed: pip install pyarrow") from error


def _scratch() -> Path:
    import tempfile

    descriptor, name = tempfile.mkstemp(suffix=_PART)
    os.close(descriptor)
    return Path(name)


def _read_json(path: Path, done: set[str]) -> tuple[int, dict[str, Any]]:
    """Adds the photos in a file of JSON lines to `done` -> how many of its bytes are whole lines, and `_made_by`."""
    good, last = 0, b"{}"
    with path.open("rb") as file:
        for line in file:
            name = _file_of(line)
            if name is None:
                if _BEGIN.startswith(line[: len(_BEGIN)]) and not line.endswith(b"\n"):
                    break  # the half line of a run that was stopped
                raise BadSettings(f"{shown(str(path))} is there, and is not made of this command's JSON lines: {_ANEW}")
            done.add(name)
            good, last = good + len(line), line
    return good, _made_by(json.loads(last))


def _made_by(answer: dict[str, Any]) -> dict[str, Any]:
    """What the photos of one file have to have in common: parts of answers that are not whole have nothing."""
    model = answer.get("model")
    if not isinstance(model, dict):
        return {}
    networks = (model, model.get("locator"))
    names = [str(one.get("sha256"))[:12] for one in networks if isinstance(one, dict)]
    return {"model": "+".join(names), "threshold": answer.get("threshold")}


def _file_of(line: bytes) -> str | None:
    if not line.endswith(b"\n"):
        return None
    try:
        found: Any = json.loads(line)
    except ValueError:
        return None
    name = found.get(FILE) if isinstance(found, dict) else None
    return name if isinstance(name, str) else None


def _read_csv(path: Path, first: bytes, done: set[str]) -> int:
    """Adds the photos in a table to `done` -> how many of its bytes hold whole photos."""
    good = 0
    long = first == first_line("csv").encode()
    with path.open("rb") as file:
        begin = file.readline()
        if begin != first:
            if first.startswith(begin):
                return 0  # stopped in its first line
            raise BadSettings(f"{shown(str(path))} is there, and is another table: {_ANEW}")
        good = len(first)
        for row, rows, size in _photos_in(file):
            if rows != max(1, int(row[1]) * (NUM_JOINTS if long else 1)):
                break  # the last rows of a run that was stopped
            done.add(row[0])
            good += size
    return good


def _photos_in(file: IO[bytes]) -> Iterator[tuple[list[str], int, int]]:
    """Rows of a table -> (a row, rows, bytes) for each photo in turn, without a half row at the end."""
    row: list[str] = []
    rows = size = 0
    for text in _rows(file):
        if not text.endswith(b"\n"):
            break
        found = next(csv.reader(io.StringIO(text.decode("utf-8", "replace"), newline="")))
        if rows and found[0] != row[0]:
            yield row, rows, size
            rows = size = 0
        row, rows, size = found, rows + 1, size + len(text)
    if rows:
        yield row, rows, size


def _rows(file: IO[bytes]) -> Iterator[bytes]:
    """Lines, joined where a quoted file name holds a line break."""
    row = b""
    for line in file:
        row += line
        if row.count(b'"') % 2 == 0:
            yield row
            row = b""
    if row:
        yield row
