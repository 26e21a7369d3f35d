"""Photos too big for one call: POST /uploads gives a place to put one, GET /results/ID what became of it."""

import json
import logging
from collections.abc import Callable
from typing import Any, Final

from hpe.errors import BadRequest, NotFound, PhotosUnavailable, TooLarge, UnsupportedImage
from hpe.settings import Settings
from hpe.web import photo_bucket
from hpe.web.messages import Request, Response

_log = logging.getLogger(__name__)
_RETRY_AFTER_S: Final = 2
_JSON: Final = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def handle_uploads(request: Request, settings: Settings) -> Response:
    """Answer /uploads or /results/ID. Raises HpeError; `hpe.web.problems` knows their statuses."""
    if not settings.photo_bucket:
        raise NotFound(f"{request.path}: this server takes no uploads (HPE_PHOTO_BUCKET is not set): use POST /pose")
    if request.path == "/uploads":
        return _asking(lambda: _ticket(request, settings))
    return _asking(lambda: _result(request.path.removeprefix("/results/"), settings))


def _asking(answer: Callable[[], Response]) -> Response:
    """What `answer` gives; S3's own errors become PhotosUnavailable, since trying again may help."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return answer()
    except (BotoCoreError, ClientError) as error:
        _log.exception("the photo bucket does not answer")
        raise PhotosUnavailable("the photo store does not answer: try again in a moment") from error


def _ticket(request: Request, settings: Settings) -> Response:
    content_type, size = _wish(request.body)
    if size > settings.max_upload_bytes:
        raise TooLarge(
            f"{size} bytes; the limit is {settings.max_upload_bytes}: send a smaller or more compressed photo"
        )
    photo_id = photo_bucket.new_id()
    form = photo_bucket.open_store(settings).sign_upload(photo_id, content_type, size)
    path = f"/results/{photo_id}"
    body = {"id": photo_id, **form, "expires_in_s": settings.photo_link_s, "result": path}
    return Response(201, {**_JSON, "Location": path}, json.dumps(body).encode())


def _wish(body: bytes) -> tuple[str, int]:
    """{"content_type": "image/...", "size": bytes} -> both, checked."""
    example = '{"content_type": "image/jpeg", "size": 12345678}'
    try:
        wish: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON ({error}): send {example}") from error
    if not isinstance(wish, dict):
        raise BadRequest(f"the body is not a JSON object: send {example}")
    content_type, size = wish.get("content_type"), wish.get("size")
    if not isinstance(content_type, str) or not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise BadRequest(f"content_type must be a string and size a count of bytes: send {example}")
    kind = content_type.split(";")[0].strip().lower()
    if not kind.startswith("image/") or not kind[6:].replace("-", "").replace("+", "").replace(".", "").isalnum():
        raise UnsupportedImage(
            f"content type {content_type[:60]!r} is not an image's: send JPEG, PNG, WebP, AVIF or HEIC"
        )
    return kind, size


def _result(photo_id: str, settings: Settings) -> Response:
    gone = f"no photo was uploaded as {photo_id[:40]!r}, or it has been deleted since: upload it (again)"
    if not photo_bucket.is_id(photo_id):
        raise NotFound(gone)
    store = photo_bucket.open_store(settings)
    state = store.state(photo_id)
    if state == photo_bucket.UNKNOWN:
        raise NotFound(gone)
    if state == photo_bucket.PENDING:
        headers = {**_JSON, "Retry-After": str(_RETRY_AFTER_S)}
        return Response(202, headers, json.dumps({"id": photo_id, "state": "pending"}).encode())
    if state == photo_bucket.FAILED:
        problem = store.problem(photo_id)
        headers = {**_JSON, "Content-Type": "application/problem+json"}
        kind = str(problem.get("type", ""))
        return Response(int(problem.get("status", 500)), headers, json.dumps(problem).encode(), kind)
    links = {suffix: store.sign_result(photo_id, suffix) for suffix in ("json", "png")}
    return Response(200, dict(_JSON), json.dumps({"id": photo_id, **links}).encode())
