"""Answers as Apache Parquet: the rows of the CSV, typed. Needs pyarrow."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, Any

from hpe.photo.answer import Answer
from hpe.photo.json_lines import FILE, json_line
from hpe.photo.tables import long_rows


def line(answer: Answer) -> str:
    """One photo's part of what `document` reads."""
    return json_line({FILE: answer.file, "rows": long_rows(answer)})


def document(lines: Callable[[], Iterable[bytes]], file: IO[bytes]) -> None:
    """Lines of photos -> a Parquet file with a row for each joint, as in CSV. Needs pyarrow."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    real, text = pyarrow.float64(), pyarrow.string()
    number = pyarrow.int32()
    columns = [("file", text), ("people", number), ("person", number), ("person_score", real), ("joint", text)]
    columns += [("x", real), ("y", real), ("score", real), ("confident", pyarrow.bool_()), ("state", text)]
    schema = pyarrow.schema([*columns, ("degrees", real), ("degrees_error", real)])
    with ParquetWriter(file, schema) as writer:
        for rows in _chunks(row for line in lines() for row in json.loads(line)["rows"]):
            writer.write_table(pyarrow.Table.from_pylist([_typed(row) for row in rows], schema))


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "confident": bool(row["confident"])} if "confident" in row else row


def _chunks(rows: Iterator[dict[str, Any]], size: int = 20_000) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(rows, size)):
        yield chunk
