"""Photos too big for one call, and clips: POST /uploads gives a place to put one, GET /results/ID what became of it."""

import json
import logging
from collections.abc import Callable
from typing import Any, Final

from hpe.errors import BadRequest, NotFound, PhotosUnavailable, TooLarge, UnsupportedImage, VideoTooLarge
from hpe.settings import Settings
from hpe.video.budget import USUAL_FPS, seconds_of_work, seconds_that_fit
from hpe.web import photo_bucket
from hpe.web.messages import Request, Response

_log = logging.getLogger(__name__)
_RETRY_AFTER_S: Final = 2
# What a media type may hold beside letters and digits.
_MARKS: Final = str.maketrans("", "", "-+.")
# s of one core that a clip may take: the tries of its queue, 14 of each one's 15 minutes (deploy/resources/clips.yml).
_CLIP_WORK_S: Final = 5 * 840.0
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
    content_type, size, seconds, fps = _wish(request.body)
    if content_type.startswith("video/"):
        clip = _clip_that_fits(size, seconds, fps, settings)
    elif size > settings.max_upload_bytes:
        raise TooLarge(
            f"{size} bytes; the limit is {settings.max_upload_bytes}: send a smaller or more compressed photo"
        )
    else:
        clip = {}
    photo_id = photo_bucket.new_id()
    form = photo_bucket.open_store(settings).sign_upload(photo_id, content_type, size)
    path = f"/results/{photo_id}"
    body = {"id": photo_id, **form, "expires_in_s": settings.photo_link_s, "result": path, **clip}
    return Response(201, {**_JSON, "Location": path}, json.dumps(body).encode())


def _clip_that_fits(size: int, seconds: float, fps: float, settings: Settings) -> dict[str, Any]:
    """-> what the answer says of a clip. Raises VideoTooLarge for one that is too large or too long for the worker."""
    if size > settings.max_clip_bytes:
        raise VideoTooLarge(
            f"{size} bytes; the limit for a clip is {settings.max_clip_bytes}: send a shorter or more compressed one",
            limit=settings.max_clip_bytes,
        )
    fits = min(60.0 * settings.max_clip_minutes, seconds_that_fit(_CLIP_WORK_S, fps))
    if seconds > fits:
        raise VideoTooLarge(
            f"{seconds:g} s at {fps:g} frames a second; the limit is {fits:.0f} s at that rate: cut it into shorter "
            "clips, or send fewer frames a second",
            limit=int(fits),
        )
    expected = {"expected_s": round(seconds_of_work(seconds, fps), 1)} if seconds else {}
    return {"clip": {"max_bytes": settings.max_clip_bytes, "fps": fps, "max_seconds": round(fits), **expected}}


def _wish(body: bytes) -> tuple[str, int, float, float]:
    """{"content_type", "size", of a clip also "seconds" and "fps"} -> all of it, checked; 0 s if that is not told."""
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
    seconds, fps = (_positive(wish, name, usual) for name, usual in (("seconds", 0.0), ("fps", USUAL_FPS)))
    family, _, rest = kind.partition("/")
    if family not in ("image", "video") or not rest.translate(_MARKS).isalnum():
        raise UnsupportedImage(
            f"content type {content_type[:60]!r} is not an image's: send JPEG, PNG, WebP, AVIF or HEIC, or a clip as "
            "video/mp4, video/webm or another of video/"
        )
    return kind, size, seconds, fps


def _positive(wish: dict[str, Any], name: str, usual: float) -> float:
    value = wish.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6 or (not value and usual):
        raise BadRequest(f"{name}={value!r}: give a number above 0, or leave it out")
    return float(value)


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
        progress = store.progress(photo_id)
        more = {"progress": progress} if progress else {}
        return Response(202, headers, json.dumps({"id": photo_id, "state": "pending", **more}).encode())
    if state == photo_bucket.FAILED:
        problem = store.problem(photo_id)
        headers = {**_JSON, "Content-Type": "application/problem+json"}
        kind = str(problem.get("type", ""))
        return Response(int(problem.get("status", 500)), headers, json.dumps(problem).encode(), kind)
    suffixes = ("jsonl",) if store.is_clip(photo_id) else ("json", "png")
    links = {suffix: store.sign_result(photo_id, suffix) for suffix in suffixes}
    return Response(200, dict(_JSON), json.dumps({"id": photo_id, **links}).encode())
