"""Tracks as rows, one for each person in each frame: JSON lines, CSV or Parquet. The JSON of one row is the format that
the website and the API read as well."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

import numpy as np

from hpe.errors import BadSettings
from hpe.pose.skeleton import KEYPOINTS
from hpe.video.result import TrackedFrame, TrackedPose

MEDIA_TYPE: Final = "application/jsonl"
_ROWS: Final = 5_000


def json_lines(frame: TrackedFrame) -> str:
    """A frame -> a line for each person in it: {"frame", "time", "id", "score", "box", "threshold", "keypoints",
    "raw", "angles"}.

    keypoints: {name: [x, y, score]}, smoothed; raw: {name: [x, y]}, before that; px of the upright frame. time: s.
    threshold: joints that score lower are unsure. angles: {name: degrees}, without those of which a joint is.
    """
    return "".join(json.dumps(_row(frame, pose), separators=(",", ":")) + "\n" for pose in frame.poses)


def _row(frame: TrackedFrame, pose: TrackedPose) -> dict[str, Any]:
    names = KEYPOINTS[: len(pose.points)]
    points, raw, scores = _tenths(pose.points), _tenths(pose.raw), np.round(pose.scores.astype(np.float64), 3).tolist()
    return {
        "frame": frame.index,
        "time": round(frame.time, 4),
        "id": pose.id,
        "score": round(pose.score, 3),
        "box": _tenths(pose.box),
        "threshold": round(float(pose.threshold), 4),
        "keypoints": {name: [*points[j], scores[j]] for j, name in enumerate(names)},
        "raw": dict(zip(names, raw, strict=True)),
        "angles": angles_of(pose),
    }


def angles_of(pose: TrackedPose) -> dict[str, float]:
    """{name: degrees} of the angles whose joints are sure."""
    found = pose.angles()
    return {name: round(angle.degrees, 1) for name, angle in found.items() if angle is not None}


def _tenths(values: np.ndarray[Any, Any]) -> Any:
    return np.round(values.astype(np.float64), 1).tolist()


def columns(joints: int, angles: Iterable[str]) -> tuple[str, ...]:
    """The names of a table's columns. joints: how many the model estimates."""
    each = (f"{name}_{part}" for name in KEYPOINTS[:joints] for part in ("x", "y", "score", "raw_x", "raw_y"))
    box = ("x0", "y0", "x1", "y1")
    return ("frame", "time", "id", "score", *box, *each, *(f"angle_{name}" for name in angles))


def table_rows(frame: TrackedFrame) -> Iterator[list[Any]]:
    """A frame -> a row for each person, in the order of `columns`; None for an angle that is not known."""
    for pose in frame.poses:
        row = _row(frame, pose)
        joints = (value for name, at in row["keypoints"].items() for value in (*at, *row["raw"][name]))
        found = row["angles"]
        yield [
            *(row[name] for name in ("frame", "time", "id", "score")),
            *row["box"],
            *joints,
            *(found.get(name) for name in pose.angles()),
        ]


class RowSink:
    """Takes frames, writes rows. format: "jsonl", "csv" or "parquet". Raises BadSettings if that needs a package."""

    def __init__(self, file: IO[bytes], format: str) -> None:
        self._file, self._format = file, format
        self._columns: tuple[str, ...] = ()
        self._rows: list[list[Any]] = []
        self._parquet: Any = None
        if format == "parquet":
            need_pyarrow()

    def take(self, frame: TrackedFrame) -> None:
        """One frame's people."""
        if self._format == "jsonl":
            self._file.write(json_lines(frame).encode())
            return
        if frame.poses and not self._columns:
            self._begin(frame.poses[0])
        if self._format == "csv":
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(table_rows(frame))
            self._file.write(text.getvalue().encode())
            return
        self._rows += table_rows(frame)
        if len(self._rows) >= _ROWS:
            self._flush()

    def _begin(self, pose: TrackedPose | None) -> None:
        joints, angles = (len(pose.points), tuple(pose.angles())) if pose is not None else (0, ())
        self._columns = columns(joints, angles)
        if self._format == "csv":
            self._file.write((",".join(self._columns) + "\n").encode())

    def _flush(self) -> None:
        import pyarrow
        from pyarrow.parquet import ParquetWriter

        whole = ("frame", "id")
        schema = pyarrow.schema(
            [(name, pyarrow.int32() if name in whole else pyarrow.float64()) for name in self._columns]
        )
        if self._parquet is None:
            self._parquet = ParquetWriter(self._file, schema)
        rows = [dict(zip(self._columns, row, strict=True)) for row in self._rows]
        self._parquet.write_table(pyarrow.Table.from_pylist(rows, schema))
        self._rows = []

    def close(self) -> None:
        """The last frame is in: what is left is written. The file stays open."""
        if self._format != "jsonl" and not self._columns:
            self._begin(None)
        if self._format == "parquet":
            self._flush()
            self._parquet.close()


def need_pyarrow() -> None:
    """Raises BadSettings if Parquet cannot be written here."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ModuleNotFoundError as error:
        raise BadSettings("parquet needs pyarrow, which is not installed: pip install pyarrow") from error
