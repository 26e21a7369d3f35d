"""Lists of photos: a CSV of keys, JSON lines, or S3 Inventory as AWS writes it.

An inventory is a manifest.json that names gzipped CSV files without a header, whose keys are URL-encoded
(docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html); one of those files alone is read too.
"""

import csv
import gzip
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote_plus

from hpe.batch.items import Item, item_of
from hpe.errors import BadData

# (bucket, key) -> the object's bytes
Fetch = Callable[[str, str], bytes]

_ETAG: Final = re.compile(r"[0-9a-f]{32}(-[0-9]+)?")
# What an inventory's columns are if nobody says so: AWS writes the optional ones in this order.
_PLAIN: Final = ("bucket", "key", "size")
_VERSIONS: Final = ("bucket", "key", "versionid", "islatest", "isdeletemarker", "size")


def read_manifest(data: bytes, name: str, bucket: str = "", fetch: Fetch | None = None) -> list[Item]:
    """A list of photos -> its items. bucket: which the photos must be in, if the list names buckets.

    CSV with a header: the column `key`, and `etag` and `size` if they are there. A CSV that names the bucket too,
    by its header or in its first column, is an inventory: its keys are URL-encoded. JSON lines: objects with `key`.
    `fetch` reads the files that an inventory's manifest.json names. Raises BadData naming the line.
    """
    text = _unpacked(data, name).decode("utf-8-sig", "surrogateescape")
    rows = _rows(text, name, fetch)
    items = []
    for number, row in enumerate(rows, 1):
        try:
            if _is_there(row):
                items.append(_item(row, bucket))
        except (KeyError, ValueError, AttributeError) as error:
            raise BadData(f"{name}, photo {number}: {error!r}: give a column (or a field) named key") from error
        except BadData as error:
            raise BadData(f"{name}, photo {number}: {error}") from error
    if not items:
        raise BadData(f'{name} names no photo: give a CSV whose header has key, or lines like {{"key": "a.jpg"}}')
    return items


def manifest_lines(items: Iterable[Item]) -> bytes:
    """Photos -> a manifest of JSON lines, as the state machine reads it."""
    return "".join(
        json.dumps({"key": item.key, "etag": item.etag, "size": item.size}) + "\n" for item in items
    ).encode()


def _unpacked(data: bytes, name: str) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise BadData(f"{name} cannot be unpacked ({error}): fetch it again") from error


def _rows(text: str, name: str, fetch: Fetch | None) -> Iterator[dict[str, Any]]:
    if not text.lstrip().startswith("{"):
        return _csv_rows(text)
    inventory = _inventory(text)
    return _json_rows(text, name) if inventory is None else _inventory_rows(inventory, name, fetch)


def _item(row: dict[str, Any], bucket: str) -> Item:
    """A row whose names are lower case."""
    if "bucket" not in row:
        return item_of(row)
    if bucket and row["bucket"] != bucket:
        raise BadData(f"it is in {row['bucket']}, and the photos are in {bucket}: give the inventory of that bucket")
    return item_of({**row, "key": unquote_plus(row["key"], errors="strict")})


def _is_there(row: dict[str, Any]) -> bool:
    """Whether a row of an inventory is an object as it is now: not an older version, not a delete marker."""
    return row.get("islatest") != "false" and row.get("isdeletemarker") != "true"


def _csv_rows(text: str) -> Iterator[dict[str, Any]]:
    rows = (row for row in csv.reader(io.StringIO(text, newline="")) if row)
    first = next(rows, [])
    names = [cell.strip().lower() for cell in first]
    if "key" in names or len(first) == 1:
        yield from (_named(names, row) for row in rows)
    elif first:
        yield from (_guessed(row) for row in (first, *rows))


def _named(names: list[str], row: list[str]) -> dict[str, Any]:
    return dict(zip(names, row, strict=False))


def _guessed(row: list[str]) -> dict[str, Any]:
    """A row of an inventory without its manifest.json: the bucket and the key come first, an ETag shows by its form."""
    versions = len(row) > 4 and {row[3], row[4]} <= {"true", "false"}
    found = _named(list(_VERSIONS if versions else _PLAIN), row)
    if not str(found.get("size", "")).isdecimal():
        found.pop("size", None)
    etags = [cell for cell in row[3:] if _ETAG.fullmatch(cell)]
    return {**found, "etag": etags[0]} if etags else found


def _inventory(text: str) -> dict[str, Any] | None:
    """What a manifest.json of S3 Inventory says; None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "files" in found and "fileSchema" in found else None


def _inventory_rows(inventory: dict[str, Any], name: str, fetch: Fetch | None) -> Iterator[dict[str, Any]]:
    if inventory.get("fileFormat") != "CSV":
        raise BadData(f"{name} is an inventory in {inventory.get('fileFormat')}: set its output format to CSV")
    if fetch is None:
        raise BadData(f"{name} names files of an inventory, which cannot be read from here")
    try:
        names = [column.strip().lower() for column in inventory["fileSchema"].split(",")]
        bucket = inventory["destinationBucket"].rsplit(":", 1)[-1]
        files = [(str(one["key"]), one.get("MD5checksum")) for one in inventory["files"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise BadData(
            f"{name} is not a manifest.json of S3 Inventory ({error!r}): give the one that AWS wrote"
        ) from error
    for key, md5 in files:
        data = fetch(bucket, key)
        if md5 and hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
            raise BadData(f"s3://{bucket}/{key} is not the file that {name} names: wait until the inventory is whole")
        text = _unpacked(data, key).decode("utf-8", "surrogateescape")
        yield from (_named(names, row) for row in csv.reader(io.StringIO(text, newline="")) if row)


def _json_rows(text: str, name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadData(f"{name}, line {number} is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise BadData(f'{name}, line {number} is not a JSON object like {{"key": "a.jpg"}}')
            yield {column.strip().lower(): value for column, value in row.items() if column.strip().lower() != "bucket"}
