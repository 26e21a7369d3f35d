"""Waitress with what it leaves open: deadlines, refusals as problem details, and a stop that sends every answer."""

import socket
import time
import uuid
from typing import Any, Final

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher
from waitress.utilities import InternalServerError, RequestEntityTooLarge, RequestHeaderFieldsTooLarge
from waitress.wasyncore import close_all, dispatcher, loop

from hpe.errors import BadRequest, HeadersTooLarge, HpeError, RequestTimeout, TooLarge
from hpe.server.app import App, max_body_bytes, status_line
from hpe.settings import Settings
from hpe.web.api import refuse
from hpe.web.messages import Request, Response
from hpe.web.problems import internal

_HEADER_BYTES: Final = 65_536
_CHUNK: Final = 1 << 18
_LINGER_S: Final = 5.0
_STOP_S: Final = 25.0


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """A request that is refused for its head is complete: no `100 Continue` may ask for the rest of it."""

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.error:
            self.expect_continue = False
        return consumed


class _Refusal(ErrorTask):  # type: ignore[misc]
    """What never reaches the application, answered in the API's own form."""

    def execute(self) -> None:
        response = self._response()
        self.status = status_line(response.status)
        self.response_headers.extend(response.headers.items())
        self.set_close_on_finish()
        self.content_length = len(response.body)
        self.write(response.body)
        self.channel.linger()

    def _response(self) -> Response:
        parsed, settings = self.request, self.channel.server.settings
        if isinstance(parsed.error, InternalServerError):
            return internal()
        error = parsed.error if isinstance(parsed.error, HpeError) else BadRequest(str(parsed.error.body))
        if isinstance(parsed.error, RequestEntityTooLarge):
            limit = max_body_bytes(settings)
            sent = f"{parsed.content_length:,} bytes" if parsed.content_length else "the body is too large"
            error = TooLarge(f"{sent}; the limit is {limit:,}: send a smaller photo", limit=limit)
        if isinstance(parsed.error, RequestHeaderFieldsTooLarge):
            error = HeadersTooLarge(
                f"the request's address and headers are larger than {_HEADER_BYTES:,} bytes, which is the limit: send "
                "fewer or shorter ones, and the photo in the body",
                limit=_HEADER_BYTES,
            )
        headers = {"origin": parsed.headers.get("ORIGIN", "")}
        method, path = getattr(parsed, "command", ""), getattr(parsed, "path", "")
        return refuse(Request(method, path, {}, headers, b"", uuid.uuid4().hex[:12]), error, settings)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection. It has a deadline for each request, and after a refusal it still takes what the client sends."""

    parser_class = _Parser
    error_task_class = _Refusal
    request: HTTPRequestParser | None
    _timed: HTTPRequestParser | None = None
    _began_s = 0.0
    _lingers_until_s = 0.0
    _lingering = False

    @property
    def busy(self) -> bool:
        """Whether an answer is being worked out or sent."""
        return bool(self.requests or self.total_outbufs_len)

    def received(self, data: bytes) -> bool:
        """Bytes from the client -> whether they were taken."""
        taken: bool = super().received(data)
        if self.request is not self._timed:
            self._timed, self._began_s = self.request, time.monotonic()
        return taken

    def keep_time(self, idle_s: float, silent_s: float, request_s: float) -> None:
        """Hang up on a client that asks for nothing; refuse a request that falls silent, or takes too long."""
        if self._lingering:
            self.will_close = time.monotonic() > self._lingers_until_s
            return
        quiet_s = time.time() - self.last_activity
        with self.requests_lock:
            if self.requests:
                return
            request = self.request
            if request is None:
                self.will_close = self.will_close or quiet_s > idle_s
            elif quiet_s > silent_s or time.monotonic() - self._began_s > request_s:
                request.error = RequestTimeout(
                    f"the request did not arrive whole within {request_s:g} s, or nothing came for {silent_s:g} s: "
                    "try again, over a faster connection or with a smaller photo"
                )
                request.completed, self.request = True, None
                self.requests.append(request)
                self.server.add_task(self)

    def linger(self) -> None:
        """After the answer that is being sent, read and drop what still comes: after a close it might never be read."""
        self._lingers_until_s = time.monotonic() + _LINGER_S

    def readable(self) -> bool:
        if self._lingering:
            return not self.will_close
        return not self.server.stopping and bool(super().readable())

    def handle_read(self) -> None:
        if not self._lingering:
            super().handle_read()
        elif not self.recv(_CHUNK):
            self.will_close = True

    def handle_close(self) -> None:
        if self._lingers_until_s and not self._lingering and self.connected:
            self._lingering, self.will_close = True, False
            try:
                self.socket.shutdown(socket.SHUT_WR)
                return
            except OSError:  # it has gone
                pass
        super().handle_close()


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Serves an App on a bound socket until `stop`; `run` then ends when all that was asked has been answered."""

    channel_class = _Channel

    def __init__(self, app: App, settings: Settings, listening: socket.socket, threads: int, **limits: float) -> None:
        """limits: idle_s without a byte, request_s for a whole request, connections at once."""
        self.settings, self.stopping = settings, False
        self.idle_s, self.request_s = limits.pop("idle_s", 30.0), limits.pop("request_s", 120.0)
        largest = max_body_bytes(settings)
        adjustments = Adjustments(
            sockets=[listening],
            threads=threads,
            connection_limit=int(limits.pop("connections", 0)) or max_connections(),
            max_request_header_size=_HEADER_BYTES,
            max_request_body_size=largest + 1,
            # in memory: a temporary file could not be opened on a full disk
            inbuf_overflow=largest + _CHUNK,
            outbuf_overflow=1 << 30,
            recv_bytes=_CHUNK,
            cleanup_interval=1,
            asyncore_use_poll=True,
            log_socket_errors=False,
            ident="hpe",
        )
        threads_pool = ThreadedTaskDispatcher()
        threads_pool.set_thread_count(threads)
        self._all: dict[int, Any] = {}
        address = (listening.family, listening.type, listening.proto, listening.getsockname())
        super().__init__(app, self._all, True, listening, threads_pool, adjustments, address, bind_socket=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        host = f"[{self.effective_host}]" if ":" in self.effective_host else self.effective_host
        return f"http://{host}:{self.effective_port}/"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.effective_port)

    def maintenance(self, now: float) -> None:
        """Called every second. While every place is taken, nobody keeps one without asking for something."""
        idle_s = min(self.idle_s, 1.0) if self.in_connection_overflow else self.idle_s
        for channel in list(self.active_channels.values()):
            channel.keep_time(idle_s, self.idle_s, self.request_s)

    def stop(self) -> None:
        """End `run`; may be called from a signal handler or another thread."""
        if not self.stopping:
            self.stopping = True
            self.pull_trigger()

    def run(self) -> None:
        """Serve until `stop`, then send the answers to what has been asked."""
        while not self.stopping:
            loop(1.0, use_poll=True, map=self._all, count=1)
        dispatcher.close(self)  # the listening socket alone
        until = time.monotonic() + _STOP_S
        while time.monotonic() < until and any(channel.busy for channel in list(self.active_channels.values())):
            loop(0.1, use_poll=True, map=self._all, count=1)
        self.task_dispatcher.shutdown(timeout=1)
        close_all(self._all)


def max_connections(most: int = 256) -> int:
    """Connections at once: half of the files that this process may open, so that it never lacks one."""
    try:
        import resource
    except ImportError:  # Windows
        return most
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return most if allowed < 0 else max(1, min(most, allowed // 2))
