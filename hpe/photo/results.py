"""What was found in many images: a sequence that fills as it is read, a table, and files of any format."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

from hpe.errors import BadSettings
from hpe.photo.answer import Answer
from hpe.photo.formats import FORMATS, document_of, text_of
from hpe.photo.tables import LONG, WIDE, long_rows, wide_rows
from hpe.pose.result import Pose
from hpe.pose.svg import picture

if TYPE_CHECKING:
    import pandas

_BY_SUFFIX: Final[dict[str, str]] = {
    **{".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet", ".coco": "coco", ".svg": "svg"}
}

# JSON lines are the lines of JSON.
_ROWS: Final = {"jsonl": "json"}


@dataclass(frozen=True)
class Result(Sequence[Pose]):
    """The people in one image, best first: a sequence of poses.

    file: the image's path, '' for what has none. poses: px of the image, upright. width, height: its size, px. problem:
    why the image could not be read, '' if it could. model: what answers say of it. threshold: the poses'.
    """

    file: str
    poses: list[Pose]
    width: int = 0
    height: int = 0
    problem: str = ""
    model: Mapping[str, Any] = field(default_factory=dict, repr=False)
    threshold: float = 0.0

    def __len__(self) -> int:
        return len(self.poses)

    @overload
    def __getitem__(self, index: int) -> Pose: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pose]: ...
    def __getitem__(self, index: int | slice) -> Pose | list[Pose]:
        return self.poses[index]

    def _repr_html_(self) -> str:
        """A drawing, in notebooks."""
        return picture(self.poses)

    def answer(self, name: str = "") -> Answer:
        """As the formats take it; name: of an image without a file."""
        size = (self.width, self.height)
        return Answer(self.poses, *size, size, self.threshold, self.model, {}, self.file or name, angles=True)


class Results(Sequence[Result]):
    """One Result for each image, in order. To iterate over it starts the work, image by image; what was done is kept.

    len, an index, `to_df` and `save` first do what is left.
    """

    def __init__(self, source: Iterable[Result]) -> None:
        self._source, self._done = iter(source), list[Result]()

    def __iter__(self) -> Iterator[Result]:
        at = 0
        while at < len(self._done) or self._next():
            yield self._done[at]
            at += 1

    def _next(self) -> bool:
        for result in self._source:
            self._done.append(result)
            return True
        return False

    def _all(self) -> list[Result]:
        self._done.extend(self._source)
        return self._done

    def __len__(self) -> int:
        return len(self._all())

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> "Results": ...
    def __getitem__(self, index: int | slice) -> "Result | Results":
        found = self._all()
        return Results(found[index]) if isinstance(index, slice) else found[index]

    def __repr__(self) -> str:
        people = sum(len(result) for result in self._done)
        return f"Results({len(self._done)} images done, {people} people)"

    def __reduce__(self) -> tuple[type["Results"], tuple[list[Result]]]:
        return Results, (list(self._all()),)

    @property
    def problems(self) -> dict[str, str]:
        """{image: why it could not be read}."""
        return {answer.file: result.problem for result, answer in self._named() if result.problem}

    def _named(self) -> list[tuple[Result, Answer]]:
        # an image without a file is told apart by its number
        return [(result, result.answer(str(number))) for number, result in enumerate(self._all())]

    def _answers(self) -> list[Answer]:
        return [answer for result, answer in self._named() if not result.problem]

    def to_df(self, *, wide: bool = False) -> "pandas.DataFrame":
        """A pandas table: a row for each joint of each person, or with `wide` for each person; see docs/formats.md.

        An image with nobody in it has one row, of person 0. Raises BadSettings without pandas.
        """
        try:
            import pandas
        except ModuleNotFoundError as error:
            raise BadSettings("to_df needs pandas, which is not installed: pip install pandas") from error
        rows = [row for answer in self._answers() for row in (wide_rows if wide else long_rows)(answer)]
        return pandas.DataFrame(rows, columns=["file", *(WIDE if wide else LONG)])

    def save(self, path: str | PathLike[str], format: str | None = None) -> None:
        """Everything into one file: .json (an array), .jsonl, .csv, .parquet, .coco (a COCO dataset) or .svg.

        format: one of json, jsonl, csv, csv-wide, parquet, coco and svg, if the name's ending does not say it. An SVG
        shows one image: for several, give a folder. Raises BadSettings for what cannot be, OSError.
        """
        kind = format or _BY_SUFFIX.get(Path(path).suffix.lower(), "")
        if kind not in (*_BY_SUFFIX.values(), "csv-wide"):
            raise BadSettings(
                f"{str(path)!r} does not say in which format: end it in {', '.join(_BY_SUFFIX)}, or give "
                f"format=, one of {', '.join((*_BY_SUFFIX.values(), 'csv-wide'))}; it is {format!r}"
            )
        answers = self._answers()
        if kind == "svg":
            _save_svg(answers, Path(path))
        elif FORMATS[_ROWS.get(kind, kind)].document:
            _save_document(answers, Path(path), kind)
        else:
            Path(path).write_text("".join(_text(answers, kind)), "utf-8")


def _text(answers: Sequence[Answer], kind: str) -> Iterator[str]:
    row = FORMATS[_ROWS.get(kind, kind)]
    lines = (row.line(answer) for answer in answers if row.line)
    if kind == "json":
        yield "[\n" + ",\n".join(line.rstrip("\n") for line in lines) + "\n]\n"
    else:
        yield row.header()
        yield from lines


def _save_document(answers: Sequence[Answer], path: Path, kind: str) -> None:
    if kind == "parquet":
        try:
            import pyarrow  # noqa: F401
        except ModuleNotFoundError as error:
            raise BadSettings("parquet needs pyarrow, which is not installed: pip install pyarrow") from error
    write = FORMATS[kind].line
    lines = [write(answer).encode() for answer in answers if write]
    with path.open("wb") as file:
        document_of(kind)(lambda: iter(lines), file, True)


def _save_svg(answers: Sequence[Answer], path: Path) -> None:
    if len(answers) == 1 and not path.is_dir():
        path.write_text(text_of(answers[0], "svg"), "utf-8")
        return
    if path.suffix and not path.is_dir():
        raise BadSettings(f"an SVG shows one image, and there are {len(answers)}: give a folder instead of {path}")
    path.mkdir(parents=True, exist_ok=True)
    for number, answer in enumerate(answers):
        (path / f"{number:04}-{Path(answer.file).name}.svg").write_text(text_of(answer, "svg"), "utf-8")
