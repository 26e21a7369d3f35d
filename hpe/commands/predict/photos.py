"""What a user names on the command line -> the photos to read, one by one, however many there are."""

import glob
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import click

from hpe.image.kinds import HEAD_BYTES, KINDS, SUFFIXES, kind_of
from hpe.photo.formats import MARK

# macOS writes one beside each file on a foreign disk: a few bytes about it, under the photo's own suffix
_COMPANION: Final = "._"
STDIN: Final = "-"


class Photo(NamedTuple):
    """One photo to read.

    name: its path, or '-' for standard input. within: its path inside the folder that was named. alone: whether no
    other photo beside it has its name up to the suffix. problem: why there is nothing to read, '' otherwise.
    """

    name: str
    within: str
    alone: bool = True
    problem: str = ""


def shown(name: str) -> str:
    """A file's name as text that every encoding of Unicode takes: bytes that are no text as \\\\udc80 to \\\\udcff."""
    return name.encode("utf-8", "backslashreplace").decode()


def media_type(name: str) -> str:
    """A photo's media type by its suffix; '' for other suffixes."""
    return SUFFIXES.get(os.path.splitext(name)[1].lower(), "")


def sniffed(data: bytes) -> str:
    """A photo's media type by its first bytes; '' for what is not a photo."""
    kind = kind_of(data[:HEAD_BYTES])
    return KINDS[kind].media_type if kind else ""


def head_of(name: str) -> bytes:
    """The first bytes of a file; none if it cannot be read."""
    try:
        with open(name, "rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def find_photos(names: Sequence[str], left_out: Counter[str] | None = None) -> Iterator[Photo]:
    """Files, folders (searched through), globs and '-' -> photos in order, each once, as they are found.

    What names nothing comes as a Photo with a `problem`. left_out: counts what is passed over in folders, in words.
    """
    listings = _Listings(Counter() if left_out is None else left_out)
    seen: set[str] = set()
    for name in names:
        for photo in _expand(name, listings):
            known = photo.name if photo.problem or photo.name == STDIN else identity(photo.name)
            if known not in seen:
                seen.add(known)
                yield photo


@lru_cache(4096)
def _real_folder(folder: str, working: str) -> str:
    return os.path.realpath(os.path.join(working, folder))


def identity(name: str) -> str:
    """A photo's path without detours: the same however it is spelled, and whatever links lead to its folder."""
    return os.path.join(_real_folder(os.path.dirname(name), os.getcwd()), os.path.basename(name))


def named(photos: tuple[str, ...], file: str | None) -> tuple[str, ...]:
    """What is named on the command line and in the file of --from. Raises click.UsageError if that is nothing."""
    if not photos and file is None:
        raise click.UsageError("Missing argument 'PHOTO...': give photos, folders or patterns, or --from FILE")
    return (*photos, *(_names_in(file) if file is not None else ()))


def _names_in(file: str) -> list[str]:
    """The names in a file, '-' for standard input: one a line, or between zero bytes; of JSON lines their "file".

    Raises click.UsageError for a file that cannot be read, or is none of these.
    """
    try:
        data = click.get_binary_stream("stdin").read() if file == STDIN else Path(file).read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise click.UsageError(f"--from {shown(file)}: {why}") from error
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\0" if b"\0" in data else b"\n")
    names = [line if b"\0" in data else line.rstrip(b"\r") for line in lines]
    try:
        found = [_listed(name) for name in names if name]
    except (ValueError, TypeError) as error:
        raise click.UsageError(f"--from {shown(file)}: a line of JSON in it is cut off or damaged: {error}") from error
    if not found:
        raise click.UsageError(f"--from {shown(file)}: it names no photo: give names, one a line")
    return found


def _listed(line: bytes) -> str:
    """A line of a list -> a name. Raises ValueError, TypeError, KeyError."""
    if not line.startswith(b'{"file":'):
        return os.fsdecode(line)
    name = str(json.loads(line)["file"])
    # bytes that are no text, as `shown` has them
    return re.sub(r"\\udc([89a-f][0-9a-f])", lambda found: chr(0xDC00 + int(found[1], 16)), name)


def _expand(name: str, listings: "_Listings") -> Iterator[Photo]:
    if name == STDIN:
        yield Photo(name, "stdin")
    elif not name:
        yield Photo(name, "", problem="an empty name: give a photo, a folder or a pattern")
    elif os.path.isdir(name):
        yield from _or_problem(name, _in_folder(name, "", listings))
    elif os.path.lexists(name) or not glob.has_magic(name):
        # one that does not exist is reported when it is read
        yield Photo(name, os.path.basename(name), listings.alone(name))
    else:
        matches = sorted(glob.iglob(name, recursive=True))
        yield from _or_problem(name, (photo for match in matches for photo in _expand(match, listings)))


def _or_problem(name: str, photos: Iterable[Photo]) -> Iterator[Photo]:
    empty = True
    for photo in photos:
        empty = False
        yield photo
    if empty:
        yield Photo(name, "", problem=f"no photos in it: looked for {' '.join(SUFFIXES)}")


def _in_folder(folder: str, within: str, listings: "_Listings") -> Iterator[Photo]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Photo(folder, within, problem=error.strerror or str(error))
        return
    stems = Counter(stem for entry in entries if (stem := _stem(entry.name)))
    inside = os.path.join(within, "")
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _in_folder(entry.path, inside + entry.name, listings)
        elif (stem := _stem(entry.name)) and entry.is_file():
            yield Photo(entry.path, inside + entry.name, stems[stem] == 1)
        elif "." not in entry.name and entry.is_file() and sniffed(head_of(entry.path)):
            yield Photo(entry.path, inside + entry.name, entry.name.casefold() not in stems)
        elif why := _why_not(entry):
            listings.left_out[why] += 1


def _why_not(entry: "os.DirEntry[str]") -> str:
    """Why a file is left out that a user may expect to be processed; '' for other files."""
    if entry.is_symlink() and entry.is_dir():
        return "linked folder"
    if not media_type(entry.name):
        return ""
    if entry.name.startswith(_COMPANION):
        return "companion file of macOS (._*)"
    if os.path.splitext(entry.name)[0].endswith(MARK):
        return f"earlier result (*{MARK}.*)"
    return "" if entry.is_file() else "broken link or device"


def _stem(name: str) -> str:
    """A photo's name up to its suffix, as file systems compare names that do not tell capitals apart; '' for others."""
    stem, _, suffix = name.rpartition(".")
    if f".{suffix}".lower() not in SUFFIXES or stem.endswith(MARK) or name.startswith(_COMPANION):
        return ""
    return stem.casefold()


class _Listings:
    """Which photos lie beside one that was named on its own; remembers the last folder.

    left_out: what folders hold besides.
    """

    def __init__(self, left_out: Counter[str]) -> None:
        self.left_out = left_out
        self._folder: str | None = None
        self._stems: Counter[str] = Counter()

    def alone(self, name: str) -> bool:
        """Whether no other photo in its folder has the same name up to the suffix."""
        folder = os.path.dirname(name) or "."
        if folder != self._folder:
            try:
                with os.scandir(folder) as entries:
                    self._stems = Counter(_stem(entry.name) for entry in entries)
            except OSError:
                self._stems = Counter()
            self._folder = folder
        stem = _stem(os.path.basename(name))
        return not stem or self._stems[stem] <= 1
