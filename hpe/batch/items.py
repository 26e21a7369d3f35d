"""What there is to do: photos and clips by bucket, key and ETag; which keys are which; what a batch is called."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hpe.errors import BadData
from hpe.video.containers import CLIP_TYPES

# Python's own table alone: what a machine has in /etc/mime.types must not change what is a photo.
_TYPES: Final = mimetypes.MimeTypes()


@dataclass(frozen=True)
class Item:
    """One photo or clip in a bucket. etag: without quotes, empty if not known. size: bytes, None if not known."""

    key: str
    etag: str = ""
    size: int | None = None


@dataclass(frozen=True)
class Batch:
    """Photos and clips of one bucket for one call of the function.

    output: bucket/prefix, or empty to write nothing.
    """

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


def is_clip(key: str) -> bool:
    """Whether an object is one, by its name's suffix."""
    return key.lower().endswith(tuple(CLIP_TYPES))


def is_photo(key: str) -> bool:
    """Whether an object may be one, by its name: an image's suffix, none, or one that nobody knows."""
    if key.endswith("/") or is_clip(key):
        return False
    kind, packed = _TYPES.guess_type(f"x/{key.rsplit('/', 1)[-1]}", strict=False)
    return packed is None and (kind is None or kind.startswith("image/"))
