"""The record of an output: which photos it was made of, as they were, with which options. One run holds it at a time.

A hidden file beside the output, or in its folder. Lines of JSON: {"options"} for the entries that follow, and for each
photo [path relative to the record's folder, size, time of change in ns, result].
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from hpe.commands.predict.lock import hold
from hpe.commands.predict.photos import identity, shown
from hpe.errors import BadSettings

Options = dict[str, Any]
_NONE: Final[Options] = {}


class Stamp(NamedTuple):
    """What tells whether a photo is as it was: bytes, and ns since 1970 of its last change."""

    size: int
    changed_ns: int


class Entry(NamedTuple):
    """One photo of an output. result: its file relative to the record's folder, or its name in the one file."""

    photo: str
    stamp: Stamp
    result: str
    options: Options


def stamp_of(name: str) -> Stamp | None:
    """None for a file that is not there, or cannot be looked at."""
    try:
        found = os.stat(name)
    except (OSError, ValueError):
        return None
    return Stamp(found.st_size, found.st_mtime_ns)


class Record:
    """Held until it is closed. Entries of the same photo: the last one counts."""

    def __init__(self, path: Path, output: str) -> None:
        """output: as the user named it. Raises BadSettings if another run holds it or it is something else, OSError."""
        self._new_folder = not path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._root = path, os.path.realpath(path.parent)
        self._file: IO[bytes] = hold(path, output)
        self._entries: dict[str, Entry] = {}
        self._owners: dict[str, str] = {}
        self.options: Options = _NONE
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def _read(self) -> None:
        self._file.seek(0)
        whole = 0
        for line in self._file.readlines():
            if not line.endswith(b"\n"):
                break  # of a run that was killed
            whole += len(line)
            try:
                found = json.loads(line)
                if isinstance(found, dict):
                    self.options = dict(found["options"])
                else:
                    photo, size, changed_ns, result = found
                    self._keep(Entry(photo, Stamp(size, changed_ns), result, self.options))
            except (ValueError, TypeError, KeyError) as error:
                raise BadSettings(
                    f"{shown(str(self._path))} is not a record of this command: move it away, and check what is there"
                ) from error
        self._file.truncate(whole)

    def _keep(self, entry: Entry) -> None:
        self._entries[entry.photo] = entry
        self._owners[entry.result.casefold()] = entry.photo

    def _within(self, path: str) -> str:
        try:
            return os.path.relpath(path, self._root)
        except ValueError:  # another drive
            return path

    def find(self, photo: str) -> Entry | None:
        """The entry of a photo, by its name in any spelling."""
        return self._entries.get(self._within(identity(photo)))

    def owner(self, result: str) -> Entry | None:
        """The entry of a result, by the name that it has in the record."""
        photo = self._owners.get(result.casefold())
        return None if photo is None else self._entries[photo]

    def result(self, target: str) -> str:
        """A result's file -> its name in the record."""
        return self._within(os.path.realpath(target))

    def is_of_another(self, target: str) -> bool:
        """Whether a file is the result of a photo that is still there; whose name is sought has no entry."""
        entry = self.owner(self.result(target)) if self._entries else None
        return entry is not None and os.path.lexists(os.path.join(self._root, entry.photo))

    def begin(self, options: Options) -> None:
        """What follows is made with these. Raises OSError."""
        if options != self.options:
            self.options = options
            self._write({"options": options})

    def add(self, photo: str, stamp: Stamp, result: str) -> None:
        """One photo more is in the output. Raises OSError."""
        entry = Entry(self._within(identity(photo)), stamp, result, self.options)
        self._keep(entry)
        self._write([entry.photo, *stamp, result])

    def _write(self, line: Any) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def clear(self) -> None:
        """The output is made from its beginning. Raises OSError."""
        self._file.truncate(0)
        self._entries.clear()
        self._owners.clear()
        self.options = _NONE

    def close(self) -> None:
        """Let others in. The record stays, if there is anything in it, and so does a folder that was made for it."""
        if not self._file.closed and not self._entries and not self.options:
            self.remove()
            if self._new_folder:
                with suppress(OSError):  # there is something else in it
                    self._path.parent.rmdir()
        self._file.close()

    def remove(self) -> None:
        """The output is whole, and nothing is added to it any more."""
        with suppress(OSError):  # Windows keeps what is open
            self._path.unlink(missing_ok=True)
        self._file.close()
