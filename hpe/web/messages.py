"""Gateway events <-> Request, Response: HTTP API (2.0), REST API (1.0), Function URLs, load balancers."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

from hpe.errors import BadRequest

_TEXT: Final = ("application/json", "application/problem+json", "text/", "image/svg+xml")
# Parameters that may come several times in one request.
REPEATED: Final = ("box",)


@dataclass(frozen=True)
class Request:
    """headers: lower-case names. query: decoded, see `query_of`. path: begins with a slash.

    repeated: names of the query that came several times and may not.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    request_id: str = ""
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Response:
    """headers: names in their usual spelling. problem: the type of the problem that the body describes, if it does."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    problem: str = ""


def query_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Decoded names and values, in order -> one value a name: the last, or of `box` all, joined by semicolons."""
    query: dict[str, str] = {}
    for name, value in pairs:
        query[name] = f"{query[name]};{value}" if name in REPEATED and name in query else value
    return query


def repeated_in(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Names that come several times, but for those that may: which of their values was meant, nobody knows."""
    counts = Counter(name for name, _ in pairs)
    return tuple(name for name, count in counts.items() if count > 1 and name not in REPEATED)


def from_event(event: object, request_id: str = "") -> Request:
    """A gateway's event -> Request. Raises BadRequest where it is none, or its body is not what it says."""
    context = _mapping(event, "requestContext")
    http = _mapping(context, "http")
    if isinstance(event, dict) and http.get("method"):
        method, path = str(http["method"]), _path_v2(event, context)
        pairs = parse_qsl(_text(event.get("rawQueryString")), keep_blank_values=True)
    elif isinstance(event, dict) and event.get("httpMethod"):
        method, path = str(event["httpMethod"]), _path_v1(event)
        values = _values(event, "queryStringParameters", "multiValueQueryStringParameters")
        pairs = [(name, value) for name in values for value in values[name]]
        if "elb" in context:  # a load balancer hands the query on as it stands in the URL
            pairs = [(unquote_plus(name), unquote_plus(value)) for name, value in pairs]
    else:
        raise BadRequest(
            "this event comes from no HTTP gateway",
            hint="invoke the function through an HTTP API, a REST API or a Function URL",
        )
    headers, body = request_headers(event), _body(event)
    return Request(method.upper(), path, query_of(pairs), headers, body, request_id, repeated_in(pairs))


def request_headers(event: object) -> dict[str, str]:
    """The headers alone, lower-case, of whatever came: what is needed to refuse an event politely."""
    return {name.lower(): values[-1] for name, values in _values(event, "headers", "multiValueHeaders").items()}


def wants_lists(event: object) -> bool:
    """Whether the answer's headers must be lists: a load balancer that sends lists drops any others."""
    return "elb" in _mapping(event, "requestContext") and bool(_mapping(event, "multiValueHeaders"))


def to_event(response: Response, header_lists: bool = False) -> dict[str, Any]:
    """Response -> what a gateway takes in either payload version: text as it is, anything else in base64."""
    is_text = not response.body or response.headers.get("Content-Type", "").startswith(_TEXT)
    body = response.body.decode() if is_text else base64.b64encode(response.body).decode("ascii")
    headers: dict[str, Any] = {"headers": dict(response.headers)}
    if header_lists:
        headers = {"multiValueHeaders": {name: [value] for name, value in response.headers.items()}}
    return {
        "statusCode": response.status,
        **headers,
        "body": body,
        "isBase64Encoded": not is_text,
    }


def _path_v2(event: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    # "POST /pose": the route is free of the stage and of a custom domain's base path; rawPath is not
    route = _text(event.get("routeKey")).partition(" ")[2]
    if route.startswith("/") and "{" not in route:
        return route
    path, stage = _text(event.get("rawPath")), _text(context.get("stage"))
    if stage and stage != "$default" and (path + "/").startswith(f"/{stage}/"):
        path = path[len(stage) + 1 :]
    return path or "/"


def _path_v1(event: Mapping[str, Any]) -> str:
    resource = _text(event.get("resource"))
    if resource.startswith("/") and "{" not in resource:
        return resource
    return _text(event.get("path")) or "/"


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body")
    if body is None or body == "":
        return b""
    if not isinstance(body, str):
        raise BadRequest(f"the event's body is a {type(body).__name__}: it must be text or null")
    if event.get("isBase64Encoded"):
        return _from_base64(body)
    if "\ufffd" in body:
        raise BadRequest(
            "the gateway has passed a binary body as text, which destroys it",
            hint="REST API: set binaryMediaTypes to */*",
        )
    try:
        return body.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise BadRequest(f"the event's body holds half a character, which is not text ({error.reason})") from error


def _from_base64(text: str) -> bytes:
    """Plain base64; what is not is tried again as the url-safe alphabet, in lines, with or without padding."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one
        pass
    plain = re.sub(r"\s+", "", text).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"the event says that its body is base64, but it is not ({error})") from error


def _values(event: object, single: str, multi: str) -> dict[str, list[str]]:
    """Both forms that gateways use; where a name is in both, the list counts."""
    found = {str(name): [_text(value)] for name, value in _mapping(event, single).items()}
    for name, values in _mapping(event, multi).items():
        if isinstance(values, list) and values:
            found[str(name)] = [_text(value) for value in values]
    return found


def _mapping(event: object, key: str) -> Mapping[str, Any]:
    value = event.get(key) if isinstance(event, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return "" if value is None else str(value)
