"""Frames of a file, some of them held back: each person's joints smoothed by what came before and what follows."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BrokenVideo
from hpe.video.decode import Frame
from hpe.video.follow import Followed
from hpe.video.result import TrackedFrame, tracked_pose
from hpe.video.smooth import FILE, OneEuro
from hpe.video.tracks import Seen

# What follows a frame counts for so long, s, and less if so many bytes of pictures would have to be held back.
_AHEAD_S: Final = 0.4
_AHEAD_FRAMES: Final = 24
_BYTES: Final = 300_000_000
# Who was away for longer than this is smoothed from the start, s.
_GAP_S: Final = 0.5


@dataclass(frozen=True)
class Raw:
    """A frame and who is in it. scale: px of the picture that was analysed to one of the frame."""

    frame: Frame
    followed: Followed
    scale: float
    forward: dict[int, NDArray[np.float64]] = field(default_factory=dict)


class Window:
    """Takes frames, gives them back in order. ids: which keys count as people by now; joints' threshold.

    smoothing: off gives every frame at once, as it is.
    """

    def __init__(self, ids: Callable[[], dict[int, int]], threshold: float, fps: float, smoothing: bool) -> None:
        self._ids, self._threshold, self._smoothing = ids, threshold, smoothing
        self._ahead = max(1, min(_AHEAD_FRAMES, round(_AHEAD_S * fps)))
        self._held: list[Raw] = []
        self._filters: dict[int, tuple[OneEuro, float]] = {}

    def __call__(self, frames: Iterable[Raw]) -> Iterator[TrackedFrame]:
        """Frames in order -> the same with poses; at most `2 x ahead` of them are held back.

        Several are smoothed at a time, and given one for each that comes: whoever draws them has something to do all
        along, and not all of it at once while nobody is looked for.
        """
        ready: deque[TrackedFrame] = deque()
        broken: BrokenVideo | None = None
        try:
            for raw in frames:
                if raw.followed.cut:  # never across a cut
                    ready.extend(self._give(len(self._held)))
                    self._filters.clear()
                self._held.append(self._forward(raw))
                ahead = min(self._ahead, max(1, _BYTES // max(1, 2 * raw.frame.rgb.nbytes)))
                if len(self._held) >= 2 * ahead:
                    ready.extend(self._give(len(self._held) - ahead))
                if ready:
                    yield ready.popleft()
        except BrokenVideo as error:  # what was read before it is given first
            broken = error
        yield from ready
        yield from self._give(len(self._held))
        if broken is not None:
            raise broken

    def _forward(self, raw: Raw) -> Raw:
        if not self._smoothing:
            return raw
        time, forward = raw.frame.time, {}
        for key, seen in raw.followed.tracks:
            euro, last = self._filters.get(key, (OneEuro(FILE), time))
            if time - last > _GAP_S:
                euro = OneEuro(FILE)
            self._filters[key] = euro, time
            forward[key] = euro(seen.points, seen.scores, size_of(seen), time)
        gone = [key for key, (_, last) in self._filters.items() if time - last > _GAP_S]
        for key in gone:
            del self._filters[key]
        return Raw(raw.frame, raw.followed, raw.scale, forward)

    def _give(self, count: int) -> list[TrackedFrame]:
        """The first `count` frames that are held back, smoothed by all of them."""
        points = self._backward() if self._smoothing else [{} for _ in self._held]
        given, self._held, ids = self._held[:count], self._held[count:], self._ids()
        frames = []
        for raw, smooth in zip(given, points, strict=False):
            poses = [
                tracked_pose(seen, ids[key], smooth.get(key, seen.points), self._threshold, raw.scale)
                for key, seen in raw.followed.tracks
                if key in ids
            ]
            poses.sort(key=lambda pose: pose.id)
            frame = raw.frame
            frames.append(
                TrackedFrame(frame.index, frame.time, poses, frame.rgb, raw.followed.detected, raw.followed.cut)
            )
        return frames

    def _backward(self) -> list[dict[int, NDArray[np.float64]]]:
        """The mean of both ways for every frame that is held back."""
        filters: dict[int, tuple[OneEuro, float]] = {}
        found: list[dict[int, NDArray[np.float64]]] = []
        for raw in reversed(self._held):
            time, smooth = raw.frame.time, {}
            for key, seen in raw.followed.tracks:
                euro, last = filters.get(key, (OneEuro(FILE), time))
                if last - time > _GAP_S:
                    euro = OneEuro(FILE)
                filters[key] = euro, time
                smooth[key] = (raw.forward[key] + euro(seen.points, seen.scores, size_of(seen), time)) / 2
            found.append(smooth)
        return found[::-1]


def size_of(seen: Seen) -> float:
    """How large a person is, px: the root of the box's area."""
    return float(np.sqrt(max(1.0, float((seen.box[2:] - seen.box[:2]).prod()))))
