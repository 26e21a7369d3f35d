"""Standard error for Python alone: what C libraries print about odd photos reaches neither the log nor the terminal."""

import io
import os
import sys

_STDERR_FILENO = 2


def silence_libraries() -> None:
    """Give `sys.stderr` a descriptor of its own, and leave descriptor 2 to those who print there without being asked.

    libtiff has 6,222 lines for one fax of 400 kB, libjpeg one for each damaged place, and neither can be told otherwise
    from here. Does nothing if `sys.stderr` is not descriptor 2, as after the first call.
    """
    try:
        if sys.stderr is None or sys.stderr.fileno() != _STDERR_FILENO:
            return
        sys.stderr.flush()
        own = os.dup(_STDERR_FILENO)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR_FILENO)
        os.close(nowhere)
    except (OSError, ValueError, io.UnsupportedOperation):  # closed, or in memory
        return
    sys.stderr = os.fdopen(own, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
