"""Answers as the lines that a file of many photos is made of, one photo at a time; documents are made of such lines."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any

from hpe.photo import coco
from hpe.photo.answer import Answer
from hpe.photo.tables import as_csv, header, long_rows

# what of a line names its photo
FILE = "file"


def json_line(value: dict[str, Any]) -> str:
    """One line. Characters stay readable."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def line(answer: Answer, format: str) -> str:
    """One photo's part of a file: the JSON answer, rows of CSV, or what `coco_document` and `parquet_file` read."""
    if format in ("csv", "csv-wide"):
        return as_csv(answer, wide=format == "csv-wide")
    if format == "coco":
        parts = {"results": coco.results(answer, 0), "marked": coco.annotations(answer, 0, 0)}
        return json_line({FILE: answer.file, "image": coco.image(answer, 0), **parts})
    if format == "parquet":
        return json_line({FILE: answer.file, "rows": long_rows(answer)})
    return json_line(answer.to_dict())


def first_line(format: str) -> str:
    """What such a file begins with."""
    return header(wide=format == "csv-wide") if format in ("csv", "csv-wide") else ""


def coco_document(lines: Iterable[bytes], dataset: bool, again: Iterable[bytes] = ()) -> Iterator[str]:
    """Lines of photos -> the text of COCO results, in pieces; with `dataset` of images, annotations and categories.

    again: the same lines once more, which a dataset needs. An image's id is its number in a dataset; in results, which
    are about someone else's, it is the number that its file is named by, else the name.
    """
    if not dataset:
        parts = map(json.loads, lines)
        entries = ({**entry, "image_id": coco.image_id(p[FILE])} for p in parts for entry in p["results"])
        yield from _listed("[\n", entries, "\n]\n")
        return
    images = ({**json.loads(text)["image"], "id": number} for number, text in enumerate(lines, 1))
    yield from _listed('{"images": [\n', images, "\n],\n")
    marked = (
        {**entry, "image_id": number} for number, text in enumerate(again, 1) for entry in json.loads(text)["marked"]
    )
    numbered = ({**entry, "id": number} for number, entry in enumerate(marked, 1))
    yield from _listed('"annotations": [\n', numbered, "\n],\n")
    yield f'"categories": {json.dumps([coco.CATEGORY])}}}\n'


def _listed(start: str, entries: Iterable[dict[str, Any]], end: str) -> Iterator[str]:
    yield start
    between = ""
    for entry in entries:
        yield between + json.dumps(entry, ensure_ascii=False)
        between = ",\n"
    yield end


def parquet_file(lines: Iterable[bytes], file: IO[bytes]) -> None:
    """Lines of photos -> a Parquet file with a row for each joint, as in CSV. Needs pyarrow."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    real, text = pyarrow.float64(), pyarrow.string()
    number = pyarrow.int32()
    columns = [("file", text), ("people", number), ("person", number), ("person_score", real), ("joint", text)]
    schema = pyarrow.schema([*columns, ("x", real), ("y", real), ("score", real), ("confident", pyarrow.bool_())])
    with ParquetWriter(file, schema) as writer:
        for rows in _chunks(row for line in lines for row in json.loads(line)["rows"]):
            writer.write_table(pyarrow.Table.from_pylist([_typed(row) for row in rows], schema))


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "confident": bool(row["confident"])} if "confident" in row else row


def _chunks(rows: Iterator[dict[str, Any]], size: int = 20_000) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(rows, size)):
        yield chunk
