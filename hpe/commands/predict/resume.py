"""What a file of joints holds already, so that a run goes on where the one before it stopped."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

from hpe.commands.predict.photos import shown
from hpe.errors import BadSettings
from hpe.photo.formats import FORMATS
from hpe.photo.json_lines import FILE
from hpe.pose.skeleton import NUM_JOINTS

REMEDY: Final = "give another name, or --overwrite to start it again"
_BEGIN: Final = b'{"file":'


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
    good = 0
    long = first == FORMATS["csv"].header().encode()
    with path.open("rb") as file:
        begin = file.readline()
        if begin != first:
            if first.startswith(begin):
                return 0  # stopped in its first line
            raise BadSettings(f"{shown(str(path))} is there, and is another table: {REMEDY}")
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
