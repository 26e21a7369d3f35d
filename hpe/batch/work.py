"""One batch, in the function: each photo from S3, through the network, to one line; then all lines in one object.

Written to `output`: results/NAME.jsonl.gz, a line a photo, its joints or its problem; done/NAME.csv, the same photos in
short, by which `hpe batch` knows what is missing; drawn/KEY.jpg if that is asked for. The same photos give the same
name and the same bytes.
"""

import json
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from hpe.batch.items import Batch, Item, is_photo
from hpe.batch.lines import INDEX, PACKED, RESULTS, index_of, packed
from hpe.errors import OUR_FAULT, HpeError, NotFound, PhotosUnavailable, TooLarge
from hpe.photo.analyse import analyse
from hpe.photo.picture import picture
from hpe.photo.recipe import Recipe
from hpe.photo.stages import Stages
from hpe.settings import Settings
from hpe.web.problems import internal, problem
from hpe.web.request_log import LOGGER

# Fetched while the photo before them is worked on; each may be as large as a photo may be.
_AHEAD: Final = 3
# Of POST /pose's answer: what differs from run to run, and what is the same in every line.
_LEFT_OUT: Final = ("timings_ms", "skeleton")
# What S3 says of one object, and will say again: a line with a problem.
_ABOUT_THE_OBJECT: Final = {
    "NoSuchKey": "it was deleted after it was listed",
    "404": "it was deleted after it was listed",
    "AccessDenied": "the function may not read it: its own policy, or a key of KMS, forbids it",
    "InvalidObjectState": "it lies in an archive (Glacier): restore it, then run hpe batch --retry-problems",
    "InvalidRequest": "it may be encrypted with a key of your own (SSE-C), which the function does not have: copy it "
    "under SSE-S3 or SSE-KMS",
}
_KMS: Final = "its key of KMS is disabled, deleted or out of reach: enable it, then run hpe batch --retry-problems"
# Refusals that are not the object's: of the whole bucket, of the function's own credentials, or for a moment.
_NOT_ABOUT_IT: Final = frozenset({
    "NoSuchBucket", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidToken",
    "SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestTimeout", "SlowDown", "TooManyRequests", "Throttling",
    "ThrottlingException", "KMS.ThrottlingException", "RequestLimitExceeded",
})  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What became of one photo. problem: the last part of its problem's type, or empty."""

    item: Item
    body: dict[str, Any]
    people: int = 0
    problem: str = ""
    drawn: bytes = b""


def work(batch: Batch, s3: Any, source: Any, settings: Settings) -> dict[str, Any]:
    """Do all of a batch -> {"photos", "people", "problems": {kind: count}, "bytes", "ms", "results": key}.

    s3: boto3's client. Raises what a second try may heal: S3 that does not answer, no model.
    """
    began = time.perf_counter()
    photos = [item for item in batch.items if not _is_ours(batch, item) and is_photo(item.key)]
    lines, read = [], 0
    source()  # without a model nothing is fetched
    for item, data in _fetched(batch.bucket, photos, s3, settings):
        lines.append(_line(batch, item, data, source, settings))
        read += len(data) if isinstance(data, bytes) else 0
    results = _write(batch, lines, s3) if batch.output and lines else ""
    summary = {
        "photos": len(lines),
        "people": sum(line.people for line in lines),
        "problems": dict(Counter(line.problem for line in lines if line.problem)),
        "bytes": read,
        "ms": round((time.perf_counter() - began) * 1000),
        "results": results,
    }
    LOGGER.info("batch", extra={"fields": {"event": "batch", **summary}})
    return summary


def _is_ours(batch: Batch, item: Item) -> bool:
    """Results in the bucket that is being read are not photos to process."""
    return bool(batch.output) and f"{batch.bucket}/{item.key}".startswith(f"{batch.output}/")


def _fetched(bucket: str, items: list[Item], s3: Any, settings: Settings) -> Iterator[tuple[Item, bytes | HpeError]]:
    """Each photo with its bytes, or with what is wrong with it; in order, some fetched ahead."""
    with ThreadPoolExecutor(_AHEAD) as pool:
        ahead: deque[Future[tuple[Item, bytes | HpeError]]] = deque()
        for item in items:
            ahead.append(pool.submit(_fetch, bucket, item, s3, settings.max_upload_bytes))
            if len(ahead) > _AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _fetch(bucket: str, item: Item, s3: Any, limit: int) -> tuple[Item, bytes | HpeError]:
    from botocore.exceptions import BotoCoreError, ClientError

    if item.size is not None and item.size > limit:
        return item, _too_large(item.size, limit)
    try:
        answer = s3.get_object(Bucket=bucket, Key=item.key)
        size = int(answer["ContentLength"])
        item = replace(item, etag=str(answer["ETag"]).strip('"'), size=size)
        return item, answer["Body"].read() if size <= limit else _too_large(size, limit)
    except ClientError as error:
        if reason := _of_the_object(error.response):
            return item, NotFound(f"s3://{bucket}/{item.key} cannot be read {reason}")
        raise PhotosUnavailable(f"s3://{bucket} does not answer as it should: {error}") from error
    except (BotoCoreError, OSError) as error:
        raise PhotosUnavailable(f"s3://{bucket} does not answer: {error}") from error


def _of_the_object(answer: Mapping[str, Any]) -> str:
    """Why S3 refuses this one object, now and later; empty for what concerns all of them, or may pass."""
    told = answer.get("Error", {})
    code, status = str(told.get("Code", "")), answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _NOT_ABOUT_IT:
        return ""
    if code in _ABOUT_THE_OBJECT:
        return f"({code}): {_ABOUT_THE_OBJECT[code]}"
    if code.startswith("KMS."):
        return f"({code}): {_KMS}"
    return f"({code}): {told.get('Message', '')}" if 400 <= status < 500 and status not in (408, 429) else ""


def _too_large(size: int, limit: int) -> TooLarge:
    return TooLarge(f"{size} bytes; the limit is {limit}: send a smaller or more compressed photo", limit=limit)


def _line(batch: Batch, item: Item, data: bytes | HpeError, source: Any, settings: Settings) -> Line:
    where = {"bucket": batch.bucket, "key": item.key, "etag": item.etag, "bytes": item.size}
    try:
        if isinstance(data, HpeError):
            raise data
        body, drawn = process(data, source, settings, batch.draw)
    except HpeError as error:
        if isinstance(error, OUR_FAULT):
            raise
        return _problem(item, where, problem(error).body)
    except Exception:  # one photo's, not the batch's
        LOGGER.exception("a photo of a batch could not be worked off")
        return _problem(item, where, internal().body)
    return Line(item, {**where, **body}, people=len(body["people"]), drawn=drawn)


def _problem(item: Item, where: dict[str, Any], body: bytes) -> Line:
    told = json.loads(body)
    return Line(item, {**where, "problem": told}, problem=told["type"].rsplit("/", 1)[-1])


def process(data: bytes, source: Any, settings: Settings, draw: bool) -> tuple[dict[str, Any], bytes]:
    """Photo bytes -> (POST /pose's answer but for _LEFT_OUT, the drawn JPEG or nothing)."""
    recipe, stages = Recipe.of(settings), Stages()
    found = analyse(data, recipe, source, stages)
    drawn = picture(found, "jpeg", recipe, stages).data if draw else b""
    return {name: value for name, value in found.answer.to_dict().items() if name not in _LEFT_OUT}, drawn


def _write(batch: Batch, lines: list[Line], s3: Any) -> str:
    """All that a batch leaves, the index last: where it is, all is there. Gives the key of the results."""
    bucket, _, prefix = batch.output.partition("/")
    base = f"{prefix}/" if prefix else ""
    for line in lines:
        if line.drawn:
            _put(s3, bucket, f"{base}drawn/{line.item.key}.jpg", line.drawn, "image/jpeg")
    bodies = [line.body for line in lines]
    results = f"{base}{RESULTS}{batch.name}{PACKED}"
    _put(s3, bucket, results, packed(bodies), "application/gzip")
    _put(s3, bucket, f"{base}{INDEX}{batch.name}.csv", index_of(bodies), "text/csv")
    return results


def _put(s3: Any, bucket: str, key: str, data: bytes, media_type: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        s3.put_object(Bucket=bucket, Key=key, Body=data, ContentType=media_type)
    except (BotoCoreError, ClientError, OSError) as error:
        raise PhotosUnavailable(f"s3://{bucket}/{key} cannot be written: {error}") from error
