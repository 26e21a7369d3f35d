"""Results on their way out: whole files or none, and standard output as it is."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

import click

from hpe.commands.predict.photos import STDIN, shown

# of UTF-8: what Excel needs to read a table as such
BOM: Final = b"\xef\xbb\xbf"


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
