"""What is there, what is done, what is missing: listings and indexes in S3, as `hpe batch` sees them."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from hpe.batch.items import Item, is_clip, is_photo
from hpe.batch.lines import INDEX, PACKED, RESULTS, row_of, rows_of_index, unpacked
from hpe.errors import BadData

READERS: Final = 32


@dataclass(frozen=True)
class Place:
    """s3://bucket/prefix. prefix: without a slash at either end, may be empty."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def key(self, name: str) -> str:
        """A name below the prefix -> its key."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def holds(self, other: "Place") -> bool:
        """Whether `other` is this place or below it."""
        return self.bucket == other.bucket and f"{other.prefix}/".startswith(f"{self.prefix}/" if self.prefix else "")


def place_of(url: str) -> Place:
    """'s3://bucket/some/prefix/' -> Place. Raises BadData."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        raise BadData(f"{url} is not a place in S3: give s3://bucket/prefix")
    return Place(bucket, prefix.strip("/"))


@dataclass(frozen=True)
class Seen:
    """A line that is there. name: of the object that holds it. problem: its kind, or empty."""

    name: str
    etag: str
    problem: str


@dataclass
class Done:
    """What the indexes below an output say of one bucket's photos. photos: key -> its lines.

    people, lines and problems (kind -> how many) count the lines of all buckets. retry: a line with a problem is no
    line.
    """

    bucket: str = ""
    retry: bool = False
    photos: dict[str, list[Seen]] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)
    people: int = 0
    lines: int = 0

    def add(self, name: str, rows: Iterable[list[str]]) -> None:
        """The rows of one object's index: key, ETag, people, problem, bucket."""
        for key, etag, people, problem, bucket in rows:
            self.lines += 1
            self.people += int(people)
            if problem:
                self.problems[problem] = self.problems.get(problem, 0) + 1
            if bucket in ("", self.bucket) or not self.bucket:
                self.photos.setdefault(key, []).append(Seen(name, etag, problem))

    def has(self, item: Item) -> bool:
        """Whether this photo, as it is now, has its line. A photo whose ETag is not known is done under any."""
        return bool(self._good(item))

    def superseded(self, items: Iterable[Item]) -> list[tuple[str, Seen]]:
        """(key, line) of what is not the one latest line of a photo: of another ETag, a second one, to be retried."""
        found = []
        for item in items:
            lines, good = self.photos.get(item.key, []), self._good(item)
            if not item.etag and good:  # which of them is the latest, nobody knows
                continue
            kept = next((one for one in good if not one.problem), good[0] if good else None)
            found += [(item.key, one) for one in lines if one is not kept]
        return found

    def gone(self, items: Iterable[Item], prefix: str) -> list[tuple[str, Seen]]:
        """(key, line) of photos below `prefix` that are not among `items`."""
        there = {item.key for item in items}
        return [
            (key, one)
            for key, lines in self.photos.items()
            if key not in there and key.startswith(prefix)
            for one in lines
        ]

    def _good(self, item: Item) -> list[Seen]:
        lines = self.photos.get(item.key, [])
        return [one for one in lines if item.etag in ("", one.etag) and not (self.retry and one.problem)]


def list_items(s3: Any, source: Place, output: Place) -> Iterator[Item]:
    """Every photo and clip below `source`, but for what lies in `output`."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=source.key("")):
        for entry in page.get("Contents", []):
            key = entry["Key"]
            if (is_photo(key) or is_clip(key)) and not (source.bucket == output.bucket and _below(key, output)):
                yield Item(key, entry["ETag"].strip('"'), entry["Size"])


def below(photos: Iterable[Item], source: Place, output: Place) -> list[Item]:
    """Of an inventory's objects those that `list_items` would give."""
    prefix, own = source.key(""), source.bucket == output.bucket
    return [
        item
        for item in photos
        if item.key.startswith(prefix)
        and (is_photo(item.key) or is_clip(item.key))
        and not (own and _below(item.key, output))
    ]


def _below(key: str, output: Place) -> bool:
    return bool(output.prefix) and key.startswith(f"{output.prefix}/")


def read_done(s3: Any, output: Place, bucket: str = "", retry: bool = False) -> Done:
    """The indexes of all runs into `output`. retry: count photos with a problem as not done."""
    indexed = [name.removesuffix(".csv") for name in _names(s3, output, INDEX) if name.endswith(".csv")]
    # killed between the two: the lines are there, and tell what the index would have
    results = (name.removesuffix(PACKED) for name in _names(s3, output, RESULTS) if name.endswith(PACKED))
    halves = sorted(set(results) - set(indexed))
    done = Done(bucket, retry)
    with ThreadPoolExecutor(READERS) as pool:
        for name, data in zip(
            indexed, pool.map(lambda name: read(s3, output, f"{INDEX}{name}.csv"), indexed), strict=True
        ):
            done.add(name, rows_of_index(data))
        for name, data in zip(
            halves, pool.map(lambda name: read(s3, output, f"{RESULTS}{name}{PACKED}"), halves), strict=True
        ):
            done.add(name, map(row_of, unpacked(data)))
    return done


def _names(s3: Any, output: Place, folder: str) -> Iterator[str]:
    prefix = output.key(folder)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=output.bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"].removeprefix(prefix)


def read(s3: Any, output: Place, name: str) -> bytes:
    """An object below the output."""
    data: bytes = s3.get_object(Bucket=output.bucket, Key=output.key(name))["Body"].read()
    return data
