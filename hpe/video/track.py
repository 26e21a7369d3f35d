"""`hpe.track` for files and `hpe.Tracker` for one's own loop: everybody in a clip, with an identity, smooth."""

import functools
import math
import time as clock
from collections.abc import Callable, Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.estimator import PoseEstimator
from hpe.engine.inputs import checked_max_people, checked_threshold
from hpe.errors import BadSettings
from hpe.image.decode import picture_of
from hpe.settings import ANALYSED_SIDE
from hpe.video.ahead import ahead
from hpe.video.decode import BOUNDS, Bounds, Clip, Frame
from hpe.video.follow import Followed, Follower
from hpe.video.result import TrackedFrame, TrackedPose, tracked_pose
from hpe.video.smooth import LIVE, OneEuro
from hpe.video.window import Raw, Window, size_of

if TYPE_CHECKING:
    from hpe.image.decode import ImageLike

EVERY: Final = 5
_MOST_EVERY: Final = 1000
# What a tracker forgot by itself is smoothed from the start, s.
_GAP_S: Final = 0.5


class Tracker:
    """Frames in turn -> who is in each. For cameras and robots: nothing is held back. For a file, see `track`.

    every: frames from one run of the detector to the next; it runs at once when somebody is lost or the picture is cut.
    Between, each person costs one crop in every other frame, and optical flow in the others. With 1 both networks run
    in every frame. max_people, threshold: None for the estimator's own. smoothing: One-Euro, causal. Raises BadSettings
    for other values.
    """

    def __init__(
        self,
        estimator: PoseEstimator | None = None,
        *,
        every: int = EVERY,
        max_people: int | None = None,
        threshold: float | None = None,
        smoothing: bool = True,
    ) -> None:
        self._estimator = estimator or PoseEstimator()
        self.threshold = self._estimator.threshold if threshold is None else checked_threshold(threshold)
        self._smoothing = smoothing
        self.follower = make_follower(self._estimator, every, max_people)
        self._filters: dict[int, tuple[OneEuro, float]] = {}
        self._time = -math.inf

    def __call__(self, image: "ImageLike", time: float | None = None) -> list[TrackedPose]:
        """The next frame: an image as `PoseEstimator` takes it -> its people, px of the image, smallest id first.

        time: s, later than that of the frame before; None for now. An identity is given to somebody new in the third
        frame that shows them, so that what flickers is nobody. Raises BadSettings for a time that goes back.
        """
        now = clock.monotonic() if time is None else float(time)
        if not now > self._time or not math.isfinite(now):
            raise BadSettings(f"time={now:g} s does not come after {self._time:g} s: give each frame its own, rising")
        picture = picture_of(image, ANALYSED_SIDE)
        followed, scale = self.follower(picture.rgb, now), picture.rgb.shape[1] / picture.width
        self._time = now
        if followed.cut:
            self._filters.clear()
        poses = [
            tracked_pose(seen, self.follower.ids[key], self._smooth(key, seen, now), self.threshold, scale)
            for key, seen in followed.tracks
            if key in self.follower.ids
        ]
        return sorted(poses, key=lambda pose: pose.id)

    def _smooth(self, key: int, seen: Any, now: float) -> NDArray[np.float64]:
        if not self._smoothing:
            return np.asarray(seen.points, np.float64)
        self._filters = {k: kept for k, kept in self._filters.items() if now - kept[1] <= _GAP_S}
        euro = self._filters.get(key, (OneEuro(LIVE), now))[0]
        self._filters[key] = euro, now
        return euro(seen.points, seen.scores, size_of(seen), now)


def track(
    clip: str | PathLike[str],
    *,
    estimator: PoseEstimator | None = None,
    every: int = EVERY,
    max_people: int | None = None,
    threshold: float | None = None,
    smoothing: bool = True,
    start: float = 0.0,
    end: float = math.inf,
    bounds: Bounds = BOUNDS,
) -> Iterator[TrackedFrame]:
    """A clip's file -> its frames in turn, each with its people: `frame.time`, `frame.poses[0].id`, `frame.rgb`.

    start, end: s, a part of it. The other options are those of `Tracker`; here smoothing runs forward and backward, for
    which up to 0.8 s of frames are held back. What is wrong with the file or an option is raised before the first
    frame: UnsupportedVideo, BrokenVideo, TooLarge, BadRequest, BadSettings. A clip that is cut off or damaged raises
    BrokenVideo after the last frame that can be read.
    """
    if not 0 <= start < end:
        raise BadSettings(f"start={start:g}, end={end:g}: give seconds from 0, the start before the end")
    opened = Clip(clip, bounds)
    try:
        estimator = estimator or PoseEstimator()
        limit = estimator.threshold if threshold is None else checked_threshold(threshold)
        follower = make_follower(estimator, every, max_people)
    except BaseException:
        opened.close()
        raise
    return _frames(opened, follower, limit, smoothing, start, end)


def _frames(
    clip: Clip, follower: Follower, threshold: float, smoothing: bool, start: float, end: float
) -> Iterator[TrackedFrame]:
    with clip:
        window = Window(lambda: follower.ids, threshold, clip.fps, smoothing)
        yield from window(raw_frames(ahead(clip.read(start=start, end=end)), follower))


def raw_frames(
    frames: Iterator[Frame], follower: Follower, after: Callable[[Frame, Followed], None] | None = None
) -> Iterator[Raw]:
    """Frames -> who is in each, not smoothed. after: called with each as it is done."""
    for frame in frames:
        picture = picture_of(frame.rgb, ANALYSED_SIDE)
        followed = follower(picture.rgb, frame.time)
        if after:
            after(frame, followed)
        yield Raw(frame, followed, picture.rgb.shape[1] / frame.rgb.shape[1])


def make_follower(estimator: PoseEstimator, every: int = EVERY, max_people: int | None = None) -> Follower:
    """An estimator's two callables and its card -> a Follower. Raises BadSettings."""
    if isinstance(every, bool) or not isinstance(every, int | np.integer) or not 1 <= every <= _MOST_EVERY:
        raise BadSettings(f"every={every!r}: give a whole number of frames from 1 to {_MOST_EVERY}, like {EVERY}")
    most = estimator.max_people if max_people is None else checked_max_people(max_people)
    find = functools.partial(estimator.pose_network, flip=estimator.flip or None)
    return Follower(estimator.detector, find, estimator.card, int(every), most)
