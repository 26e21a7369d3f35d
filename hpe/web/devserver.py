"""The local server: the website and the API from one port, through the code that Lambda runs."""

import contextlib
import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from hpe.errors import BadSettings, Busy, HpeError
from hpe.settings import Settings
from hpe.web.allocator import one_heap
from hpe.web.api import EstimatorSource, handle, route_of
from hpe.web.connection import Connection
from hpe.web.messages import Request, Response
from hpe.web.problems import problem
from hpe.web.record import LOGGER, log_to_stderr
from hpe.web.slots import Slots
from hpe.web.source import EstimatorSource as ModelSource
from hpe.web.static import site_response

_CONNECTIONS: Final = 128
_WARMING_S: Final = 10.0
_NO_FILES: Final = (errno.EMFILE, errno.ENFILE)


def serve(port: int, settings: Settings, static_dir: Path, host: str = "127.0.0.1") -> None:
    """Serve until Ctrl-C or SIGTERM, then answer what has been asked. Raises BadSettings where the port is taken."""
    one_heap()
    source = ModelSource(settings)
    server = DevServer((host, port), source, settings, static_dir)
    log_to_stderr(settings.log_level)
    warming = threading.Thread(target=source.warm, daemon=True)
    warming.start()
    sys.stderr.write(f"Serving on {server.url} (Ctrl-C stops)\n")
    sys.stderr.flush()
    with server, _stop_on_signals(server):
        server.serve_forever(poll_interval=0.1)
        server.close_idle()
    # a process that ends while onnxruntime loads a model in another thread is aborted by it
    warming.join(timeout=_WARMING_S)
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
        self._spare = socket.socket()  # given up for a moment to refuse a client when no other file can be opened
        try:
            super().__init__(address, Connection)
        except OSError as error:
            self._spare.close()
            raise _no_port(address, error) from error

    def server_close(self) -> None:
        """Stop listening, and wait for the connections' threads."""
        try:
            super().server_close()
        except RuntimeError:  # among the threads to wait for was one that could not be started: now the others
            super().server_close()
        self._spare.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}/"

    def answer(self, request: Request) -> Response:
        """One request -> its response: the API's, or a file of the website."""
        if not route_of(request.path.rstrip("/")) and request.method in ("GET", "HEAD"):
            try:
                return site_response(self.static_dir, request.path, request.headers, self.settings)
            except OSError as error:
                raise Busy("the website's files cannot be read at the moment", retry_after_s=2) from error
        if request.method == "POST" and request.path.rstrip("/") == "/pose":
            with self.slots.taken():
                return handle(request, self.source, self.settings)
        return handle(request, self.source, self.settings)

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection. Where no file is free for it, it is refused: left waiting, it would keep us busy."""
        try:
            return super().get_request()
        except OSError as error:
            if error.errno in _NO_FILES:
                self._refuse_next()
            raise

    def _refuse_next(self) -> None:
        self._spare.close()
        try:
            self._refuse(self.socket.accept()[0], "open files")
            self._spare = socket.socket()
        except OSError:  # somebody was faster: do not ask again at once
            time.sleep(0.05)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A new connection -> its thread, while there are not too many."""
        if not self._places.acquire(blocking=False):
            self._refuse(request, "connections")
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started now
            self._places.release()
            self._refuse(request, "threads")

    def _refuse(self, request: socket.socket, lacks: str) -> None:
        """503 without a thread: nothing here may wait for the client."""
        answer = problem(Busy(f"this server is out of {lacks} for the moment", retry_after_s=2))
        headers = {**answer.headers, "Content-Length": str(len(answer.body)), "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        request.setblocking(False)
        with contextlib.suppress(OSError):
            request.sendall(f"HTTP/1.1 503 Service Unavailable\r\n{lines}\r\n".encode() + answer.body)
        with contextlib.suppress(OSError):
            request.recv(65_536)  # unread, it would make of the close a reset, and lose the answer
        self.shutdown_request(request)

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
