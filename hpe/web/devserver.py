"""The local server: the website and the API from one port, through the code that Lambda runs."""

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from hpe.errors import BadSettings, HpeError
from hpe.settings import Settings
from hpe.web.api import EstimatorSource, handle, route_of
from hpe.web.connection import Connection
from hpe.web.messages import Request, Response
from hpe.web.record import LOGGER, log_to_stderr
from hpe.web.slots import Slots
from hpe.web.source import EstimatorSource as ModelSource
from hpe.web.static import site_response

_CONNECTIONS: Final = 128
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def serve(port: int, settings: Settings, static_dir: Path, host: str = "127.0.0.1") -> None:
    """Serve until Ctrl-C or SIGTERM, then answer what has been asked. Raises BadSettings where the port is taken."""
    source = ModelSource(settings)
    server = DevServer((host, port), source, settings, static_dir)
    log_to_stderr(settings.log_level)
    threading.Thread(target=source.warm, daemon=True).start()
    sys.stderr.write(f"Serving on {server.url} (Ctrl-C stops)\n")
    sys.stderr.flush()
    with server, _stop_on_signals(server):
        server.serve_forever(poll_interval=0.1)
        server.close_idle()
    sys.stderr.write("Stopped.\n")


class DevServer(ThreadingHTTPServer):
    """A thread a connection. Leaving `with` waits for the requests that are being answered."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], source: EstimatorSource, settings: Settings, static_dir: Path) -> None:
        self.source, self.settings, self.static_dir = source, settings, static_dir
        self.slots = Slots(settings.concurrent or len(os.sched_getaffinity(0)), settings.queue)
        self.connections: set[Connection] = set()
        self.stopping = False
        self._places = threading.BoundedSemaphore(_CONNECTIONS)
        try:
            super().__init__(address, Connection)
        except OSError as error:
            raise _no_port(address, error) from error

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"

    def answer(self, request: Request) -> Response:
        """One request -> its response: the API's, or a file of the website."""
        if not route_of(request.path.rstrip("/")) and request.method in ("GET", "HEAD"):
            return site_response(self.static_dir, request.path, request.headers, self.settings)
        if request.method == "POST" and request.path.rstrip("/") == "/pose":
            with self.slots.taken():
                return handle(request, self.source, self.settings)
        return handle(request, self.source, self.settings)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A new connection -> its thread, while there are not too many."""
        if not self._places.acquire(blocking=False):
            with contextlib.suppress(OSError):
                request.sendall(_FULL)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """All of one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            LOGGER.exception("a connection ended in an error")

    def close_idle(self) -> None:
        """Hang up on clients that only keep their connection open; those with a request get their answer first."""
        self.stopping = True
        for connection in list(self.connections):
            if not connection.busy:
                connection.hang_up()


class _stop_on_signals:  # noqa: N801 (used as a function)
    """SIGTERM and Ctrl-C stop the server while a `with` block runs; only the main thread can listen to them."""

    def __init__(self, server: DevServer) -> None:
        self._server = server
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._stop)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, *_: object) -> None:
        # shutdown waits for serve_forever, which runs in this very thread
        stop: Callable[[], None] = self._server.shutdown
        threading.Thread(target=stop, daemon=True).start()


def _no_port(address: tuple[str, int], error: OSError) -> HpeError:
    host, port = address
    if error.errno == errno.EADDRINUSE:
        return BadSettings(f"port {port} is taken by another program: stop it, or choose another port (0 for any)")
    if error.errno == errno.EACCES:
        return BadSettings(f"port {port} is reserved for the system: choose one above 1023 (0 for any)")
    return BadSettings(f"cannot listen on {host}:{port} ({error.strerror}): give an address of this machine")
