"""Which web pages may call the API (CORS: Fetch standard, 3.2), and headers that every answer has."""

from collections.abc import Mapping, Sequence
from typing import Final

from hpe.web.messages import Response

EXPOSED: Final = "X-Pose-People, X-Pose-Score, X-Pose-Scale, Server-Timing, Retry-After, Allow, WWW-Authenticate"
# What pages, upload widgets and tracing libraries send. Cookies are neither read nor allowed.
ALLOWED: Final = (
    "Content-Type, Accept, Authorization, Cache-Control, Pragma, X-Api-Key, X-Requested-With, "
    "Traceparent, Tracestate, Baggage, Sentry-Trace, X-Amzn-Trace-Id"
)
# A day: browsers cap it at two hours (Chrome) or a day (Firefox) themselves.
MAX_AGE_S: Final = 86_400


def common_headers(origin: str, allowed: Sequence[str]) -> dict[str, str]:
    """What every answer says: who may read it, and that it is what its Content-Type says it is."""
    headers = {"X-Content-Type-Options": "nosniff"}
    if "*" in allowed:
        headers["Access-Control-Allow-Origin"] = "*"
    else:
        headers["Vary"] = "Origin"
        if origin not in allowed:
            return headers
        headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = EXPOSED
    return headers


def preflight(headers: Mapping[str, str], methods: Sequence[str]) -> Response:
    """OPTIONS -> 204 with what the path allows; `common_headers` says whether this origin may."""
    answer = {"Allow": ", ".join(methods), "Cache-Control": "no-store"}
    if "origin" in headers:
        answer["Access-Control-Allow-Methods"] = ", ".join(methods)
        answer["Access-Control-Allow-Headers"] = ALLOWED
        answer["Access-Control-Max-Age"] = str(MAX_AGE_S)
    return Response(204, answer)
