"""One client's connection to the local server: HTTP in, an answer, HTTP out, and nothing that a client can hang."""

import contextlib
import re
import socket
import time
import uuid
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from hpe.errors import BadRequest, HpeError, LengthRequired, MethodNotAllowed, TooLarge
from hpe.settings import LAMBDA_BODY_BYTES
from hpe.web.api import refuse
from hpe.web.messages import Request, Response

if TYPE_CHECKING:
    from hpe.web.devserver import DevServer

# A form's own bytes, over those of the photo in it.
FORM_BYTES: Final = 100_000
# Read and thrown away before a refusal: a client that is still sending would not read the answer.
_DRAIN_BYTES: Final = 64_000_000
_DRAIN_S: Final = 5.0
_BODY_S: Final = 60.0
_CHUNK: Final = 1 << 20
_LINE: Final = 65_536
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class Connection(BaseHTTPRequestHandler):
    """One client's connection: HTTP in, `DevServer.answer`, HTTP out."""

    server: "DevServer"
    protocol_version = "HTTP/1.1"
    server_version = "hpe"
    sys_version = ""
    timeout = 30
    busy = False
    raw_requestline: bytes

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self)

    def finish(self) -> None:
        self.server.connections.discard(self)
        super().finish()

    def hang_up(self) -> None:
        """Let the thread that waits for this client's next request see the end of it."""
        with contextlib.suppress(OSError):  # it may have gone by itself
            self.connection.shutdown(socket.SHUT_RD)

    def parse_request(self) -> bool:
        self.busy = True
        self._unread = 0
        if self.raw_requestline in (b"\r\n", b"\n"):  # one that is left over is to be skipped (RFC 9112, 2.2)
            self.raw_requestline = self.rfile.readline(_LINE + 1)
        line = self.raw_requestline.decode("latin-1")
        if line and (len(line) > _LINE or not line.split()):  # http.server would hang up without a word
            self.command, self.requestline = "", ""
            self.send_error(HTTPStatus.BAD_REQUEST, "its first line is empty or too long")
            return False
        return super().parse_request()

    def handle_expect_100(self) -> bool:
        """curl asks before it sends much: say no before it does."""
        try:
            self._length()
        except HpeError as error:
            self._unread = 0
            self._send(refuse(self._request(b""), error, self.server.settings), close=True)
            return False
        return super().handle_expect_100()

    def handle_request(self) -> None:
        """Read, answer, send; errors before the API in the API's own form."""
        try:
            request = self._request(b"")
            try:
                self._unread = self._length()
                body, self._unread = self._read(self._unread), 0
                response, close = self.server.answer(self._request(body)), False
            except HpeError as error:
                response, close = refuse(request, error, self.server.settings), self._unread != 0
            self._send(response, close)
        finally:
            self.busy = False
            if self.server.stopping:  # read after `busy` is written, as `close_idle` does it the other way round
                self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_request  # noqa: N815

    def _request(self, body: bytes) -> Request:
        # the path alone, of http://host/path as well: what proxies send
        path, _, query = re.sub(r"^https?://[^/?]*", "", self.path).partition("#")[0].partition("?")
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        values = dict(parse_qsl(query, keep_blank_values=True))
        return Request(self.command, unquote(path) or "/", values, headers, body, uuid.uuid4().hex[:12])

    def _length(self) -> int:
        """The body's length in bytes. Raises LengthRequired, BadRequest, TooLarge."""
        self._unread = -1  # not known: the connection cannot be used again
        if "transfer-encoding" in self.headers:
            raise LengthRequired("the body comes in chunks of unknown length: send it with a Content-Length")
        lengths = {value.strip() for value in self.headers.get_all("content-length", ["0"])}
        text = lengths.pop()
        if lengths or not (text.isascii() and text.isdigit() and len(text) < 16):
            raise BadRequest(f"Content-Length: {text[:40]!r} is no length")
        limit = self.server.settings.max_upload_bytes + FORM_BYTES
        if self.server.settings.lambda_limits:
            limit = min(limit, LAMBDA_BODY_BYTES * 3 // 4)
        if int(text) > limit:
            self._unread = int(text)
            raise TooLarge(f"{text} bytes; the limit is {limit}: send a smaller photo", limit=limit)
        return int(text)

    def _read(self, length: int) -> bytes:
        """Exactly so many bytes. Raises ConnectionError where they do not come, or come too slowly."""
        until, chunks, left = time.monotonic() + _BODY_S, [], length
        while left:
            chunk = self.rfile.read1(min(left, _CHUNK))
            if not chunk or time.monotonic() > until:
                raise ConnectionError("the body did not come")
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)

    def _send(self, response: Response, close: bool = False) -> None:
        if self._unread:
            self._drain()
        self.close_connection = self.close_connection or close or self.server.stopping
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.command != "HEAD" and response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def _drain(self) -> None:
        until, left = time.monotonic() + _DRAIN_S, _DRAIN_BYTES if self._unread < 0 else min(self._unread, _DRAIN_BYTES)
        self.connection.settimeout(0.5)
        with contextlib.suppress(OSError):  # it has gone, or sends nothing: then it need not be listened to
            while left > 0 and time.monotonic() < until:
                chunk = self.rfile.read1(min(left, _CHUNK))
                left -= len(chunk) or left
        self.connection.settimeout(self.timeout)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses (a request line that is none, too many headers), as a problem."""
        self._unread = 0
        self.request_version = self.protocol_version  # which it may not have got as far as reading
        error: HpeError = BadRequest(f"this is no HTTP request that can be read: {message or HTTPStatus(code).phrase}")
        if code == HTTPStatus.NOT_IMPLEMENTED:
            error = MethodNotAllowed(f"{self.command[:20]} is no method that is known here", _METHODS)
        self.command = self.command or "GET"
        self._send(refuse(Request(self.command, ""), error, self.server.settings), close=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `hpe.web.record` notes what was answered."""
