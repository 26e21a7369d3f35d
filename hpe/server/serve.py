"""`hpe serve`: the website and the API from one port of this machine."""

import contextlib
import errno
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hpe.cores import usable_cores
from hpe.errors import BadSettings
from hpe.server.app import App
from hpe.server.arena import share_one_arena
from hpe.server.http import Server
from hpe.settings import Settings
from hpe.web.api import EstimatorSource
from hpe.web.request_log import LOGGER, log_to_stderr
from hpe.web.source import EstimatorSource as ModelSource

_BACKLOG: Final = 64
# For the website, for /health and for refusals, while every other thread holds a photo or waits with one.
_SPARE_THREADS: Final = 4
_WARMING_S: Final = 30.0


def serve(port: int, settings: Settings, static_dir: Path, host: str = "127.0.0.1") -> None:
    """Serve until Ctrl-C or SIGTERM, then answer what has been asked. Raises BadSettings if it cannot listen there."""
    share_one_arena()
    source = ModelSource(settings)
    server = make_server(source, settings, static_dir, listen(host, port))
    log_to_stderr(settings.log_level)
    for name in ("waitress", "waitress.queue"):  # a full queue is no news; an error is, in our own form
        logging.getLogger(name).setLevel(logging.ERROR)
        logging.getLogger(name).handlers[:] = LOGGER.handlers
        logging.getLogger(name).propagate = False
    warming = threading.Thread(target=source.warm, daemon=True)
    warming.start()
    with _stopping_on_signals(server):
        sys.stderr.write(f"Serving on {server.url} (Ctrl-C stops)\n")
        sys.stderr.flush()
        server.run()
    # a process that ends while onnxruntime loads a model in another thread is aborted by it
    warming.join(timeout=_WARMING_S)
    sys.stderr.write("Stopped.\n")


def make_server(
    source: EstimatorSource, settings: Settings, static_dir: Path, listening: socket.socket, **limits: float
) -> Server:
    """The server on a socket of `listen`, not running yet. limits: as Server has them."""
    concurrent = settings.concurrent or usable_cores()
    app = App(source, settings, static_dir, concurrent)
    return Server(app, settings, listening, concurrent + settings.queue + _SPARE_THREADS, **limits)


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to an IPv4 or IPv6 address or name, port 0 for any free one. Raises BadSettings."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise BadSettings(f"{host!r} is not an address: give one of this machine, like 127.0.0.1 or ::1") from error
    found = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":  # there it would share the port with another program
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise _cannot_listen(host, port, error) from error
    return found


def _cannot_listen(host: str, port: int, error: OSError) -> BadSettings:
    if error.errno == errno.EADDRINUSE:
        return BadSettings(f"port {port} is taken by another program: stop it, or choose another port (0 for any)")
    if error.errno == errno.EACCES:
        return BadSettings(f"port {port} is reserved for the system: choose one above 1023 (0 for any)")
    return BadSettings(f"cannot listen on {host}, port {port} ({error.strerror}): give an address of this machine")


@contextlib.contextmanager
def _stopping_on_signals(server: Server) -> Iterator[None]:
    """SIGTERM and Ctrl-C stop the server while a block runs; only the main thread can listen to them."""
    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, lambda *_: server.stop())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
