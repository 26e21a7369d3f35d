"""One batch, in the function: each photo from S3, through the network, to one line; then all lines in one object.

Written to `output`: results/NAME.jsonl.gz, a line a photo, its joints or its problem; done/NAME.csv, the same photos in
short, by which `hpe batch` knows what is missing; drawn/KEY.jpg if that is asked for. The same photos give the same
name and the same bytes. Clips are sent on to the queue of clips, whose worker writes their lines (hpe/batch/clips.py).
"""

import json
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

from hpe.batch.clips import ClipTask, line_of, send
from hpe.batch.clips import too_large as clip_too_large
from hpe.batch.items import Batch, Item, is_clip, is_photo
from hpe.batch.refusals import of_the_object
from hpe.batch.write import key_below, put, write_lines
from hpe.errors import OUR_FAULT, HpeError, NotFound, PhotosUnavailable, TooLarge, UnsupportedVideo
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


@dataclass(frozen=True)
class Line:
    """What became of one photo. problem: the last part of its problem's type, or empty."""

    item: Item
    body: dict[str, Any]
    people: int = 0
    problem: str = ""
    drawn: bytes = b""


def work(batch: Batch, s3: Any, source: Any, settings: Settings, sqs: Any = None) -> dict[str, Any]:
    """Do all of a batch -> {"photos", "clips", "people", "problems": {kind: count}, "bytes", "ms", "results": key}.

    s3, sqs: boto3's clients; clips are sent to the queue that the settings name. Raises what a second try may heal: S3
    that does not answer, no model.
    """
    began = time.perf_counter()
    items = [item for item in batch.items if not _is_ours(batch, item)]
    photos = [item for item in items if is_photo(item.key)]
    source()  # without a model nothing is fetched
    lines, clips = _clips(batch, [item for item in items if is_clip(item.key)], settings)
    read = 0
    for item, data in _fetched(batch.bucket, photos, s3, settings):
        lines.append(_line(batch, item, data, source, settings))
        read += len(data) if isinstance(data, bytes) else 0
    results = _write(batch, lines, s3) if batch.output and lines else ""
    if clips:
        send(sqs, settings.clip_queue, clips)
    summary = {
        "photos": len(photos),
        "clips": len(clips),
        "people": sum(line.people for line in lines),
        "problems": dict(Counter(line.problem for line in lines if line.problem)),
        "bytes": read,
        "ms": round((time.perf_counter() - began) * 1000),
        "results": results,
    }
    LOGGER.info("batch", extra={"fields": {"event": "batch", **summary}})
    return summary


def _clips(batch: Batch, items: list[Item], settings: Settings) -> tuple[list[Line], list[ClipTask]]:
    """Clips -> lines of those that are not taken, and what is to be sent. A batch that writes nothing has none."""
    lines: list[Line] = []
    tasks: list[ClipTask] = []
    for item in items if batch.output else []:
        if not settings.clip_queue:
            refused: HpeError = UnsupportedVideo("this stack has no worker of clips: deploy it again")
        elif item.size is not None and item.size > settings.max_clip_bytes:
            refused = clip_too_large(item.size, settings.max_clip_bytes)
        else:
            tasks.append(ClipTask(batch.bucket, item, batch.output))
            continue
        lines.append(_problem(item, line_of(batch.bucket, item), problem(refused).body))
    return lines, tasks


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
        if reason := of_the_object(error.response):
            return item, NotFound(f"s3://{bucket}/{item.key} cannot be read {reason}")
        raise PhotosUnavailable(f"s3://{bucket} does not answer as it should: {error}") from error
    except (BotoCoreError, OSError) as error:
        raise PhotosUnavailable(f"s3://{bucket} does not answer: {error}") from error


def _too_large(size: int, limit: int) -> TooLarge:
    return TooLarge(f"{size} bytes; the limit is {limit}: send a smaller or more compressed photo", limit=limit)


def _line(batch: Batch, item: Item, data: bytes | HpeError, source: Any, settings: Settings) -> Line:
    where = line_of(batch.bucket, item)
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
    for line in lines:
        if line.drawn:
            put(s3, batch.output, key_below(batch.output, f"drawn/{line.item.key}.jpg"), line.drawn, "image/jpeg")
    return write_lines(s3, batch.output, batch.name, [line.body for line in lines])
