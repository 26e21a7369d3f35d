"""Clips of a batch. A clip takes longer than a batch may, so each goes to the queue of clips, whose worker
(hpe/clip_queue.py) writes OUTPUT/tracks/KEY.jsonl and, as for a photo, one line: a clip is a batch of its own.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from hpe.batch.items import Batch, Item
from hpe.batch.lines import INDEX
from hpe.batch.refusals import of_the_object
from hpe.batch.write import key_below, put, write_lines
from hpe.errors import NotFound, PhotosUnavailable, VideoTooLarge
from hpe.video.rows import MEDIA_TYPE
from hpe.web.photo_bucket import PhotoStore

TRACKS: Final = "tracks/"


@dataclass(frozen=True)
class ClipTask:
    """One clip in a bucket, and below which bucket/prefix its tracks and its line belong."""

    bucket: str
    item: Item
    output: str

    @property
    def name(self) -> str:
        """The same for the same clip, so that a second delivery writes the same objects: 32 hex digits."""
        return Batch(self.bucket, (self.item,), self.output).name

    def message(self) -> str:
        """The body of its message; `task_of` is the inverse."""
        return json.dumps({"clip": {"bucket": self.bucket, "output": self.output, **asdict(self.item)}})


def task_of(body: str) -> ClipTask | None:
    """A message's body -> the clip of a batch; None if it is another message."""
    try:
        told = json.loads(body)["clip"]
        item = Item(str(told["key"]), str(told["etag"]), told["size"])
        return ClipTask(str(told["bucket"]), item, str(told["output"]))
    except (ValueError, KeyError, TypeError):
        return None


def send(sqs: Any, queue: str, tasks: Sequence[ClipTask]) -> None:
    """Clips to the queue's address. Raises PhotosUnavailable if one is not taken: all may be sent again."""
    from botocore.exceptions import BotoCoreError, ClientError

    for task in tasks:
        try:
            sqs.send_message(QueueUrl=queue, MessageBody=task.message())
        except (BotoCoreError, ClientError) as error:
            raise PhotosUnavailable(f"the queue of clips does not take {task.item.key}: {error}") from error


class ListedClip:
    """One clip of a batch as the worker of clips sees it. s3: boto3's client. store: where parts of it are kept."""

    route = "batch"

    def __init__(self, task: ClipTask, s3: Any, store: PhotoStore, max_bytes: int) -> None:
        self._task, self._s3, self._store, self._max_bytes = task, s3, store, max_bytes
        self._item = task.item

    def done(self) -> bool:
        """Whether its line is there."""
        from botocore.exceptions import ClientError

        bucket = self._task.output.partition("/")[0]
        try:
            self._s3.head_object(Bucket=bucket, Key=key_below(self._task.output, f"{INDEX}{self._task.name}.csv"))
        except ClientError as error:
            # a role that may not list is told "forbidden" of what is not there
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404):
                return False
            raise
        return True

    def answered(self) -> bool:
        """The same: a clip of a batch has one line, whatever it says."""
        return self.done()

    def fetch(self, path: Path) -> bool:
        """The clip into a file. Raises NotFound or VideoTooLarge, which are its line then, and PhotosUnavailable."""
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, key = self._task.bucket, self._item.key
        try:
            answer = self._s3.get_object(Bucket=bucket, Key=key)
            size = int(answer["ContentLength"])
            self._item = replace(self._item, etag=str(answer["ETag"]).strip('"'), size=size)
            if size > self._max_bytes:
                raise too_large(size, self._max_bytes)
            with path.open("wb") as file:
                shutil.copyfileobj(answer["Body"], file, 1 << 20)
        except ClientError as error:
            if reason := of_the_object(error.response):
                raise NotFound(f"s3://{bucket}/{key} cannot be read {reason}") from error
            raise PhotosUnavailable(f"s3://{bucket} does not answer as it should: {error}") from error
        except BotoCoreError as error:
            raise PhotosUnavailable(f"s3://{bucket} does not answer: {error}") from error
        return True

    def parts(self) -> Iterator[bytes]:
        """The lines of what was found before."""
        return self._store.parts(self._task.name)

    def keep(self, following: int, lines: bytes, _progress: dict[str, Any]) -> None:
        """What was found up to frame number `following`."""
        self._store.put_part(self._task.name, following, lines)

    def write(self, rows: Path, found: dict[str, Any]) -> None:
        """Its tracks, and its line."""
        key = key_below(self._task.output, f"{TRACKS}{self._item.key}.jsonl")
        with rows.open("rb") as body:
            put(self._s3, self._task.output, key, body, MEDIA_TYPE)
        bucket = self._task.output.partition("/")[0]
        self._line({"tracks": f"s3://{bucket}/{key}", **found})

    def refuse(self, problem: bytes) -> None:
        """Its line with its problem, as JSON."""
        self._line({"problem": json.loads(problem)})

    def _line(self, more: dict[str, Any]) -> None:
        line = line_of(self._task.bucket, self._item) | more
        write_lines(self._s3, self._task.output, self._task.name, [line])

    def forget(self) -> None:
        """It is done: what was kept of it goes. The clip itself is its owner's."""
        self._store.delete_parts(self._task.name)


def line_of(bucket: str, item: Item) -> dict[str, Any]:
    """What every line of a batch says of its object."""
    return {"bucket": bucket, "key": item.key, "etag": item.etag, "bytes": item.size}


def too_large(size: int, limit: int) -> VideoTooLarge:
    """The problem of a clip of so many bytes."""
    return VideoTooLarge(f"{size} bytes; the limit for a clip is {limit}: cut it into shorter ones", limit=limit)
