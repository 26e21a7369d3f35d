"""Where results go: beside the photos, into a folder, a file, or standard output. Never over a photo."""

import contextlib
import csv
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from hpe.commands.photos import MARK, STDIN, Photo

IMAGES: Final = ("png", "jpeg", "webp")
FORMATS: Final = (*IMAGES, "json", "csv")
_EXTENSIONS: Final = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "json": ".json", "csv": ".csv"}
_BY_SUFFIX: Final = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
}
_CSV_HEADER: Final = ("file", "person", "person_score", "joint", "x", "y", "score", "confident")


def choose_format(format: str | None, out: str | None) -> str:
    """--format, else what OUT's ending says, else png."""
    return format or _BY_SUFFIX.get(Path(out or "").suffix.lower(), "png")


def is_folder(out: str) -> bool:
    """Whether `-o OUT` means a folder: it is one, it ends in a slash, or its ending is not a format's."""
    if out.endswith(("/", os.sep)) or Path(out).is_dir():
        return True
    return out != STDIN and not Path(out).exists() and Path(out).suffix.lower() not in _BY_SUFFIX


def plan(photos: Sequence[Photo], format: str, out: str | None) -> dict[Photo, str]:
    """Each photo -> the file its result goes to ('-' for standard output). Raises click.UsageError."""
    if out is None:
        places = [STDIN if format not in IMAGES or photo.name == STDIN else "" for photo in photos]
    elif is_folder(out):
        places = [""] * len(photos)
    else:
        places = [out] * len(photos)
    if format in IMAGES and len(photos) > 1 and out is not None and not is_folder(out):
        where = "standard output holds" if out == STDIN else f"{out} is one file and holds"
        raise click.UsageError(f"{where} one picture, here are {len(photos)} photos: give a folder, like -o drawn/")
    if format in IMAGES and STDIN in places and sys.stdout.isatty():
        raise click.UsageError(f"a {format} is no text for a terminal: add -o NAME, or > NAME")
    taken: set[str] = set()
    targets = {}
    for photo, place in zip(photos, places, strict=True):
        targets[photo] = place or _free_name(photo, format, Path(out) / photo.within if out else photo.path, taken)
    _refuse_overwriting(photos, targets.values())
    return targets


def _free_name(photo: Photo, format: str, near: Path, taken: set[str]) -> str:
    """a.jpg -> a.pose.png; where a.png came first, a.jpg.pose.png, then a.jpg-2.pose.png."""
    for stem in (near.stem, near.name, *(f"{near.name}-{number}" for number in range(2, len(taken) + 3))):
        name = str(near.with_name(f"{stem}{MARK}{_EXTENSIONS[format]}"))
        if name not in taken:
            taken.add(name)
            return name
    raise AssertionError("one of so many names is free")


def _refuse_overwriting(photos: Sequence[Photo], targets: Iterable[str]) -> None:
    sources = {photo.path.resolve(): photo.name for photo in photos if photo.name != STDIN}
    for target in targets:
        if target != STDIN and (source := sources.get(Path(target).resolve())):
            raise click.UsageError(f"this would overwrite the photo {source}: give another name or folder with -o")


def write_file(target: str, data: bytes) -> None:
    """All of it or nothing: a stopped command leaves no half pictures. '-' is standard output."""
    path = Path(target)
    if target == STDIN:
        stdout = click.get_binary_stream("stdout")
        stdout.write(data)
        stdout.flush()
    elif path.exists() and not path.is_file():  # /dev/stdout, a named pipe
        path.write_bytes(data)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(part).chmod(0o666 & ~_umask())
            Path(part).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(part).unlink()
            raise


def write_text(target: str, text: str, append: bool) -> None:
    """Lines as they come, to a file or to standard output ('-')."""
    if target == STDIN:
        click.echo(text, nl=False)
    else:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        with Path(target).open("a" if append else "w", encoding="utf-8", newline="") as file:
            file.write(text)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def as_json(answer: dict[str, Any]) -> str:
    """One line."""
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n"


def as_csv(answer: dict[str, Any], header: bool) -> str:
    """A row for each joint of each person; a photo with nobody in it has one row, of person 0."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(_CSV_HEADER)
    if not answer["people"]:
        writer.writerow([answer["file"], 0, *[""] * 6])
    for number, person in enumerate(answer["people"], 1):
        for joint in person["keypoints"]:
            row = [joint[key] for key in ("name", "x", "y", "score")]
            writer.writerow([answer["file"], number, person["score"], *row, int(joint["confident"])])
    return text.getvalue()
