"""What is there, what is done, what is missing: listings and indexes in S3, as `hpe batch` sees them."""

import csv
import io
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from hpe.batch.items import Item, is_photo
from hpe.errors import BadData

_READERS: Final = 32


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


@dataclass
class Done:
    """What the indexes below an output say. photos: key -> ETags that have a line. problems: kind -> how many lines."""

    photos: dict[str, set[str]] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)
    people: int = 0
    lines: int = 0

    def add(self, rows: Iterable[list[str]], skip_problems: bool = False) -> None:
        """Rows of key, ETag, people, problem."""
        for key, etag, people, problem in rows:
            self.lines += 1
            self.people += int(people)
            if problem:
                self.problems[problem] = self.problems.get(problem, 0) + 1
            if not (problem and skip_problems):
                self.photos.setdefault(key, set()).add(etag)

    def has(self, item: Item) -> bool:
        """Whether this photo, as it is now, has its line. A photo whose ETag is not known is done under any."""
        etags = self.photos.get(item.key)
        return etags is not None and (not item.etag or item.etag in etags)


def list_photos(s3: Any, source: Place, output: Place) -> Iterator[Item]:
    """Every photo below `source`, but for what lies in `output`."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=source.key("")):
        for entry in page.get("Contents", []):
            key = entry["Key"]
            if is_photo(key, entry["Size"]) and not (source.bucket == output.bucket and _below(key, output)):
                yield Item(key, entry["ETag"].strip('"'), entry["Size"])


def _below(key: str, output: Place) -> bool:
    return bool(output.prefix) and key.startswith(f"{output.prefix}/")


def read_done(s3: Any, output: Place, skip_problems: bool = False) -> Done:
    """The indexes of all runs into `output`. skip_problems: count photos with a problem as not done."""
    indexed = {name.removesuffix(".csv"): name for name in _names(s3, output, "done/") if name.endswith(".csv")}
    # killed between the two: the lines are there, and tell what the index would have
    halves = [
        name
        for name in _names(s3, output, "results/")
        if name.endswith(".jsonl.gz") and name.removesuffix(".jsonl.gz") not in indexed
    ]
    done = Done()
    with ThreadPoolExecutor(_READERS) as pool:
        for data in pool.map(lambda name: _read(s3, output, f"done/{name}"), indexed.values()):
            done.add(csv.reader(io.StringIO(data.decode("utf-8", "surrogatepass"), newline="")), skip_problems)
        for data in pool.map(lambda name: _read(s3, output, f"results/{name}"), halves):
            done.add(rows_of_lines(data), skip_problems)
    return done


def rows_of_lines(packed: bytes) -> Iterator[list[str]]:
    """results/NAME.jsonl.gz -> the rows that its index has."""
    import gzip
    import json

    for line in gzip.decompress(packed).decode("utf-8", "surrogatepass").splitlines():
        found = json.loads(line)
        problem = str(found.get("problem", {}).get("type", "")).rsplit("/", 1)[-1]
        yield [found["key"], found["etag"], str(len(found.get("people", []))), problem]


def _names(s3: Any, output: Place, folder: str) -> Iterator[str]:
    prefix = output.key(folder)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=output.bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"].removeprefix(prefix)


def _read(s3: Any, output: Place, name: str) -> bytes:
    data: bytes = s3.get_object(Bucket=output.bucket, Key=output.key(name))["Body"].read()
    return data
