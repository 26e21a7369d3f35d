"""What is found in a clip: frames with their times, and in each the people with their identities."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpe.pose.result import Pose
from hpe.video.tracks import Seen


@dataclass(frozen=True, eq=False, kw_only=True)
class TrackedPose(Pose):
    """One person in one frame: a `Pose` whose points are smoothed, px of the frame.

    id: who it is, from 1, the same in every frame of a scene. raw: (J, 2) float32, the points before that.
    """

    id: int
    raw: NDArray[np.float32]

    def __post_init__(self) -> None:
        super().__post_init__()
        raw = np.array(self.raw, dtype=np.float32)
        raw.flags.writeable = False
        object.__setattr__(self, "raw", raw)

    def __reduce__(self) -> "tuple[Callable[..., TrackedPose], tuple[object, ...]]":  # type: ignore[override]
        return _again, (self.points, self.scores, self.box, self.score, self.threshold, self.id, self.raw)

    def scaled(self, factor_x: float, factor_y: float) -> "TrackedPose":
        """The same person in a picture that is `factor` times as large; pixel centres at integers."""
        larger = Pose.scaled(self, factor_x, factor_y)
        raw = (self.raw + 0.5) * np.array([factor_x, factor_y], np.float32) - 0.5
        return replace(self, points=larger.points, box=larger.box, raw=raw.astype(np.float32))


def _again(*values: Any) -> TrackedPose:
    return TrackedPose(*values[:-2], id=values[-2], raw=values[-1])


@dataclass(frozen=True)
class TrackedFrame:
    """One picture of a clip with the people in it, those with the smaller id first.

    index: of the clip's frames, from 0. time: s from its start. rgb: (H, W, 3) uint8 RGB, upright. detected: whether
    the detector ran; in other frames people are followed. cut: whether a new scene begins here.
    """

    index: int
    time: float
    poses: list[TrackedPose]
    rgb: NDArray[np.uint8] = field(repr=False)
    detected: bool
    cut: bool


def tracked_pose(seen: Seen, id: int, points: NDArray[np.floating], threshold: float, scale: float) -> TrackedPose:
    """A person as seen, (J, 2) smoothed px of the analysed picture, and its px to one of the frame -> TrackedPose."""
    pose = TrackedPose(
        points=points.astype(np.float32),
        scores=seen.scores.astype(np.float32),
        box=seen.box.astype(np.float32),
        score=seen.score,
        threshold=threshold,
        id=id,
        raw=seen.points.astype(np.float32),
    )
    return pose if scale == 1 else pose.scaled(1 / scale, 1 / scale)
