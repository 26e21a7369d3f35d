"""Where a clip's results go: a drawn clip, tracks, or both; each whole or not at all."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, Protocol

import click

from hpe.commands.predict.photos import shown
from hpe.errors import BadSettings, HpeError
from hpe.photo.formats import MARK
from hpe.video.result import TrackedFrame
from hpe.video.rows import RowSink, need_pyarrow
from hpe.video.write import SUFFIXES, ClipWriter

ROWS: Final = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".parquet": "parquet"}
DRAWN: Final = f"{MARK}.webm"


class Sink(Protocol):
    """Takes frames in order. `told`: what was not possible, in words."""

    told: str

    def take(self, frame: TrackedFrame) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


def choose_outputs(clips: Sequence[str], outs: Sequence[str]) -> list[list[Path]]:
    """Clips and what was given with -o -> the files of each clip's results. Raises click.UsageError."""
    for out in outs:
        suffix = os.path.splitext(out)[1].lower()
        if suffix not in ROWS and suffix not in SUFFIXES and not _is_folder(out):
            raise click.UsageError(
                f"{shown(out)} is neither a clip nor tracks: end it in one of {' '.join((*SUFFIXES, *ROWS))}, or in / "
                "for a folder"
            )
    folders = [out for out in outs if _is_folder(out)]
    files = [Path(out) for out in outs if not _is_folder(out)]
    if len(clips) > 1 and files:
        raise click.UsageError(
            f"{shown(str(files[0]))} is one clip's, and there are {len(clips)}: give a folder with -o"
        )
    if folders and (len(folders) > 1 or files):
        raise click.UsageError("give files, or one folder, with -o")
    chosen = [files or [_drawn(clip, folders[0] if folders else None)] for clip in clips]
    _refuse_twice(clips, chosen)
    if any(ROWS.get(path.suffix.lower()) == "parquet" for path in files):
        need_pyarrow()
    return chosen


def _is_folder(out: str) -> bool:
    return out.endswith(("/", os.sep)) or os.path.isdir(out)


def _drawn(clip: str, folder: str | None) -> Path:
    near = Path(folder) / os.path.basename(clip) if folder else Path(clip)
    return near.with_name(near.stem + DRAWN)


def _refuse_twice(clips: Sequence[str], chosen: list[list[Path]]) -> None:
    """No clip is written over, and no file twice."""
    sources = {os.path.realpath(clip) for clip in clips}
    taken: set[str] = set()
    for path in (path for paths in chosen for path in paths):
        real = os.path.realpath(path)
        if real in sources:
            raise click.UsageError(f"this would overwrite the clip {shown(str(path))}: give another name with -o")
        if real in taken:
            raise click.UsageError(f"two results would be called {shown(str(path))}: give them apart with -o")
        taken.add(real)


class Rows:
    """Tracks into a file."""

    told = ""

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, _part_of(path)
        self._file: IO[bytes] = self._part.open("wb")
        self._sink = RowSink(self._file, ROWS[path.suffix.lower()])

    def take(self, frame: TrackedFrame) -> None:
        self._sink.take(frame)

    def close(self) -> None:
        self._sink.close()
        self._file.close()
        self._part.replace(self._path)

    def abort(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)


class Drawn:
    """Frames, drawn already, into a clip."""

    def __init__(self, path: Path, clip: Path, fps: float, start: float) -> None:
        self._path, self._clip, self._fps, self._start = path, clip, fps, start
        self._part = _part_of(path)
        self._writer: ClipWriter | None = None
        self.told = ""

    def take(self, frame: TrackedFrame) -> None:
        if self._writer is None:
            size = frame.rgb.shape[1], frame.rgb.shape[0]
            suffix = self._path.suffix
            self._writer = ClipWriter(self._part, suffix, size, self._fps, self._clip, self._start)
            self.told = self._writer.told
        self._writer.write(frame.rgb, frame.time)

    def close(self) -> None:
        if self._writer is None:
            return
        self._writer.close()
        if not self._part.is_file() or not self._part.stat().st_size:
            raise HpeError(f"{shown(str(self._path))}: the clip could not be written: is the disk full?")
        self._part.replace(self._path)

    def abort(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(HpeError, OSError):
                self._writer.abort()
        self._part.unlink(missing_ok=True)


def open_sink(path: Path, clip: Path, fps: float, start: float) -> Sink:
    """A result's file -> what writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return Rows(path) if path.suffix.lower() in ROWS else Drawn(path, clip, fps, start)


def draws(path: Path) -> bool:
    """Whether this result needs the pictures."""
    return path.suffix.lower() in SUFFIXES


def _part_of(path: Path) -> Path:
    # with the suffix, by which writers choose a format
    return path.with_name(f".hpe-{os.getpid()}-{path.name}")


def refuse_done(paths: Sequence[Path]) -> None:
    """Raises BadSettings for results that are there already."""
    for path in paths:
        if path.exists():
            raise BadSettings(f"{shown(str(path))} is there already: give another name with -o, or --overwrite")
