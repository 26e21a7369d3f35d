"""A clip's file -> its frames, upright, with the stream's own times: OpenCV's FFmpeg, within bounds.

What is wrong with a file is told in words: another kind, a codec that is not read (AV1), cut off, too large.
"""

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadRequest, BrokenVideo, HpeError, UnsupportedVideo, VideoTooLarge
from hpe.video.containers import container_of
from hpe.video.interlaced import may_be_interlaced

# Before the first clip is opened: FFmpeg has a line for every damaged place, on the terminal of whoever runs this.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

# A clip that names no rate, or one that no camera has, is taken for one of this, frames a second.
USUAL_FPS: Final = 30.0
_FASTEST: Final = 1000.0
# Of the files alone: a clip that names addresses would make FFmpeg fetch them.
_OPTIONS: Final = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_OPEN_MS: Final = 30_000
# A clip is cut off if so much of its time is missing at the end; what files say of it is off by a little.
_MISSING_SHARE: Final = 0.05
_MISSING_S: Final = 0.5
# So many pictures of a clip that may be interlaced are compared: see `hpe.video.interlaced`.
_SAME_FRAMES: Final = 10
# LOG_LEVEL_SILENT of OpenCV 4 and 5
_SILENT: Final = 0
_opening = threading.Lock()


@dataclass(frozen=True)
class Bounds:
    """What a clip may be: px of a frame, minutes, frames."""

    pixels: int = 36_000_000  # 8K
    minutes: float = 240.0
    frames: int = 1_000_000


BOUNDS: Final = Bounds()


@dataclass(frozen=True)
class Frame:
    """One picture of a clip. index: of the whole clip, from 0. time: s from its start. rgb: (H, W, 3) uint8 RGB."""

    index: int
    time: float
    rgb: NDArray[np.uint8]


class Clip:
    """A clip that is open: what it says of itself, and its frames, once. Close it, or use it as a context manager.

    width, height: px, upright. fps: frames a second as the file says, 30 if it does not. frames: how many there are as
    the file says, 0 if it does not; duration: s, likewise. codec: four letters.

    Raises UnsupportedVideo, BrokenVideo, VideoTooLarge, BadRequest (a file that cannot be read) with what to do.
    """

    def __init__(self, path: str | PathLike[str], bounds: Bounds = BOUNDS) -> None:
        self.path, self.bounds = Path(path), bounds
        try:
            if self.path.exists() and not (self.path.is_file() or self.path.is_dir()):
                raise BadRequest(f"{self.path} is a pipe or a device: save the clip in a file, and give that")
            self.container = container_of(self.path)
        except OSError as error:
            raise BadRequest(f"{self.path}: {error.strerror or error}: give the file of a clip") from error
        self._capture = _opened(self.path)
        if not self._capture.isOpened():
            raise BrokenVideo(
                "no picture can be found in the clip: it has sound alone, or is damaged or cut off. Copy or record it "
                "again"
            )
        self.width, self.height = (self._whole(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if 0 < fps < _FASTEST else USUAL_FPS
        self.frames = self._whole(cv2.CAP_PROP_FRAME_COUNT)
        self.duration = self.frames / self.fps
        self.codec = self._whole(cv2.CAP_PROP_FOURCC).to_bytes(4, "little").decode("latin-1").strip()
        try:
            self._check()
        except HpeError:
            self.close()
            raise

    def _whole(self, what: int) -> int:
        value = float(self._capture.get(what))
        return int(value) if math.isfinite(value) and 0 < value < 2**40 else 0

    def _check(self) -> None:
        bounds = self.bounds
        if self.width * self.height > bounds.pixels:
            raise VideoTooLarge(
                f"the clip's frames have {self.width}x{self.height} px; the limit is {bounds.pixels:,} px: "
                "save it smaller, 1280x720 px is enough",
                limit=bounds.pixels,
            )
        if self.frames > bounds.frames or self.duration > 60 * bounds.minutes:
            raise VideoTooLarge(
                f"the clip has {self.frames:,} frames in {self.duration / 60:.1f} minutes; the limits are "
                f"{bounds.frames:,} frames and {bounds.minutes:g} minutes: cut it into shorter clips",
                limit=bounds.frames,
            )

    def read(self, first: int = 0, start: float = 0.0, end: float = math.inf) -> Iterator[Frame]:
        """Frames from number `first` and from `start` s on, before `end` s. May be called once.

        What lies before is decoded as well, since not every file can be entered in its middle, but not copied. Times
        never go back: a frame whose time is missing or wrong comes one usual step after the one before it. Raises
        BrokenVideo after the last frame that could be read if others are missing, VideoTooLarge at a bound,
        UnsupportedVideo of an interlaced clip if this OpenCV does not read it.
        """
        time, index, given = -math.inf, -1, 0
        held: list[Frame] = []
        doubted = may_be_interlaced(self.codec, lambda: _opened(self.path, packets=True))
        size: tuple[int, int] | None = None
        while self._grab():
            index += 1
            time = self._time(time)
            if time >= end:
                break
            if index >= self.bounds.frames or time > 60 * self.bounds.minutes:
                raise VideoTooLarge(
                    f"the clip goes on after {index:,} frames and {time / 60:.1f} minutes, its limit: cut it into "
                    "shorter clips",
                    limit=self.bounds.frames,
                )
            if index < first or time < start:
                continue
            bgr = self._retrieve()
            if bgr is None:
                continue
            if size is None:
                size = bgr.shape[1], bgr.shape[0]
                self.width, self.height = size
            elif (bgr.shape[1], bgr.shape[0]) != size:  # streams may change it; the clip's is its first frame's
                bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
            given += 1
            held.append(Frame(index, time, np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)))
            if doubted and len(held) < _SAME_FRAMES and _all_the_same(held):
                continue
            if doubted:
                self._check_pictures(held)
                doubted = False
            yield from held
            held.clear()
        if held:
            self._check_pictures(held)
            yield from held
        if time < end:
            self._check_end(index + 1, max(time, 0.0), given, bool(first or start))

    def _check_end(self, seen: int, time: float, given: int, later: bool) -> None:
        if not seen:
            raise self._unreadable()
        missing = self.duration - time - 1 / self.fps
        if seen < self.frames and missing > max(_MISSING_S, _MISSING_SHARE * self.duration):
            raise BrokenVideo(
                f"the clip is damaged or cut off after {time:.1f} of {self.duration:.1f} s: {seen:,} of its "
                f"{self.frames:,} frames could be read. Copy or record it again"
            )
        if not given and later:
            raise BadRequest(f"nothing is left of the clip: it ends after {time:.1f} s")

    def _check_pictures(self, frames: list[Frame]) -> None:
        """Of a clip that may be interlaced: raises UnsupportedVideo if they are what is given for pictures then."""
        if _all_the_same(frames):
            raise UnsupportedVideo(
                "the clip is interlaced, as camcorders' and TV are, which is not read here: save it without "
                "(ffmpeg -i clip.mts -vf yadif -c:v libx264 new.mp4)"
            )

    def _unreadable(self) -> HpeError:
        if self.codec.lower() == "av01":
            return UnsupportedVideo(
                "the clip is in AV1, which is not read here: save it as H.264 (ffmpeg -i clip.mp4 -c:v libx264 new.mp4)"
            )
        return BrokenVideo(f"no frame of the clip can be read (codec {self.codec or 'unknown'}): save or copy it again")

    def _grab(self) -> bool:
        try:
            with _silence():
                return bool(self._capture.grab())
        except cv2.error:  # more than OpenCV takes in one picture
            return False

    def _retrieve(self) -> NDArray[Any] | None:
        try:
            with _silence():
                done, bgr = self._capture.retrieve()
        except cv2.error:
            return None
        if not done or bgr is None or bgr.size == 0:
            return None
        if bgr.shape[0] * bgr.shape[1] > self.bounds.pixels:
            raise VideoTooLarge(
                f"a frame of the clip has {bgr.shape[1]}x{bgr.shape[0]} px; the limit is {self.bounds.pixels:,} px",
                limit=self.bounds.pixels,
            )
        return bgr if bgr.ndim == 3 else np.asarray(cv2.cvtColor(bgr, cv2.COLOR_GRAY2BGR))

    def _time(self, before: float) -> float:
        """The time of the frame that was grabbed, s; later than `before`."""
        # the stream counts in ms or finer; without the noise of a division
        time = round(float(self._capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000, 6)
        if before == -math.inf:
            return time if math.isfinite(time) and 0 <= time < 60 else 0.0
        if not math.isfinite(time) or not before < time < before + 3600:
            return round(before + 1 / self.fps, 6)
        return time

    def close(self) -> None:
        """The file is let go."""
        self._capture.release()

    def __enter__(self) -> "Clip":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _all_the_same(frames: list[Frame]) -> bool:
    return all(np.array_equal(frame.rgb, frames[0].rgb) for frame in frames)


def _opened(path: Path, packets: bool = False) -> cv2.VideoCapture:
    """OpenCV's FFmpeg on this file, and on no address that it names. packets: as they lie in it, not decoded."""
    with _opening:  # the options of one clip alone: whoever else opens cameras in this process has their own
        before = os.environ.get(_OPTIONS)
        os.environ[_OPTIONS] = "protocol_whitelist;file"
        try:
            with _silence():
                return _capture(path, packets)
        finally:
            if before is None:
                del os.environ[_OPTIONS]
            else:
                os.environ[_OPTIONS] = before


def _capture(path: Path, packets: bool) -> cv2.VideoCapture:
    raw = [cv2.CAP_PROP_FORMAT, -1] if packets else []
    limits = [*raw, cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _OPEN_MS]
    return cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG, limits)


@contextmanager
def _silence() -> Iterator[None]:
    """Without OpenCV's own lines about odd files, which are told as exceptions here."""
    before = _set_log_level(_SILENT)
    try:
        yield
    finally:
        _set_log_level(before)


def _set_log_level(level: int) -> int:
    """-> the level before. OpenCV 4, which the x86_64 package has for its size, keeps it elsewhere than OpenCV 5."""
    set_level: Callable[[int], int] = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    return set_level(level)
