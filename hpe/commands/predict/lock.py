"""One run at a time into one output: a lock that ends with the process that holds it, however that ends."""

import errno
import os
import sys
from pathlib import Path
from typing import IO

import click

from hpe.commands.predict.photos import shown
from hpe.errors import BadSettings

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
# far behind what is written: on Windows nobody else can read the locked byte
_BYTE = 1 << 30


def hold(path: Path, output: str) -> IO[bytes]:
    """Open a file, made if need be, to read and to append, and lock it until it is closed.

    output: what it stands for, for the message. Raises BadSettings if another process holds it, OSError.
    """
    while True:
        file = path.open("a+b", buffering=0)
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _HELD:
                file.close()
                raise BadSettings(
                    f"another run is writing into {shown(output)}: wait until it is done, or give another place with -o"
                ) from error
            click.echo(
                f"hpe: {shown(output)} cannot be locked ({error.strerror}): start no second run into it", err=True
            )
        # who held it until now may have removed it
        if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
        file.close()


def _lock(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        # of this process alone: processes that it starts do not keep the lock when it is killed
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
