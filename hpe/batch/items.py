"""What there is to do: photos by bucket, key and ETag; which keys are photos; what a batch of them is called."""

import csv
import hashlib
import io
import json
import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hpe.errors import BadData

# Python's own table alone: what a machine has in /etc/mime.types must not change what is a photo.
_TYPES: Final = mimetypes.MimeTypes()


@dataclass(frozen=True)
class Item:
    """One photo in a bucket. etag: without quotes, empty if not known. size: bytes, None if not known."""

    key: str
    etag: str = ""
    size: int | None = None


@dataclass(frozen=True)
class Batch:
    """Some photos of one bucket for one call of the function. output: bucket/prefix, or empty to write nothing."""

    bucket: str
    items: tuple[Item, ...]
    output: str = ""
    draw: bool = False

    @property
    def name(self) -> str:
        """The same for the same photos in any order, so that a batch that is given again writes the same object."""
        lines = sorted(f"{item.key}\0{item.etag}\n" for item in self.items)
        return hashlib.sha256("".join([self.bucket, "\n", *lines]).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def batch_of(event: Mapping[str, Any]) -> Batch:
    """What the state machine sends -> Batch. Raises BadData.

    {"Items": [{"photo": {"Key", "Etag", "Size"} or a manifest's row, "bucket", "output", "draw"}]}, as ItemBatcher
    makes it of deploy/resources/batch.yml's ItemSelector; or one of those items alone.
    """
    entries = event.get("Items", [event])
    try:
        items = tuple(item_of(entry["photo"]) for entry in entries)
        first = entries[0]
        return Batch(first["bucket"], items, first.get("output") or "", first.get("draw") is True)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadData(f"this is not a batch of photos ({error!r}): start it with hpe batch") from error


def item_of(row: Mapping[str, Any]) -> Item:
    """A row of S3's listing or of a manifest, whatever the case of its names -> Item. Raises KeyError without a key."""
    named = {name.strip().lower(): value for name, value in row.items()}
    size = named.get("size")
    return Item(named["key"], str(named.get("etag") or "").strip('"'), int(size) if size not in (None, "") else None)


def is_photo(key: str, size: int | None = None) -> bool:
    """Whether an object may be one, by its name: an image's suffix, none, or one that nobody knows."""
    if key.endswith("/") or size == 0:
        return False
    kind, packed = _TYPES.guess_type(f"x/{key.rsplit('/', 1)[-1]}", strict=False)
    return packed is None and (kind is None or kind.startswith("image/"))


def read_manifest(data: bytes, name: str) -> list[Item]:
    """A list of keys -> its photos: CSV with a header, or one JSON object a line; each with `key`, may have `etag`.

    Raises BadData naming the line.
    """
    text = data.decode("utf-8-sig", "surrogateescape")
    rows = _json_rows(text, name) if text.lstrip().startswith("{") else csv.DictReader(io.StringIO(text, newline=""))
    items = []
    for number, row in enumerate(rows, 1):
        try:
            items.append(item_of({k: v for k, v in row.items() if isinstance(k, str)}))
        except (KeyError, ValueError, AttributeError) as error:
            raise BadData(f"{name}, photo {number}: {error!r}: give a column (or a field) named key") from error
    if not items:
        raise BadData(f'{name} names no photo: give a CSV whose header has key, or lines like {{"key": "a.jpg"}}')
    return items


def _json_rows(text: str, name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadData(f"{name}, line {number} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise BadData(f'{name}, line {number} is not a JSON object like {{"key": "a.jpg"}}')
            yield row


def manifest_lines(items: Iterable[Item]) -> bytes:
    """Photos -> a manifest of JSON lines, as the state machine reads it."""
    return "".join(
        json.dumps({"key": item.key, "etag": item.etag, "size": item.size}) + "\n" for item in items
    ).encode()
