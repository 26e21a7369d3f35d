"""The routes: a request in, a response out, whatever happens in between."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from hpe import __version__
from hpe.errors import HpeError, MethodNotAllowed, NotFound
from hpe.settings import Settings
from hpe.web import keys
from hpe.web.cors import common_headers, preflight
from hpe.web.messages import Request, Response, from_event, request_headers, to_event, wants_lists
from hpe.web.openapi import openapi_json
from hpe.web.problems import problem, unexpected
from hpe.web.request_log import LOGGER, Record, note

if TYPE_CHECKING:
    from hpe.photo.analyse import Estimator

EstimatorSource = Callable[[], "Estimator"]
# Every path answers under it as well, for clients that want to name what they were written for.
VERSION: Final = "/v1"
Route = Callable[[Request, EstimatorSource, Settings, Record], Response]


def handle(request: Request, estimator_source: EstimatorSource, settings: Settings) -> Response:
    """Answer one request. Never raises: errors are answered as problem details, and noted."""
    record = Record(request.request_id, request.method, bytes_in=len(request.body))
    try:
        response = _dispatch(request, estimator_source, settings, record)
    except HpeError as error:
        response = problem(error)
        record.detail = str(error) if response.status >= 500 else ""  # less may quote what the client sent
        if response.status == 500:
            LOGGER.exception("no status is known for this error")
    except Exception as error:
        LOGGER.exception("unexpected error in %s %s, request %s", request.method, record.route, request.request_id)
        response = unexpected(error)
    return _finish(request, response, settings, record)


def handle_event(
    event: object, request_id: str, estimator_source: EstimatorSource, settings: Settings
) -> dict[str, Any]:
    """A gateway's event -> the gateway's answer."""
    try:
        request = from_event(event, request_id)
    except HpeError as error:
        response = refuse(Request("", "", {}, request_headers(event), b"", request_id), error, settings)
    else:
        response = handle(request, estimator_source, settings)
    return to_event(response, wants_lists(event))


def refuse(request: Request, error: HpeError, settings: Settings) -> Response:
    """Answer a request with an error that came up before it could be handled, in the same form as `handle`."""
    return _finish(request, problem(error), settings, Record(request.request_id, request.method))


def _finish(request: Request, response: Response, settings: Settings, record: Record) -> Response:
    headers = {"Cache-Control": "no-store"} | dict(response.headers)
    headers |= common_headers(request.headers.get("origin", ""), settings.cors_origins)
    record.status, record.bytes_out = response.status, len(response.body)
    record.problem = response.problem
    note(record)
    if request.method != "HEAD":
        return replace(response, headers=headers)
    headers["Content-Length"] = str(len(response.body))  # as of GET (RFC 9110, 9.3.2)
    return replace(response, headers=headers, body=b"")


def _dispatch(request: Request, estimator_source: EstimatorSource, settings: Settings, record: Record) -> Response:
    path = request.path.rstrip("/").removeprefix(VERSION) or "/"
    record.route = route_of(request.path)
    if not record.route:
        raise NotFound(f"there is nothing at {path[:100]}", limit=tuple(ROUTES))
    methods = ROUTES[record.route]
    if request.method == "OPTIONS":
        return preflight(request.headers, (*methods, "OPTIONS"))
    if request.method not in methods:
        allowed = (*methods, "OPTIONS")
        raise MethodNotAllowed(f"{request.method[:20]} {path} is not possible: use {' or '.join(methods)}", allowed)
    if settings.keys_table and request.method == "POST":  # what GET gives is open, or has an id that is a key itself
        record.caller = keys.authorize(request.headers, settings.keys_table)
    return methods[request.method](replace(request, path=path), estimator_source, settings, record)


def route_of(path: str) -> str:
    """A path, with /v1 or without -> the route that answers it, as in ROUTES; '' if none does."""
    path = path.rstrip("/").removeprefix(VERSION)
    if path.startswith("/results/"):
        return "/results/{id}"
    if path.startswith("/problems/"):
        return "/problems/{kind}"
    return path if path in ROUTES else ""


def _pose(request: Request, estimator_source: EstimatorSource, settings: Settings, record: Record) -> Response:
    from hpe.web.pose_route import answer_pose  # numpy, OpenCV: only those who send a photo pay for them

    return answer_pose(request, estimator_source, settings, record)


def _health(request: Request, estimator_source: EstimatorSource, settings: Settings, record: Record) -> Response:
    from hpe.photo.answer import model_of

    body = {"status": "ok", "version": __version__, "model": model_of(estimator_source().card)}
    return Response(200, {"Content-Type": "application/json"}, json.dumps(body).encode())


def _openapi(request: Request, estimator_source: EstimatorSource, settings: Settings, record: Record) -> Response:
    headers = {"Content-Type": "application/json", "Cache-Control": "public, max-age=300"}
    return Response(200, headers, openapi_json())


def _uploads(request: Request, estimator_source: EstimatorSource, settings: Settings, record: Record) -> Response:
    from hpe.web.uploads import handle_uploads

    return handle_uploads(request, settings)


def _problem_page(request: Request, estimator_source: EstimatorSource, settings: Settings, record: Record) -> Response:
    from hpe.web.problem_pages import problem_page

    return problem_page(request.path.removeprefix("/problems/"))


ROUTES: Final[Mapping[str, Mapping[str, Route]]] = {
    "/pose": {"POST": _pose},
    "/health": {"GET": _health, "HEAD": _health},
    "/openapi.json": {"GET": _openapi, "HEAD": _openapi},
    "/uploads": {"POST": _uploads},
    "/results/{id}": {"GET": _uploads},
    "/problems/{kind}": {"GET": _problem_page, "HEAD": _problem_page},
}
