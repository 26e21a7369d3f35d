"""One person followed through a clip: where they were last, how they move, and where they are expected next."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.pose.boxes import AREA_OF_BOX, OKS_SIGMAS

# s over which a velocity is averaged.
_SPEED_S: Final = 0.12
# How long a hidden person is expected to go on as before, s.
_GOES_ON_S: Final = 0.6
# Of a box's sides: how far beyond the outermost sure joint a box reaches at least.
_ROOM: Final = 0.04
_COMMON: Final = 4
# How long the last sight in the clear says where somebody goes, s; how little of a box may be covered in one, and how
# much lower than the one before it may score.
CLEAR_S: Final = 1.0
_COVERED: Final = 0.15
_WHOLE: Final = 0.8


@dataclass(frozen=True)
class Seen:
    """One person in one frame, as the networks give it. J joints, px of the frame.

    points: (J, 2) float64. scores: (J,) float32. box: (4,) float64. score: how likely a person is there. located: the
    detector's score, the last one if it did not run. look: of `hpe.video.look`, None if it was not taken.
    """

    points: NDArray[np.float64]
    scores: NDArray[np.float32]
    box: NDArray[np.float64]
    score: float
    located: float
    look: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Clear:
    """Where somebody was when nobody was before or behind them: time, s; box, (4,) px; velocity, (2,) px/s; score.

    What is seen of them while somebody covers them draws them to the part that shows, and says little of where they
    go: the last sight in the clear says more (Cao et al., CVPR 2023, arXiv 2203.14360).
    """

    time: float
    box: NDArray[np.float64]
    velocity: NDArray[np.float64]
    score: float

    def expected(self, time: float) -> NDArray[np.float64]:
        """(4,) px: the box as they went on since."""
        return self.box + np.tile(self.velocity * (time - self.time), 2)


@dataclass
class Track:
    """key: its number in the tracker. id: what users see, 0 as long as nobody is sure that it is somebody.

    born, time: s, when it was first seen, and last. velocity: (2,) px/s. hits: frames in which it was seen. base: when
    the detector last saw it: the box then and the joints in it, from which its box follows. hidden: not seen in the
    last frame. carried: its last pose is not of the network, but of the one before, moved by optical flow. clear: the
    last sight that nobody covered.
    """

    key: int
    seen: Seen
    time: float
    threshold: float
    born: float
    id: int = 0
    hits: int = 1
    best: float = 0.0
    hidden: bool = False
    carried: bool = False
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    base: Seen | None = None
    look: NDArray[np.float32] | None = None
    clear: Clear | None = None

    def __post_init__(self) -> None:
        self.base, self.best = self.base or self.seen, max(self.best, self.seen.score)
        self.look = self.seen.look if self.look is None else self.look

    def sure(self) -> NDArray[np.bool_]:
        """(J,) bool: joints that it was last seen with."""
        return np.asarray(self.seen.scores >= self.threshold)

    def expected(self, time: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """-> (J, 2) points and (4,) box where they are expected at this time, s; px."""
        shift = self.velocity * min(max(time - self.time, 0.0), _GOES_ON_S)
        return self.seen.points + shift, self.box_now() + np.tile(shift, 2)

    def box_now(self) -> NDArray[np.float64]:
        """(4,) px: the detector's last box, moved and scaled as the joints have since, with all sure joints in it."""
        assert self.base is not None  # nosec B101  # noqa: S101 (for type checkers: set in __post_init__)
        if self.base is self.seen:
            return self.seen.box
        return followed(self.base, self.seen, self.threshold)

    def update(self, seen: Seen, time: float, detected: bool, carried: bool = False) -> None:
        """They were seen again. detected: by the detector, so that the box is one of its own. carried: by flow."""
        passed = max(time - self.time, 1e-3)
        shift = _shift(self.seen, seen, self.threshold)
        if shift is not None:
            gain = 1 - np.exp(-passed / _SPEED_S)
            self.velocity = self.velocity + gain * (shift / passed - self.velocity)
        if detected:
            self.base = seen
        if seen.look is not None:
            self.look = seen.look if self.look is None else 0.8 * self.look + 0.2 * seen.look
        self.seen, self.time, self.hidden, self.carried = seen, time, False, carried
        self.hits, self.best = self.hits + 1, max(self.best, seen.score)

    def come_back(self, seen: Seen, time: float) -> None:
        """They are seen again after they were hidden: how they moved meanwhile is not known."""
        self.update(seen, time, detected=True)
        self.velocity = np.zeros(2)

    def see_in_the_clear(self, share: float) -> None:
        """Remember this sight, unless more than a little of the box, `share`, lies under somebody else's.

        Or unless it scores so much lower than the one before that it may be of a part that shows beside them.
        """
        kept = self.clear
        alike = kept is None or self.time - kept.time > CLEAR_S or self.seen.score >= _WHOLE * kept.score
        if share < _COVERED and alike:
            self.clear = Clear(self.time, self.seen.box, self.velocity, self.seen.score)

    def locate(self, box: NDArray[np.float64], located: float) -> None:
        """The detector sees who was found in this frame already: its box counts for half, so that none jumps."""
        self.seen = replace(self.seen, box=(box + self.box_now()) / 2, located=located)
        self.base = self.seen

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values; `track_from` is the inverse."""
        values = {name: value for name, value in vars(self).items() if name not in ("seen", "base", "clear")}
        clear = None if self.clear is None else _plain(asdict(self.clear))
        base = None if self.base is None or self.base is self.seen else _plain(asdict(self.base))
        return {**_plain(values), "seen": _plain(asdict(self.seen)), "base": base, "clear": clear}


def track_from(values: dict[str, Any]) -> Track:
    """What `Track.to_dict` gave -> the track."""
    arrays = {"velocity": np.array(values["velocity"], np.float64), "look": _look(values["look"])}
    base = None if values["base"] is None else _seen(values["base"])
    return Track(**{**values, **arrays, "seen": _seen(values["seen"]), "base": base, "clear": _clear(values["clear"])})


def _clear(values: dict[str, Any] | None) -> Clear | None:
    if values is None:
        return None
    arrays = {name: np.array(values[name], np.float64) for name in ("box", "velocity")}
    return Clear(**{**values, **arrays})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}


def _seen(values: dict[str, Any]) -> Seen:
    arrays = {name: np.array(values[name], np.float64) for name in ("points", "box")}
    return Seen(**{**values, **arrays, "scores": np.array(values["scores"], np.float32), "look": _look(values["look"])})


def _look(values: list[float] | None) -> NDArray[np.float32] | None:
    return None if values is None else np.array(values, np.float32)


def followed(base: Seen, seen: Seen, threshold: float) -> NDArray[np.float64]:
    """(4,) px: the box of `base`, moved and scaled as the joints sure in both have, widened to hold all sure joints."""
    both = (base.scores >= threshold) & (seen.scores >= threshold)
    box = base.box
    if int(both.sum()) >= _COMMON:
        before, after = base.points[both], seen.points[both]
        middle, now = np.median(before, axis=0), np.median(after, axis=0)
        spread = np.abs(before - middle).mean()
        scale = float(np.clip(np.abs(after - now).mean() / max(spread, 1e-6), 0.8, 1.25))
        box = ((base.box.reshape(2, 2) - middle) * scale + now).reshape(4)
    else:
        box = seen.box
    sure = seen.points[seen.scores >= threshold]
    if len(sure):
        room = _ROOM * (box[2:] - box[:2])
        box = np.concatenate(
            [np.minimum(box[:2], sure.min(axis=0) - room), np.maximum(box[2:], sure.max(axis=0) + room)]
        )
    return np.asarray(box, np.float64)


def _shift(before: Seen, after: Seen, threshold: float) -> NDArray[np.float64] | None:
    """(2,) px: how far a person moved, by the joints sure in both; None if there are too few."""
    both = (before.scores >= threshold) & (after.scores >= threshold)
    if int(both.sum()) < _COMMON:
        return None
    return np.asarray(np.median(after.points[both] - before.points[both], axis=0))


def oks_between(
    a: NDArray[np.float64],
    a_boxes: NDArray[np.float64],
    a_sure: NDArray[np.bool_],
    b: list[Seen],
    threshold: float,
) -> NDArray[np.float64]:
    """(M, J, 2) px, (M, 4), (M, J) bool, N people -> (M, N) object keypoint similarity; 0 with fewer than 3 in common.

    Over the joints that both are sure of, in shares of the larger of the two areas, as `hpe.pose.boxes.oks`. A face's
    points say where a head is as its neck does, and are left out where there is no sigma for them.
    """
    if not len(a) or not b:
        return np.zeros((len(a), len(b)))
    joints = slice(0, min(a.shape[1], len(OKS_SIGMAS)))
    points, boxes = np.stack([s.points for s in b])[:, joints], np.stack([s.box for s in b])
    sure = np.stack([s.scores for s in b])[:, joints] >= threshold
    a = a[:, joints]
    both = a_sure[:, None, joints] & sure[None]
    area = np.maximum(_areas(a_boxes)[:, None], _areas(boxes)[None])[..., None]
    apart = ((a[:, None] - points[None]) ** 2).sum(axis=3)
    sigmas = 2 * OKS_SIGMAS[joints]
    near = np.exp(-apart / (2 * np.maximum(area, 1e-9) * sigmas**2))
    count = both.sum(axis=2)
    return np.asarray(np.where(count >= 3, (near * both).sum(axis=2) / np.maximum(count, 1), 0.0))


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(AREA_OF_BOX * np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1))
