"""Answers as tables: a row for each joint, or for each person with its joints side by side."""

import csv
import io
from typing import Any, Final

from hpe.photo.answer import Answer
from hpe.pose.angles import ANGLES
from hpe.pose.skeleton import JOINTS, KEYPOINTS

# What a cell's text begins with that spreadsheets calculate, some of them also in full width, or after white space.
_FORMULA: Final = (*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# An angle is on the row of the joint that it is at.
LONG: Final = (
    *("people", "person", "person_score", "joint", "x", "y", "score", "confident"),
    *("state", "degrees", "degrees_error"),
)
_AT: Final = {ends[1]: name for name, ends in ANGLES.items()}
# What was added later comes last; a model without a face leaves its columns empty.
WIDE: Final = (
    *("people", "person", "person_score", "box_x0", "box_y0", "box_x1", "box_y1"),
    *(f"{joint}_{what}" for joint in JOINTS for what in ("x", "y", "score", "confident")),
    *(f"{joint}_{what}" for joint in KEYPOINTS[len(JOINTS) :] for what in ("x", "y", "score", "confident")),
    *(f"{joint}_state" for joint in KEYPOINTS),
    *(f"{angle}_{what}" for angle in ANGLES for what in ("degrees", "degrees_error")),
)


def long_rows(answer: Answer) -> list[dict[str, Any]]:
    """A row for each joint of each person, of `people` in all; a photo with nobody in it has one row, of person 0."""
    rows: list[dict[str, Any]] = []
    for start, person in _people(answer):
        found = person["angles"]
        for joint in person["keypoints"]:
            row = start | {"joint": joint["name"]} | {what: joint[what] for what in ("x", "y", "score")}
            row |= {"confident": int(joint["confident"]), "state": joint["state"]}
            angle = found.get(_AT.get(joint["name"], ""))
            if angle:
                row |= {"degrees": angle["degrees"], "degrees_error": angle["error"]}
            rows.append(row)
    return _named(answer, rows)


def wide_rows(answer: Answer) -> list[dict[str, Any]]:
    """A row for each person; a photo with nobody in it has one row, of person 0."""
    rows: list[dict[str, Any]] = []
    for start, person in _people(answer):
        row = start | dict(zip(("box_x0", "box_y0", "box_x1", "box_y1"), person["box"], strict=True))
        for joint in person["keypoints"]:
            row |= {f"{joint['name']}_{what}": joint[what] for what in ("x", "y", "score", "state")}
            row[f"{joint['name']}_confident"] = int(joint["confident"])
        for name, angle in person["angles"].items():
            if angle:
                row |= {f"{name}_degrees": angle["degrees"], f"{name}_degrees_error": angle["error"]}
        rows.append(row)
    return _named(answer, rows)


def _people(answer: Answer) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What begins a person's rows, and the person as a dict."""
    people = [pose.to_dict(angles=True) for pose in answer.people]
    return [
        ({"people": len(people), "person": number, "person_score": person["score"]}, person)
        for number, person in enumerate(people, 1)
    ]


def _named(answer: Answer, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    name = {"file": answer.file} if answer.file else {}
    return [name | row for row in rows or [{"people": 0, "person": 0}]]


def cell(name: str) -> str:
    """A file's name as spreadsheets show it: one that would open as a formula begins with ./, and is the same file."""
    return f"./{name}" if name.startswith(_FORMULA) and name != "-" else name


def header(*, wide: bool = False, named: bool = True) -> str:
    """The line of column names. named: with the column `file`."""
    return ",".join((("file",) if named else ()) + (WIDE if wide else LONG)) + "\n"


def as_csv(answer: Answer, *, wide: bool = False) -> str:
    """Rows of comma-separated values without a header, lines ending in LF; `file` comes first if there is a name."""
    columns = (("file",) if answer.file else ()) + (WIDE if wide else LONG)
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    rows = wide_rows(answer) if wide else long_rows(answer)
    writer.writerows({**row, "file": cell(answer.file)} if answer.file else row for row in rows)
    return text.getvalue()
