"""What a batch leaves of its photos: lines of JSON, packed, and the index by which a later run knows them."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

RESULTS: Final = "results/"
INDEX: Final = "done/"
PACKED: Final = ".jsonl.gz"


def packed(lines: Iterable[dict[str, Any]]) -> bytes:
    """Lines -> results/NAME.jsonl.gz; the same lines give the same bytes."""
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    return gzip.compress(text.encode("utf-8", "surrogatepass"), mtime=0)


def unpacked(data: bytes) -> Iterator[dict[str, Any]]:
    """results/NAME.jsonl.gz -> its lines."""
    for line in gzip.decompress(data).decode("utf-8", "surrogatepass").split("\n"):
        if line:  # not splitlines: a key may hold any of Unicode's line breaks
            yield json.loads(line)


def row_of(line: dict[str, Any]) -> list[str]:
    """A line -> its row of the index: key, ETag, how many people, the last part of its problem's type, bucket."""
    problem = str(line.get("problem", {}).get("type", "")).rsplit("/", 1)[-1]
    return [line["key"], line["etag"], str(len(line.get("people", []))), problem, str(line.get("bucket", ""))]


def index_of(lines: Iterable[dict[str, Any]]) -> bytes:
    """Lines -> done/NAME.csv, a row each, without a header."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(map(row_of, lines))
    return text.getvalue().encode("utf-8", "surrogatepass")


def rows_of_index(data: bytes) -> Iterator[list[str]]:
    """done/NAME.csv -> its rows; version 2.0 wrote them without the bucket, which is then empty."""
    for row in csv.reader(io.StringIO(data.decode("utf-8", "surrogatepass"), newline="")):
        yield [*row, ""][:5]
