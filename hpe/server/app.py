"""The website and the API as one WSGI application, through the code that Lambda runs."""

import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from hpe.errors import Busy, HpeError
from hpe.server.site import site_response
from hpe.settings import LAMBDA_BODY_BYTES, Settings
from hpe.web.api import EstimatorSource, handle, refuse, route_of
from hpe.web.messages import Request, Response, query_of, repeated_in

# A form's own bytes, over those of the photo in it.
FORM_BYTES: Final = 100_000
_QUEUE_S: Final = 20.0

StartResponse = Callable[[str, list[tuple[str, str]]], object]


def max_body_bytes(settings: Settings) -> int:
    """The largest body that is read: a photo in a form, or what fits into Lambda's 6 MB as base64."""
    limit = settings.max_upload_bytes + FORM_BYTES
    return min(limit, LAMBDA_BODY_BYTES * 3 // 4) if settings.lambda_limits else limit


def status_line(status: int) -> str:
    """404 -> '404 Not Found'."""
    return f"{status} {HTTPStatus(status).phrase}"


def request_of(environ: Mapping[str, Any]) -> Request:
    """WSGI's environment (PEP 3333) -> Request."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    pairs = parse_qsl(environ["QUERY_STRING"], keep_blank_values=True)
    method, body, request_id = environ["REQUEST_METHOD"], environ["wsgi.input"].read(), uuid.uuid4().hex[:12]
    return Request(method, path or "/", query_of(pairs), headers, body, request_id, repeated_in(pairs))


class App:
    """Call it as WSGI asks. `concurrent` photos are processed at once, `queue` more wait, the next are refused."""

    def __init__(self, source: EstimatorSource, settings: Settings, static_dir: Path, concurrent: int) -> None:
        self._source, self._settings, self._static_dir = source, settings, static_dir
        self._room = threading.BoundedSemaphore(concurrent + settings.queue)
        self._places = threading.BoundedSemaphore(concurrent)

    def __call__(self, environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        response = self.answer(request_of(environ))
        start_response(status_line(response.status), list(response.headers.items()))
        return [response.body]

    def answer(self, request: Request) -> Response:
        """One request -> its response: the API's, or a file of the website."""
        try:
            route = route_of(request.path)
            if not route and request.method in ("GET", "HEAD"):
                return self._site(request)
            if request.method == "POST" and route == "/pose":
                with self._place():
                    return handle(request, self._source, self._settings)
        except HpeError as error:
            return refuse(request, error, self._settings)
        return handle(request, self._source, self._settings)

    def _site(self, request: Request) -> Response:
        try:
            found = site_response(self._static_dir, request.path, request.headers, self._settings)
        except OSError as error:
            raise Busy("the website's files cannot be read at the moment", retry_after_s=2) from error
        if request.method == "HEAD":
            return Response(found.status, {**found.headers, "Content-Length": str(len(found.body))})
        return found

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Hold a place for a block. Raises Busy at once if the queue is full, and after a while if it does not move."""
        if not self._room.acquire(blocking=False):
            raise Busy("as many photos as this server takes are being processed or wait", retry_after_s=2)
        try:
            if not self._places.acquire(timeout=_QUEUE_S):
                raise Busy(f"no place became free in {_QUEUE_S:g} s", retry_after_s=5)
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._room.release()
