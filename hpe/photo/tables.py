"""Answers as tables: a row for each joint, or for each person with its joints side by side."""

import csv
import io
from typing import Any, Final

from hpe.photo.answer import Answer
from hpe.pose.skeleton import JOINTS

LONG: Final = ("people", "person", "person_score", "joint", "x", "y", "score", "confident")
WIDE: Final = (
    *("people", "person", "person_score", "box_x0", "box_y0", "box_x1", "box_y1"),
    *(f"{joint}_{what}" for joint in JOINTS for what in ("x", "y", "score", "confident")),
)


def long_rows(answer: Answer) -> list[dict[str, Any]]:
    """A row for each joint of each person, of `people` in all; a photo with nobody in it has one row, of person 0."""
    rows: list[dict[str, Any]] = []
    for number, person in enumerate((pose.to_dict() for pose in answer.people), 1):
        for joint in person["keypoints"]:
            values = (
                len(answer.people),
                number,
                person["score"],
                joint["name"],
                joint["x"],
                joint["y"],
                joint["score"],
            )
            rows.append(dict(zip(LONG, (*values, int(joint["confident"])), strict=True)))
    return _named(answer, rows)


def wide_rows(answer: Answer) -> list[dict[str, Any]]:
    """A row for each person; a photo with nobody in it has one row, of person 0."""
    rows: list[dict[str, Any]] = []
    for number, person in enumerate((pose.to_dict() for pose in answer.people), 1):
        joints = [
            value
            for joint in person["keypoints"]
            for value in (joint["x"], joint["y"], joint["score"], int(joint["confident"]))
        ]
        rows.append(
            dict(zip(WIDE, (len(answer.people), number, person["score"], *person["box"], *joints), strict=True))
        )
    return _named(answer, rows)


def _named(answer: Answer, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    name = {"file": answer.file} if answer.file else {}
    return [name | row for row in rows or [{"people": 0, "person": 0}]]


def header(*, wide: bool = False, named: bool = True) -> str:
    """The line of column names. named: with the column `file`."""
    return ",".join((("file",) if named else ()) + (WIDE if wide else LONG)) + "\n"


def as_csv(answer: Answer, *, wide: bool = False) -> str:
    """Rows of comma-separated values without a header, lines ending in LF; `file` comes first if there is a name."""
    columns = (("file",) if answer.file else ()) + (WIDE if wide else LONG)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writerows(wide_rows(answer) if wide else long_rows(answer))
    return text.getvalue()
