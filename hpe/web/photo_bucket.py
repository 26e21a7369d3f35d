"""The bucket of big photos and of clips: uploads/ID comes in, results/ID.png and results/ID.json come out, for a day;
of a clip clips/ID, results/ID.jsonl, and while it is worked on parts/ID/.

An id is 122 random bits and is all that its owner needs, so nothing lists or guesses the others'.
"""

import json
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hpe.errors import PhotosUnavailable
from hpe.settings import Settings
from hpe.web import aws

_ID: Final = re.compile(r"[0-9a-f]{32}")
PENDING: Final = "pending"
DONE: Final = "done"
FAILED: Final = "failed"
UNKNOWN: Final = "unknown"


def new_id() -> str:
    """32 hex digits that nobody guesses."""
    return uuid.uuid4().hex


def id_of_upload(key: str) -> str | None:
    """'uploads/ID' -> ID; None for keys of other shapes."""
    folder, _, name = key.partition("/")
    return name if folder == "uploads" and _ID.fullmatch(name) else None


def id_of_clip(key: str) -> str | None:
    """'clips/ID' -> ID; None for keys of other shapes."""
    folder, _, name = key.partition("/")
    return name if folder == "clips" and _ID.fullmatch(name) else None


def is_id(text: str) -> bool:
    """Whether this has the shape of an id."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class PhotoStore:
    """One bucket through boto3's S3 client. link_s: how long signed links are good, seconds."""

    bucket: str
    client: Any
    link_s: int

    def sign_upload(self, photo_id: str, content_type: str, max_bytes: int) -> dict[str, Any]:
        """A form for uploads/ID, of a clip clips/ID: {"url", "fields"}; S3 refuses other types and more bytes."""
        folder = "clips" if content_type.startswith("video/") else "uploads"
        form: dict[str, Any] = self.client.generate_presigned_post(
            self.bucket,
            f"{folder}/{photo_id}",
            Fields={"Content-Type": content_type},
            Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, max_bytes]],
            ExpiresIn=self.link_s,
        )
        return form

    def sign_result(self, photo_id: str, suffix: str) -> str:
        """A link to results/ID.SUFFIX."""
        params = {"Bucket": self.bucket, "Key": f"results/{photo_id}.{suffix}"}
        url: str = self.client.generate_presigned_url("get_object", Params=params, ExpiresIn=self.link_s)
        return url

    def state(self, photo_id: str) -> str:
        """DONE, FAILED, PENDING, or UNKNOWN: never uploaded, or deleted since."""
        for _ in range(2):
            results = self._names(f"results/{photo_id}.")
            if results & {"json", "jsonl"}:
                return DONE
            if "problem.json" in results:
                return FAILED
            if self._names(f"uploads/{photo_id}") or self._names(f"clips/{photo_id}"):
                return PENDING
            # The worker may have finished between the two looks: look once more.
        return UNKNOWN

    def problem(self, photo_id: str) -> dict[str, Any]:
        """The problem (RFC 9457) that the worker left for this photo."""
        answer = self.client.get_object(Bucket=self.bucket, Key=f"results/{photo_id}.problem.json")
        found: dict[str, Any] = json.loads(answer["Body"].read())
        return found

    def upload(self, photo_id: str, max_bytes: int) -> bytes | None:
        """The uploaded bytes, at most one more than `max_bytes`; None where they are gone."""
        key = f"uploads/{photo_id}"
        # Asked first: S3 says "access denied" of a missing key to a role that may list some prefixes only.
        if not self._names(key):
            return None
        answer = self.client.get_object(Bucket=self.bucket, Key=key)
        data: bytes = answer["Body"].read(max_bytes + 1)
        return data

    def put_result(self, photo_id: str, suffix: str, data: bytes, media_type: str) -> None:
        """Write results/ID.SUFFIX."""
        key = f"results/{photo_id}.{suffix}"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=media_type)

    def is_clip(self, photo_id: str) -> bool:
        """Whether its result is tracks."""
        return "jsonl" in self._names(f"results/{photo_id}.")

    def progress(self, photo_id: str) -> dict[str, Any]:
        """How far a clip is: {"frame", "frames", "people"}; empty before its first part, and for photos."""
        if "progress.json" not in self._names(f"results/{photo_id}."):
            return {}
        answer = self.client.get_object(Bucket=self.bucket, Key=f"results/{photo_id}.progress.json")
        found: dict[str, Any] = json.loads(answer["Body"].read())
        return found

    def fetch_clip(self, clip_id: str, path: Path) -> bool:
        """clips/ID into a file; False if it is gone."""
        if not self._names(f"clips/{clip_id}"):
            return False
        answer = self.client.get_object(Bucket=self.bucket, Key=f"clips/{clip_id}")
        with path.open("wb") as file:
            shutil.copyfileobj(answer["Body"], file, 1 << 20)
        return True

    def delete_clip(self, clip_id: str) -> None:
        """Forget the clip itself; without effect where it is gone already."""
        self.client.delete_object(Bucket=self.bucket, Key=f"clips/{clip_id}")

    def put_part(self, clip_id: str, following: int, data: bytes) -> None:
        """What was found of a clip up to frame number `following`. Parts sort by that."""
        key = f"parts/{clip_id}/{following:09d}.jsonl"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType="application/jsonl")

    def parts(self, clip_id: str) -> Iterator[bytes]:
        """The lines of all parts of a clip, in order."""
        for key in self._part_keys(clip_id):
            answer = self.client.get_object(Bucket=self.bucket, Key=key)
            yield from answer["Body"].read().splitlines(keepends=True)

    def delete_parts(self, clip_id: str) -> None:
        """The clip is done."""
        for key in self._part_keys(clip_id):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def put_file(self, photo_id: str, suffix: str, path: Path, media_type: str) -> None:
        """Write results/ID.SUFFIX from a file."""
        key = f"results/{photo_id}.{suffix}"
        with path.open("rb") as body:
            self.client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=media_type)

    def _part_keys(self, clip_id: str) -> list[str]:
        # a part every 20 s of work: a thousand keys are five hours
        answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=f"parts/{clip_id}/", MaxKeys=1000)
        return sorted(item["Key"] for item in answer.get("Contents", []))

    def delete_upload(self, photo_id: str) -> None:
        """Forget the photo itself; without effect where it is gone already."""
        self.client.delete_object(Bucket=self.bucket, Key=f"uploads/{photo_id}")

    def _names(self, prefix: str) -> set[str]:
        answer = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=10)
        return {item["Key"].removeprefix(prefix) for item in answer.get("Contents", [])}


def open_store(settings: Settings) -> PhotoStore:
    """The store that the settings name; its client is made once a process. Raises PhotosUnavailable."""
    from botocore.exceptions import BotoCoreError

    try:
        return PhotoStore(settings.photo_bucket, aws.client("s3"), settings.photo_link_s)
    except (BotoCoreError, ValueError) as error:
        raise PhotosUnavailable("the photo store cannot be reached: try again in a moment") from error
