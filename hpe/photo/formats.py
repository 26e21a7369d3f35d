"""Every format that a photo's people are written in: a row each. A new format is one row here, and its writer.

Writers are imported by those who ask for them: a cold start waits for none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, TypeVar

from hpe.photo.answer import Answer
from hpe.photo.json_lines import json_line

if TYPE_CHECKING:
    from hpe.photo.coco_images import Images

# in the name of every result that is named after its photo, so that a folder can be done twice
MARK: Final = ".pose"
T = TypeVar("T")
Document = Callable[[Callable[[], Iterable[bytes]], IO[bytes], "bool | Images"], None]


@dataclass(frozen=True)
class Format:
    """How one format is named and written. One of an image's media type without a text is drawn by `photo.picture`.

    media_type: of POST /pose's answer; '' if only the command line writes the format. ending: of a photo's own file.
    suffixes: of a file that a user names, if they stand for this format.
    text: an Answer and a link to the photo -> one photo's whole text; None for a drawn photo, or if there is none.
    line: an Answer -> its part of a file that photos share; None if each photo has a file of its own. header: what such
    a file begins with. document: makes the file of all photos' lines once the last photo is done; it is given what
    begins with the first line each time it is called, the file, and whether a data set is wanted, or whose images the
    results are about.
    """

    media_type: str = ""
    ending: str = ""
    suffixes: tuple[str, ...] = ()
    text: Callable[[Answer, str], str] | None = None
    line: Callable[[Answer], str] | None = None
    header: Callable[[], str] = str
    document: Document | None = None

    @property
    def drawn(self) -> bool:
        """Whether it is a picture."""
        return self.media_type.startswith("image/") and self.text is None

    @property
    def single(self) -> bool:
        """Whether each photo has a file of its own, always."""
        return self.line is None


def _json(answer: Answer, link: str = "") -> str:
    return json_line(answer.to_dict())


def _csv(answer: Answer, link: str = "") -> str:
    from hpe.photo.tables import as_csv, header

    return header(named=bool(answer.file)) + as_csv(answer)


def _csv_header() -> str:
    from hpe.photo.tables import header

    return header()


def _csv_line(answer: Answer) -> str:
    from hpe.photo.tables import as_csv

    return as_csv(answer)


def _wide(answer: Answer, link: str = "") -> str:
    from hpe.photo.tables import as_csv, header

    return header(wide=True, named=bool(answer.file)) + as_csv(answer, wide=True)


def _wide_header() -> str:
    from hpe.photo.tables import header

    return header(wide=True)


def _wide_line(answer: Answer) -> str:
    from hpe.photo.tables import as_csv

    return as_csv(answer, wide=True)


def _coco(answer: Answer, link: str = "") -> str:
    from hpe.photo import coco

    return json_line(coco.results(answer, 1))


def _coco_line(answer: Answer) -> str:
    from hpe.photo import coco

    return coco.line(answer)


def _coco_document(lines: Callable[[], Iterable[bytes]], file: IO[bytes], dataset: "bool | Images") -> None:
    from hpe.photo import coco

    file.writelines(text.encode() for text in coco.document(lines, dataset))


def _openpose(answer: Answer, link: str = "") -> str:
    from hpe.photo import openpose

    return json_line(openpose.document(answer))


def _openpose_18(answer: Answer, link: str = "") -> str:
    from hpe.photo import openpose

    return json_line(openpose.document(answer, "COCO_18"))


def _yolo(answer: Answer, link: str = "") -> str:
    from hpe.photo import yolo

    return yolo.document(answer)


def _svg(answer: Answer, link: str = "") -> str:
    from hpe.photo import svg

    return svg.document(answer, link)


def _parquet_line(answer: Answer) -> str:
    from hpe.photo import parquet

    return parquet.line(answer)


def _parquet_document(lines: Callable[[], Iterable[bytes]], file: IO[bytes], dataset: "bool | Images") -> None:
    from hpe.photo import parquet

    parquet.document(lines, file)


_JSON: Final = "application/json"
FORMATS: Final[dict[str, Format]] = {
    "png": Format("image/png", f"{MARK}.png", (".png",)),
    "jpeg": Format("image/jpeg", f"{MARK}.jpg", (".jpg", ".jpeg")),
    "webp": Format("image/webp", f"{MARK}.webp", (".webp",)),
    "json": Format(_JSON, f"{MARK}.json", (".json", ".jsonl", ".ndjson"), _json, _json),
    "csv": Format("text/csv; charset=utf-8", f"{MARK}.csv", (".csv",), _csv, _csv_line, _csv_header),
    "coco": Format(_JSON, text=_coco, line=_coco_line, document=_coco_document),
    "openpose": Format(_JSON, "_keypoints.json", text=_openpose),
    "openpose-18": Format(_JSON, "_keypoints.json", text=_openpose_18),
    "yolo": Format("text/plain; charset=utf-8", ".txt", text=_yolo),
    "controlnet": Format("image/png", f".controlnet{MARK}.png"),
    "svg": Format("image/svg+xml", f"{MARK}.svg", (".svg",), _svg),
    "csv-wide": Format("", f"{MARK}.csv", text=_wide, line=_wide_line, header=_wide_header),
    "parquet": Format("", suffixes=(".parquet",), line=_parquet_line, document=_parquet_document),
}
PICTURES: Final = tuple(name for name, row in FORMATS.items() if row.drawn)
BY_SUFFIX: Final = {suffix: name for name, row in FORMATS.items() for suffix in row.suffixes}


def known(name: str, among: Iterable[str] = FORMATS) -> str | None:
    """A format's name as a user writes it -> as it is here; None if there is none of that name."""
    name = "jpeg" if name == "jpg" else name
    return name if name in among else None


def of_api() -> dict[str, str]:
    """The formats of POST /pose, with their media types."""
    return {name: row.media_type for name, row in FORMATS.items() if row.media_type}


def text_of(answer: Answer, name: str, link: str = "") -> str:
    """One photo's whole text in a format that has one. link: to the photo, for a file that can show it."""
    return _there(FORMATS[name].text)(answer, link)


def document_of(name: str) -> Document:
    """What makes the file of all photos' lines, in a format that has it."""
    return _there(FORMATS[name].document)


def _there(writer: T | None) -> T:
    if writer is None:
        raise LookupError("this format is not written so")
    return writer
