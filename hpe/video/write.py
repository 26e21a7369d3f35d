"""Drawn frames -> a clip's file: through the `ffmpeg` program where there is one, else through OpenCV's own.

OpenCV writes VP8 and MPEG-4, slowly the one and with larger files the other, and no sound.
"""

from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadSettings, HpeError
from hpe.video.ffmpeg import ENCODERS, FfmpegWriter, find_ffmpeg, has_encoder

SUFFIXES: Final = (".webm", ".mp4", ".m4v", ".mov", ".mkv", ".avi")
# Faster rates than this are given in fewer frames: no screen shows them.
_FASTEST: Final = 60.0
_OPENCV: Final[dict[str, tuple[str, str]]] = {
    ".webm": ("VP80", "VP8"),
    ".mkv": ("VP80", "VP8"),
    ".mp4": ("mp4v", "MPEG-4"),
    ".m4v": ("mp4v", "MPEG-4"),
    ".mov": ("mp4v", "MPEG-4"),
    ".avi": ("mp4v", "MPEG-4"),
}


class _Writer(Protocol):
    def write(self, rgb: NDArray[np.uint8]) -> None: ...
    def close(self) -> None: ...
    def abort(self) -> None: ...


class _OpenCvWriter:
    def __init__(self, path: Path, codec: str, size: tuple[int, int], fps: float) -> None:
        self._writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), fps, size)
        if not self._writer.isOpened():
            raise HpeError(f"{path}: no clip of {size[0]}x{size[1]} px can be written there by OpenCV")

    def write(self, rgb: NDArray[np.uint8]) -> None:
        self._writer.write(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()

    abort = close


class ClipWriter:
    """Frames with their times -> a file of a constant rate: where a clip is slower for a while, frames are repeated.

    path: of the file to be written; suffix: what it will be called, which decides its format. size: (width, height) px.
    fps: the clip's. source: the clip, for its sound, which begins at `start` s. `told` says in words what was not
    possible here, '' if all was. Raises BadSettings for a suffix that is not written, HpeError for a disk that is full.
    """

    def __init__(
        self, path: Path, suffix: str, size: tuple[int, int], fps: float, source: Path, start: float = 0.0
    ) -> None:
        suffix = suffix.lower()
        if suffix not in SUFFIXES:
            raise BadSettings(f"{suffix!r} is not a clip that is written here: give one of {' '.join(SUFFIXES)}")
        self._fps = min(fps, _FASTEST)
        self._writer, self.told = _writer(path, suffix, size, self._fps, source, start)
        self._size = size
        self._begun: float | None = None
        self._written = 0
        self._waiting: NDArray[np.uint8] | None = None

    def write(self, rgb: NDArray[np.uint8], time: float) -> None:
        """(H, W, 3) uint8 RGB, s: shown from that time on."""
        if self._begun is None:
            self._begun = time
        due = round((time - self._begun) * self._fps)
        while self._waiting is not None and self._written < due:
            self._put(self._waiting)
        self._waiting = rgb

    def _put(self, rgb: NDArray[np.uint8]) -> None:
        self._writer.write(rgb)
        self._written += 1

    def close(self) -> None:
        """The last frame is in."""
        if self._waiting is not None:
            self._put(self._waiting)
        self._writer.close()

    def abort(self) -> None:
        """Stop; the file is of no use."""
        self._writer.abort()


def _writer(
    path: Path, suffix: str, size: tuple[int, int], fps: float, source: Path, start: float
) -> tuple[_Writer, str]:
    program = find_ffmpeg()
    if program and suffix in ENCODERS and has_encoder(program, ENCODERS[suffix][0][1]):
        return FfmpegWriter(program, path, suffix, size, fps, source, start), ""
    codec, name = _OPENCV[suffix]
    why = f"as {name} without sound" if program else f"as {name} without sound, since no ffmpeg is on the path"
    slow = "; .mp4 is written about ten times as fast" if codec == "VP80" else ""
    return _OpenCvWriter(path, codec, size, fps), f"written {why}{slow}"
