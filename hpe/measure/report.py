"""What `hpe eval` found, as a table for people and as JSON for programs."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hpe.measure.protocols import Measure
from hpe.score.pck import GROUPS

KIND_COLUMNS = {
    "people": "people",
    "found": "found, %",
    "joints": "joints",
    "right": "right, %",
    "confident_wrong": "confident but wrong, %",
    "swapped": "left and right swapped, %",
}


@dataclass(frozen=True)
class Figure:
    """One figure with the words after it. of: how many were counted; `{of}` in the text stands for it."""

    text: str
    value: float
    of: int = 0
    unit: str = "%"

    def as_text(self) -> str:
        return f"{_number(self.value):>6} {self.unit:1}  {self.text.format(of=self.of)}"


def percent(text: str, marks: Sequence[bool]) -> Figure:
    """The share of what is true; nan if there is nothing."""
    return Figure(text, 100 * sum(marks) / len(marks) if marks else math.nan, len(marks))


@dataclass
class Report:
    """measures: rows of PCK; average_precision: rows of COCO's figures by name; figures: others by name; kinds: rows of
    `hpe.measure.kinds` by kind of person; reliability: of joints' scores, by tenth.
    """

    model: str
    architecture: str
    input_size: str
    flip: bool
    data: str = ""
    people: int = 0
    photos: int = 0
    measures: list[Measure] = field(default_factory=list)
    average_precision: dict[str, dict[str, float]] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    kinds: dict[str, dict[str, float]] = field(default_factory=dict)
    reliability: list[tuple[float, float, int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain numbers to two decimals; null if there is nothing to measure."""
        content: dict[str, Any] = _rounded(asdict(self))
        return content


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 2)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list | tuple) else value


def as_text(report: Report, per_joint: bool = False) -> str:
    """The report as lines of text."""
    flip = ", averaged with the mirrored picture" if report.flip else ""
    parts = [f"{report.model}: {report.architecture}, {report.input_size} px{flip}"]
    if report.people:
        photos = f" in {report.photos:,} photos" if report.photos else ""
        parts.append(f"{report.data}: {report.people:,} people{photos}")
    if report.measures:
        parts += ["", *grid(_group_rows(report.measures))]
    if report.measures and per_joint:
        parts += ["", *grid(_joint_rows(report.measures))]
    if report.average_precision:
        parts += ["", *grid(_precision_rows(report.average_precision))]
    if report.figures:
        parts += ["", *(figure.as_text() for figure in report.figures.values())]
    if report.kinds:
        parts += ["", *grid(_kind_rows(report.kinds))]
    if report.reliability:
        rows = [["joints with a score of about", "are right, %", "joints"]]
        rows += [[f"{score:.2f}", _number(right), f"{count:,}"] for score, right, count in report.reliability]
        parts += ["", *grid(rows)]
    if report.notes:
        parts += ["", *report.notes]
    return "\n".join(parts)


def as_markdown(report: Report) -> str:
    """The tables of whole photos, as docs/model.md has them."""
    parts = [f"`{report.data}`, {report.people:,} people in {report.photos:,} photos; {report.architecture}:"]
    if report.average_precision:
        parts.append(markdown(_precision_rows(report.average_precision)))
    if report.figures:
        rows = [
            [figure.text.format(of=f"{figure.of:,}"), f"{_number(figure.value)} {figure.unit}".strip()]
            for figure in report.figures.values()
        ]
        parts.append(markdown([["", ""], *rows]))
    if report.kinds:
        parts.append(markdown(_kind_rows(report.kinds)))
    if report.reliability:
        scores, right, joints = zip(*report.reliability, strict=True)
        rows = [
            ["joint score of about", *(f"{score:.2f}" for score in scores)],
            ["are right, %", *(f"{share:.0f}" for share in right)],
            ["joints", *(f"{count:,}" for count in joints)],
        ]
        parts.append(markdown(rows))
    return "\n\n".join(parts)


def markdown(rows: list[list[str]]) -> str:
    """A head and rows -> a Markdown table, the first column flush left."""
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))


def _group_rows(measures: list[Measure]) -> list[list[str]]:
    head = ["%", *GROUPS, "|", "mean", "limbs"]
    rows = [
        [m.name, *(_number(m.groups[group]) for group in GROUPS), "|", _number(m.mean), _number(m.limbs)]
        for m in measures
    ]
    return [head, *rows]


def _joint_rows(measures: list[Measure]) -> list[list[str]]:
    head = ["%", *(m.name for m in measures)]
    return [head, *([joint, *(_number(m.joints[joint]) for m in measures)] for joint in measures[0].joints)]


def _precision_rows(rows: dict[str, dict[str, float]]) -> list[list[str]]:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    return [
        ["average precision, %", *names],
        *([name, *(_number(row.get(column, math.nan)) for column in names)] for name, row in rows.items()),
    ]


def _kind_rows(kinds: dict[str, dict[str, float]]) -> list[list[str]]:
    counts = ("people", "joints")
    rows = [
        [name, *(f"{row[key]:,.0f}" if key in counts else _number(row[key]) for key in KIND_COLUMNS)]
        for name, row in kinds.items()
    ]
    return [["shown, by kind of person", *KIND_COLUMNS.values()], *rows]


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:z.1f}"


def grid(rows: list[list[str]]) -> list[str]:
    """Columns as wide as need be, the first flush left; a rule under the head."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return [lines[0].replace("|", "│"), "─" * len(lines[0]), *(line.replace("|", "│") for line in lines[1:])]
