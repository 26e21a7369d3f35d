"""Errors -> `application/problem+json` (RFC 9457). The only place that knows which error has which status."""

import errno
import json
from dataclasses import dataclass
from typing import Any, Final

from hpe.errors import (
    BadModel,
    BadRequest,
    BrokenImage,
    BrokenVideo,
    Busy,
    Forbidden,
    HeadersTooLarge,
    HpeError,
    KeysUnavailable,
    MethodNotAllowed,
    ModelUnavailable,
    NotAcceptable,
    NotFound,
    OverRate,
    PhotosUnavailable,
    RequestTimeout,
    TooLarge,
    Unauthorized,
    UnsupportedImage,
    UnsupportedVideo,
    VideoTooLarge,
)
from hpe.web.messages import Response

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: its status, the last part of its type URI, its title, and a hint where the error has none."""

    status: int
    slug: str
    title: str
    hint: str

    @property
    def type(self) -> str:
        """Its URI, relative to the API."""
        return f"/problems/{self.slug}"


INTERNAL: Final = Kind(
    500,
    "internal",
    "Something went wrong on our side",
    "try again; if it goes on, tell whoever runs this service the time and the request id",
)
KINDS: Final[dict[type[HpeError], Kind]] = {
    BadRequest: Kind(400, "bad-request", "The request is malformed", "compare it with the examples in /openapi.json"),
    NotFound: Kind(404, "not-found", "There is nothing here", "POST a photo to /pose; /openapi.json describes it all"),
    MethodNotAllowed: Kind(405, "method-not-allowed", "This path has other methods", "use one of those in Allow"),
    NotAcceptable: Kind(
        406, "not-acceptable", "No format that was asked for can be made", "accept one of the types in limit, or */*"
    ),
    RequestTimeout: Kind(408, "request-timeout", "The request did not arrive in time", "send it again, all at once"),
    TooLarge: Kind(413, "too-large", "The photo is too large", "make the photo smaller: 1600 px is enough"),
    UnsupportedImage: Kind(
        415, "unsupported-image", "This is not an image that can be read here", "send a JPEG, PNG or WebP"
    ),
    BrokenImage: Kind(422, "broken-image", "The image is damaged or cut off", "open and save it again, then resend"),
    VideoTooLarge: Kind(
        413, "video-too-large", "The clip is too large", "cut it into shorter clips, or save it smaller"
    ),
    UnsupportedVideo: Kind(
        415,
        "unsupported-video",
        "This is not a clip that can be read here",
        "save it as MP4 with H.264 (ffmpeg -i clip.mp4 -c:v libx264 new.mp4), then send that",
    ),
    BrokenVideo: Kind(422, "broken-video", "The clip is damaged or cut off", "copy or record it again, then resend"),
    ModelUnavailable: Kind(
        503, "model-unavailable", "The model cannot be loaded now", "try again after the seconds in Retry-After"
    ),
    BadModel: Kind(503, "bad-model", "The model cannot be used", "whoever runs this service must fix its model"),
    PhotosUnavailable: Kind(
        503, "photos-unavailable", "The photo store does not answer", "try again after the seconds in Retry-After"
    ),
    HeadersTooLarge: Kind(
        431,
        "headers-too-large",
        "The headers are too large",
        "send fewer cookies, a shorter address and shorter headers",
    ),
    Unauthorized: Kind(401, "unauthorized", "A key is needed", "send a key: Authorization: Bearer KEY"),
    Forbidden: Kind(
        403, "forbidden", "This key is not valid any more", "ask whoever runs this service for another key"
    ),
    OverRate: Kind(429, "over-rate", "This key has used up its rate", "try again after the seconds in Retry-After"),
    KeysUnavailable: Kind(
        503, "keys-unavailable", "Keys cannot be checked now", "try again after the seconds in Retry-After"
    ),
    Busy: Kind(503, "busy", "Too many photos at once", "try again after the seconds in Retry-After"),
}
_RETRY_AFTER_S: Final = 30
# What the machine lacks for the moment, and has again when others are done: no fault of the code, nor of the photo.
_SCARCE: Final = {
    errno.EMFILE: "open files",
    errno.ENFILE: "open files",
    errno.ENOMEM: "memory",
    errno.ENOSPC: "room on the disk",
    errno.EDQUOT: "room on the disk",
}


def kind_of(error: HpeError) -> Kind:
    """The kind of an error, by its nearest class that has one."""
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), INTERNAL)


def problem(error: HpeError) -> Response:
    """An error raised on purpose -> its response. What has no kind of its own is a 500 that tells nothing."""
    kind = kind_of(error)
    if kind is INTERNAL:
        return internal()
    extra: dict[str, str] = {}
    if isinstance(error, MethodNotAllowed):
        extra["Allow"] = ", ".join(error.allowed)
    if kind.status == 401:
        extra["WWW-Authenticate"] = "Bearer"
    if kind.status in (429, 503):
        extra["Retry-After"] = str(getattr(error, "retry_after_s", _RETRY_AFTER_S))
    return _response(kind, str(error), extra, error.limit, error.hint)


def unexpected(error: Exception) -> Response:
    """What nobody raised on purpose -> 503 where the machine is out of something, else the fixed 500."""
    lacks = "memory" if isinstance(error, MemoryError) else ""
    if isinstance(error, OSError) and error.errno in _SCARCE:
        lacks = _SCARCE[error.errno]
    if not lacks:
        return internal()
    return problem(Busy(f"this service is out of {lacks} for the moment", retry_after_s=5))


def internal() -> Response:
    """The fixed answer to what nobody expected: the log knows more, the client must not."""
    return _response(INTERNAL, "The request could not be answered because of a fault in this service.")


def _response(
    kind: Kind, detail: str, extra: dict[str, str] | None = None, limit: Any = None, hint: str = ""
) -> Response:
    body: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
    }
    if limit is not None:
        body["limit"] = limit
    body["hint"] = hint or kind.hint
    return Response(kind.status, {"Content-Type": MEDIA_TYPE, **(extra or {})}, json.dumps(body).encode(), kind.type)
