"""Where results go: beside the photos, into a folder, a file, or standard output. Never over a photo."""

import contextlib
import glob
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hpe.commands.predict.photos import STDIN, Photo, media_type, shown
from hpe.photo.formats import BY_SUFFIX, FORMATS, MARK, known

if TYPE_CHECKING:
    from hpe.commands.predict.records import Records

# of UTF-8: what Excel needs to read a table as such
BOM: Final = b"\xef\xbb\xbf"


def choose_format(format: str | None, out: str | None) -> str:
    """--format, else what OUT's ending says, else png. Raises click.UsageError for an ending that says nothing."""
    if format:
        return known(format) or format
    if out is None or out == STDIN or is_folder(out):
        return "png"
    suffix = os.path.splitext(out)[1]
    if not suffix:
        return "png"  # /dev/stdout, a named pipe
    if suffix.lower() not in BY_SUFFIX:
        raise click.UsageError(
            f"{shown(out)} ends in {suffix!r}, which is not a format: give one of {' '.join(BY_SUFFIX)}, or --format "
            f"with one of {', '.join(FORMATS)}; a new folder's name ends in /"
        )
    return BY_SUFFIX[suffix.lower()]


def is_folder(out: str) -> bool:
    """Whether `-o OUT` means a folder: it is one, it ends in a slash, or its name has no suffix and is not taken."""
    if out.endswith(("/", os.sep)) or os.path.isdir(out):
        return True
    return out != STDIN and not os.path.lexists(out) and not os.path.splitext(out)[1]


@dataclass(frozen=True)
class Targets:
    """Which file each photo's result goes to. own: each has its own; otherwise all go to `out`.

    out: as given with -o, None for none.
    """

    format: str
    out: str | None
    own: bool


def choose_targets(format: str, out: str | None, several: bool, piped: bool) -> Targets:
    """What is asked for -> where results go. several: photos; piped: the photo comes from standard input.

    Raises click.UsageError for what cannot be, before any work.
    """
    folder = out is not None and out != STDIN and is_folder(out)
    row = FORMATS[format]
    to_stdout = out == STDIN or (out is None and (not row.single or piped))
    if row.document and folder:
        raise click.UsageError(f"{format} is one file for all photos: give a file's name with -o")
    if format == "parquet" and to_stdout:
        raise click.UsageError("parquet is not text: give a file's name, like -o joints.parquet")
    if row.single and several and out is not None and not folder:
        where = "standard output holds" if to_stdout else f"{shown(out)} is one file and holds"
        raise click.UsageError(f"{where} one photo's {format}, and there are more photos: give a folder, like -o out/")
    if row.drawn and to_stdout and sys.stdout is not None and sys.stdout.isatty():
        raise click.UsageError(f"a {format} is not text for a terminal: add -o NAME, or > NAME")
    if to_stdout:
        return Targets(format, STDIN, own=False)
    return Targets(format, out, own=folder or (out is None and row.single))


class Namer:
    """Photos in order -> the names of their results, no name twice: the same photos get the same names again.

    photos: what the user named, none of which may be overwritten. records: set it, and results that earlier runs named
    keep their names.
    """

    records: "Records | None" = None

    def __init__(self, targets: Targets, photos: Sequence[str]) -> None:
        self._targets, self._ending = targets, FORMATS[targets.format].ending
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        # a photo named like a result is the only one that a result's name can hit
        self._sources = {os.path.realpath(name) for name in photos if _looks_like_result(name)}
        if not targets.own:
            refuse_overwriting(targets.out or STDIN, photos)

    def target(self, photo: Photo) -> str:
        """The file of this photo's result, '-' for standard output. Raises click.UsageError if it is a photo."""
        if not self._targets.own or photo.name == STDIN:
            return self._targets.out or STDIN
        out = self._targets.out
        target = self._earlier(photo) or self._free(photo, os.path.join(out, photo.within) if out else photo.name)
        if self._sources and os.path.realpath(target) in self._sources:
            raise click.UsageError(
                f"this would overwrite the photo {shown(target)}: give another name or folder with -o"
            )
        return target

    def _earlier(self, photo: Photo) -> str:
        """The name that an earlier run gave to this photo's result; '' if none did."""
        record = self.records.of(photo) if self.records else None
        entry = record.find(photo.name) if record else None
        if self.records is None or entry is None:
            return ""
        target = os.path.join(self.records.folder(photo), entry.result)
        self._taken.add(target.casefold())
        return target

    def _free(self, photo: Photo, near: str) -> str:
        """a.jpg -> a.pose.png; with an a.png beside it a.jpg.pose.png; a second a.jpg -> a.jpg-2.pose.png."""
        ending = self._ending
        if photo.alone and self._take(photo, name := os.path.splitext(near)[0] + ending):
            return name
        number = self._numbers.get(near.casefold(), 1)
        while not self._take(photo, name := f"{near}{f'-{number}' if number > 1 else ''}{ending}"):
            number += 1
        self._numbers[near.casefold()] = number
        return name

    def _take(self, photo: Photo, name: str) -> bool:
        key = name.casefold()
        record = self.records.of(photo) if self.records else None
        if key in self._taken or (record and record.is_of_another(name)):
            return False
        self._taken.add(key)
        return True


def _looks_like_result(name: str) -> bool:
    return os.path.splitext(name)[0].endswith(MARK) or name.endswith("_keypoints.json")


def refuse_overwriting(out: str, photos: Sequence[str]) -> None:
    """Raise click.UsageError if the file OUT is one of the photos, or lies among them in a folder."""
    if out == STDIN or not os.path.isfile(out):
        return
    real = os.path.realpath(out)
    for name in photos:
        if os.path.isdir(name):
            inside = media_type(out) and not _looks_like_result(out)
            hit = bool(inside) and real.startswith(os.path.realpath(name).rstrip(os.sep) + os.sep)
        else:
            # a pattern that the shell left alone stands for what it matches
            named = [name] if os.path.lexists(name) else glob.iglob(name, recursive=True)
            hit = any(os.path.realpath(match) == real for match in named)
        if hit:
            raise click.UsageError(
                f"this would overwrite the photo {shown(name if os.path.isfile(name) else out)}: "
                "give another name or folder with -o"
            )


def write_file(target: str, data: bytes) -> None:
    """All of it or nothing: a stopped command leaves no half results. '-' is standard output.

    Raises OSError that names the folder.
    """
    path = Path(target)
    if target == STDIN:
        write_stdout(data)
    elif os.path.exists(target) and not os.path.isfile(target):  # /dev/stdout, a named pipe
        path.write_bytes(data)
    else:
        try:
            _write_whole(path, data)
        except OSError as error:
            raise OSError(error.errno, f"cannot be written into {shown(str(path.parent))}: {error.strerror}") from error


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # a short name: with the result's own it could be longer than file systems allow
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=".hpe-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        with contextlib.suppress(OSError):  # network mounts refuse it, and the file is as good without
            Path(part).chmod(0o666 & ~_umask())
        Path(part).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(part).unlink()
        raise


def write_stdout(data: bytes) -> None:
    """Bytes as they are: a terminal's encoding cannot stop them."""
    stdout = click.get_binary_stream("stdout")
    stdout.write(data)
    stdout.flush()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
