"""Where results go, by the words of the command: beside the photos, into a folder, a file, or standard output."""

import os
import sys
from dataclasses import dataclass

import click

from hpe.commands.predict.photos import STDIN, shown
from hpe.photo.formats import BY_SUFFIX, FORMATS, known


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
