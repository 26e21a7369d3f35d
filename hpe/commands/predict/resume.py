"""What a file of joints holds already, so that a run goes on where the one before it stopped."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from hpe.commands.predict.photos import shown
from hpe.errors import BadSettings
from hpe.photo.json_lines import FILE
from hpe.pose.skeleton import JOINTS, KEYPOINTS

REMEDY: Final = "give another name, or --overwrite to start it again"
_BEGIN: Final = b'{"file":'
_JOINTS: Final = (len(JOINTS), len(KEYPOINTS))


def kept_lines(path: Path, first: bytes, without: set[str]) -> Iterator[bytes]:
    """A file of joints without some photos, in pieces: JSON lines, or a table that begins with `first`."""
    with path.open("rb") as file:
        if not first:
            yield from (line for line in file if _file_of(line) not in without)
            return
        yield file.readline()
        yield from (row for row in _rows(file) if _cells(row)[0] not in without)


def read_json(path: Path, done: set[str]) -> tuple[int, dict[str, Any]]:
    """Adds the photos in a file of JSON lines to `done` -> how many of its bytes are whole lines, and `made_by`."""
    good, last = 0, b"{}"
    with path.open("rb") as file:
        for line in file:
            name = _file_of(line)
            if name is None:
                if _BEGIN.startswith(line[: len(_BEGIN)]) and not line.endswith(b"\n"):
                    break  # the half line of a run that was stopped
                raise BadSettings(
                    f"{shown(str(path))} is there, and is not made of this command's JSON lines: {REMEDY}"
                )
            done.add(name)
            good, last = good + len(line), line
    return good, made_by(json.loads(last))


def made_by(answer: dict[str, Any]) -> dict[str, Any]:
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


def read_csv(path: Path, first: bytes, done: set[str]) -> int:
    """Adds the photos in a table to `done` -> how many of its bytes hold whole photos."""
    with path.open("rb") as file:
        begin = file.readline()
        if begin != first:
            if first.startswith(begin):
                return 0  # stopped in its first line
            raise BadSettings(f"{shown(str(path))} is there, and is another table: {REMEDY}")
        long = b",joint," in first
        good, each = len(first), 0 if long else 1
        for photo in _photos_in(file, long):
            each = each or photo.each()
            if photo.rows != ([each] * photo.people or [1]):
                break  # the last rows of a run that was stopped
            done.add(photo.file)
            good += photo.size
    return good


@dataclass
class _Photo:
    """Rows of one photo in a table. rows: of each person. size: bytes."""

    file: str
    people: int
    rows: list[int]
    size: int

    def each(self) -> int:
        """Rows of a person, by the first photo of a table that holds any: a half person there is not a whole one."""
        return self.rows[0] if self.people and (len(self.rows) > 1 or self.rows[0] in _JOINTS) else 0


def _photos_in(file: IO[bytes], long: bool) -> Iterator[_Photo]:
    """Rows of a table -> its photos in turn, without a half row at the end."""
    photo: _Photo | None = None
    before: list[str] = []
    begin = ""
    for text in _rows(file):
        if not text.endswith(b"\n"):
            break
        row = _cells(text)
        person, joint = int(row[2]), row[4]
        if photo and long and row[:2] == before[:2] and person == int(before[2]) > 0 and joint != begin:
            photo.rows[-1] += 1
            photo.size += len(text)
        elif photo and row[:2] == before[:2] and person == int(before[2]) + 1 > 1:
            photo.rows.append(1)
            photo.size += len(text)
        else:  # another photo, or another one of this name, as standard input is called each time
            if photo:
                yield photo
            photo, begin = _Photo(row[0], int(row[1]), [1], len(text)), joint
        before = row
    if photo:
        yield photo


def _cells(row: bytes) -> list[str]:
    return next(csv.reader(io.StringIO(row.decode("utf-8", "replace"), newline="")))


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
