"""The `ffmpeg` program, where there is one on the path: H.264, fast VP9, and the clip's sound."""

import shutil
import subprocess  # nosec B404
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import HpeError

_WAIT_S: Final = 120
# suffix -> (picture, sound) options
ENCODERS: Final[dict[str, tuple[list[str], list[str]]]] = {
    ".webm": (
        ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-row-mt", "1", "-crf", "32", "-b:v", "0"],
        ["-c:a", "libopus", "-b:a", "96k"],
    ),
    **{
        suffix: (
            ["-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-movflags", "+faststart"],
            ["-c:a", "aac", "-b:a", "128k"],
        )
        for suffix in (".mp4", ".m4v", ".mov")
    },
    ".mkv": (["-c:v", "libx264", "-preset", "veryfast", "-crf", "21"], ["-c:a", "aac", "-b:a", "128k"]),
}


def find_ffmpeg() -> str | None:
    """The program's path, None if there is none."""
    return shutil.which("ffmpeg")


class FfmpegWriter:
    """RGB frames -> a file, at a constant rate, with the sound of `sound` from `start` s on."""

    def __init__(
        self, program: str, path: Path, suffix: str, size: tuple[int, int], fps: float, sound: Path, start: float
    ) -> None:
        width, height = size
        picture, audio = ENCODERS[suffix]
        rate = f"{fps:.6g}"
        # sides are made even, as nearly all players want them; OpenCV turns RGB into YUV in half of ffmpeg's time
        self._odd = (height % 2, width % 2)
        size_of = f"{width + width % 2}x{height + height % 2}"
        raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size_of, "-r", rate, "-i", "pipe:0"]
        other = ["-ss", f"{start:.3f}", "-i", str(sound.resolve())]
        container = {".webm": "webm", ".mkv": "matroska", ".mov": "mov"}.get(suffix, "mp4")
        command = [program, "-y", "-nostdin", "-loglevel", "error", *raw, *other, "-map", "0:v", "-map", "1:a:0?"]
        command += [*picture, "-pix_fmt", "yuv420p", *audio, "-shortest", "-f", container, str(path.resolve())]
        self._told: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the program)
        self._process: subprocess.Popen[bytes] = subprocess.Popen(  # nosec B603  # noqa: S603 (no shell; options of our own)
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._told
        )

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """(H, W, 3) uint8 RGB. Raises HpeError with ffmpeg's own words if it has stopped."""
        assert self._process.stdin is not None  # nosec B101  # noqa: S101 (for type checkers: it is a pipe)
        try:
            self._process.stdin.write(np.ascontiguousarray(self._yuv(rgb)).data)
        except OSError as error:
            raise self._failed() from error

    def _yuv(self, rgb: NDArray[np.uint8]) -> NDArray[Any]:
        if any(self._odd):
            rgb = np.asarray(cv2.copyMakeBorder(rgb, 0, self._odd[0], 0, self._odd[1], cv2.BORDER_REPLICATE), np.uint8)
        return cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)

    def close(self) -> None:
        """The last frame is in. Raises HpeError if the file could not be finished."""
        assert self._process.stdin is not None  # nosec B101  # noqa: S101 (for type checkers: it is a pipe)
        with suppress(OSError):
            self._process.stdin.close()
        try:
            code = self._process.wait(_WAIT_S)
        except subprocess.TimeoutExpired:
            self.abort()
            raise HpeError(f"ffmpeg did not finish the file within {_WAIT_S} s") from None
        if code:
            raise self._failed()
        self._told.close()

    def _failed(self) -> HpeError:
        self.abort()
        with suppress(OSError, ValueError):
            self._told.seek(0)
            told = self._told.read().decode("utf-8", "replace").strip().splitlines()
            return HpeError(f"ffmpeg could not write the clip: {told[-1] if told else 'it said nothing'}")
        return HpeError("ffmpeg could not write the clip")

    def abort(self) -> None:
        """Stop at once; what is written is of no use."""
        with suppress(OSError):
            self._process.kill()
        with suppress(Exception):
            self._process.wait(5)


def has_encoder(program: str, name: str) -> bool:
    """Whether this ffmpeg was built with an encoder."""
    done: Any = subprocess.run(  # nosec B603  # noqa: S603 (no shell; options of our own)
        [program, "-hide_banner", "-encoders"], capture_output=True, timeout=20, check=False
    )
    return f" {name} ".encode() in done.stdout
