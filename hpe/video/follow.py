"""Frames in turn -> who is in each, with an identity: the detector every few frames, tracks between.

Association as ByteTrack has it (Zhang et al., ECCV 2022, arXiv 2110.06864): the sure first, then the unsure with what
is left of the tracks; by OKS and the boxes' overlap instead of overlap alone (OKS as in Xiao, Wu and Wei, ECCV 2018,
arXiv 1804.06208). Between detections a person's crop follows their last pose (as in BlazePose, Bazarevsky et al. 2020,
arXiv 2006.10204).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.manifest import ModelCard
from hpe.engine.scores import person_scores, sizes_in
from hpe.pose.boxes import SAME_PERSON, box_iou
from hpe.video.assign import best_pairs
from hpe.video.cuts import Cuts
from hpe.video.look import alike, look_of
from hpe.video.tracks import Seen, Track, oks_between, track_from

Floats = NDArray[np.float64]
# (H, W, 3) uint8 RGB, most people -> (K, 4) boxes px, (K,) scores
Detect = Callable[[NDArray[np.uint8], int], tuple[Floats, Floats]]
# (H, W, 3) uint8 RGB, (K, 4) boxes px -> (K, J, 2) px, (K, J) scores
FindJoints = Callable[[NDArray[np.uint8], Floats], tuple[Floats, NDArray[np.float32]]]

# Of the least score of a person who is reported: who is being followed may fall so low.
_LOW: Final = 0.6
# Of sure people and of unsure ones: how well one has to fit a track to be its person.
_FITS: Final = 0.2
_FITS_UNSURE: Final = 0.4
# Frames in which somebody new has to be seen before they count; in the first frame of a scene they count at once.
_BIRTH: Final = 3
# How long somebody hidden is waited for, s.
_PATIENCE_S: Final = 2.0
# IoU from which a detected box and an expected one are the same person's.
_SAME_BOX: Final = 0.5
# How far from where they are expected somebody may come back, in their own heights: at once, and for each second.
_NEAR: Final = 0.5
_NEAR_PER_S: Final = 1.0
_BACK_LOOK: Final = 0.5
_BACK: Final = 0.35


@dataclass(frozen=True)
class Followed:
    """One frame's people. detected: whether the detector ran. cut: whether a new scene begins here."""

    tracks: list[tuple[int, Seen]]
    detected: bool
    cut: bool


class Follower:
    """Frames of one clip or camera, in order. card: thresholds. every: frames between detections. most: people.

    After each call `ids` says which of the keys count as people, and under which identity: 1, 2, 3 in the order in
    which they came.
    """

    def __init__(self, detector: Detect, pose_network: FindJoints, card: ModelCard, every: int, most: int) -> None:
        self._detector, self._pose_network, self._card = detector, pose_network, card
        self._every, self._most = every, most
        self._cuts = Cuts()
        self.tracks: list[Track] = []
        self.ids: dict[int, int] = {}
        self._keys = 0
        self._since = every
        self._scene = True

    def __call__(self, rgb: NDArray[np.uint8], time: float) -> Followed:
        """(H, W, 3) uint8 RGB, s -> the people followed in it, unsure newcomers included."""
        cut = self._cuts(rgb)
        if cut:
            self._scene, self._since = True, self._every
        self._since += 1
        self.tracks = [t for t in self.tracks if time - t.time <= _PATIENCE_S]
        detected = self._since >= self._every
        held: list[Track] | None = None
        if not detected:
            held, missing = self._follow(rgb, time)
            detected = bool(missing) and self._since > 1
        if detected:
            self._since = 0
            self._detect(rgb, time, held)
        self._settle(time, cut)
        shown = [t for t in self.tracks if not t.hidden]
        return Followed([(t.key, t.seen) for t in shown], detected, cut)

    def _settle(self, time: float, cut: bool) -> None:
        """Who was not seen is hidden; who is new enough or was never sure goes; who was seen enough has an identity."""
        kept = []
        for track in self.tracks:
            track.hidden = track.time != time
            if track.hidden and (not track.id or cut):
                continue
            if not track.id and (track.hits >= _BIRTH or self._scene):
                track.id = self.ids[track.key] = len(self.ids) + 1
            kept.append(track)
        self.tracks = kept
        self._scene = False

    def _see(self, rgb: NDArray[np.uint8], boxes: Floats, located: Floats) -> list[Seen]:
        """(K, 4) px, (K,) the detector's scores -> K people."""
        if not len(boxes):
            return []
        points, scores = self._pose_network(rgb, boxes)
        worth = person_scores(located, scores, self._card.person, sizes_in(boxes, rgb.shape))
        return [
            Seen(np.asarray(points[k], np.float64), scores[k], boxes[k], float(worth[k]), float(located[k]))
            for k in range(len(boxes))
        ]

    def _follow(self, rgb: NDArray[np.uint8], time: float) -> tuple[list[Track], list[Track]]:
        """Everybody in view, each by a crop where they are expected -> who is there, and who is not any more."""
        active = [t for t in self.tracks if not t.hidden]
        boxes = [t.expected(time)[1] for t in active]
        people = self._see(rgb, np.array(boxes).reshape(-1, 4), np.array([t.seen.located for t in active]))
        fits = self._oks(active, people, time)
        lost = {k for k, seen in enumerate(people) if seen.score < self._least_followed()}
        same = _oks_among(people, self._card.threshold)
        for a in range(len(people)):
            for b in range(a):
                if same[a, b] >= SAME_PERSON and not {a, b} & lost:  # two tracks on one person
                    lost.add(a if (bool(active[a].id), fits[a, a]) < (bool(active[b].id), fits[b, b]) else b)
        held = [t for k, t in enumerate(active) if k not in lost]
        for k, track in enumerate(active):
            if k not in lost:
                track.update(people[k], time, detected=False)
        return held, [t for k, t in enumerate(active) if k in lost]

    def _detect(self, rgb: NDArray[np.uint8], time: float, followed: list[Track] | None) -> None:
        """Look for everybody. followed: tracks that were found in this frame already, None if none was looked for."""
        held = followed or []
        boxes, located = self._detector(rgb, self._most)
        taken = np.array([t.box_now() for t in held]).reshape(-1, 4)
        free = ~(box_iou(boxes, taken) >= _SAME_BOX).any(axis=1) if len(taken) else np.ones(len(boxes), np.bool_)
        boxes, located = boxes[free], located[free]
        waiting = [t for t in self.tracks if t not in held]
        # who was looked for in this frame and not found is not looked for in the same place again
        sought = [t for t in waiting if not t.hidden] if followed is None and not self._scene else []
        crops, scores, fresh = self._crops(boxes, located, sought, time)
        people = self._see(rgb, crops, scores)
        threshold = self._card.threshold
        people = [replace(p, look=look_of(rgb, p.points, p.scores >= threshold, p.box)) for p in people]
        order = _one_each(people, [t.seen for t in held], threshold)
        self._associate([people[k] for k in order], [fresh[k] for k in order], waiting, time)

    def _crops(
        self, boxes: Floats, located: Floats, sought: list[Track], time: float
    ) -> tuple[Floats, Floats, list[bool]]:
        """Detected boxes and those of tracks that none of them covers -> (K, 4) px, (K,) scores, whether detected."""
        crops, scores = [np.asarray(b, np.float64) for b in boxes], [float(s) for s in located]
        expected = np.array([t.expected(time)[1] for t in sought]).reshape(-1, 4)
        overlap = box_iou(expected, boxes)
        pairs = dict(best_pairs(overlap, _SAME_BOX))
        for k, track in enumerate(sought):
            if k in pairs and track.hits >= _BIRTH:  # half of it, so that the crop does not jump at each detection
                crops[pairs[k]] = (crops[pairs[k]] + expected[k]) / 2
            elif k not in pairs:
                crops.append(expected[k])
                scores.append(track.seen.located)
        fresh = [k < len(boxes) for k in range(len(crops))]
        return np.array(crops).reshape(-1, 4), np.array(scores), fresh

    def _associate(self, people: list[Seen], fresh: list[bool], waiting: list[Track], time: float) -> None:
        """People of this frame to tracks: the sure, then the unsure, then those who come back; the rest are new."""
        active = [t for t in waiting if not t.hidden]
        worth = self._worth(active, people, time)
        if self._scene:  # after a cut only who stands and looks the same is the same: a flash is no cut
            worth = np.where(worth >= SAME_PERSON, worth, 0.0)
        sure = np.array([p.score >= self._card.person_threshold for p in people], np.bool_)
        first = best_pairs(np.where(sure[None], worth, 0.0), _FITS)
        rows, columns = {r for r, _ in first}, {c for _, c in first}
        left = worth.copy()
        left[list(rows)] = 0.0
        left[:, list(columns)] = 0.0
        low = np.array([p.score >= self._least_followed() for p in people], np.bool_)
        second = best_pairs(np.where(low[None], left, 0.0), _FITS_UNSURE)
        for row, column in first + second:
            active[row].update(people[column], time, detected=fresh[column])
            columns.add(column)
        new = [k for k in range(len(people)) if k not in columns and sure[k] and fresh[k]]
        if not self._scene:
            gone = [t for t in waiting if t.id and t.time != time]
            for row, column in best_pairs(self._back(gone, [people[k] for k in new], time), _BACK):
                gone[row].velocity = np.zeros(2)
                gone[row].update(people[new[column]], time, detected=True)
                gone[row].velocity = np.zeros(2)
                new[column] = -1
        self._give_birth([people[k] for k in new if k >= 0], time)

    def _give_birth(self, people: list[Seen], time: float) -> None:
        here = [t for t in self.tracks if t.time == time]
        best = max((p.score for p in people), default=0.0)
        if best < self._card.photo_threshold and not any(t.id for t in here):
            return
        for seen in people[: max(0, self._most - len(here))]:
            self._keys += 1
            self.tracks.append(Track(self._keys, seen, time, self._card.threshold))

    def _worth(self, tracks: list[Track], people: list[Seen], time: float) -> Floats:
        """(M, N) in 0..1: how well each person fits each track, by pose, box and colours."""
        if not tracks or not people:
            return np.zeros((len(tracks), len(people)))
        boxes = np.array([t.expected(time)[1] for t in tracks])
        overlap = box_iou(boxes, np.array([p.box for p in people]))
        looks = alike(_looks([t.look for t in tracks]), _looks([p.look for p in people]))
        return np.asarray(0.5 * self._oks(tracks, people, time) + 0.3 * overlap + 0.2 * looks * (overlap > 0))

    def _back(self, gone: list[Track], people: list[Seen], time: float) -> Floats:
        """(M, N) in 0..1: how well each newcomer fits somebody hidden: near enough, as large, and of their colours."""
        worth = np.zeros((len(gone), len(people)))
        for m, track in enumerate(gone):
            box = track.expected(time)[1]
            height = float(max(box[2:] - box[:2]))
            reach = height * (_NEAR + _NEAR_PER_S * (time - track.time))
            for n, person in enumerate(people):
                apart = float(np.hypot(*((person.box[:2] + person.box[2:]) - (box[:2] + box[2:])) / 2))
                ratio = float(max(person.box[2:] - person.box[:2])) / max(height, 1e-6)
                look = float(alike(_looks([track.look]), _looks([person.look]))[0, 0])
                if apart < reach and 0.6 < ratio < 1.6 and look >= _BACK_LOOK:
                    worth[m, n] = 0.5 * look + 0.5 * (1 - apart / reach)
        return worth

    def _oks(self, tracks: list[Track], people: list[Seen], time: float) -> Floats:
        if not tracks or not people:
            return np.zeros((len(tracks), len(people)))
        points, boxes = (np.array(part) for part in zip(*(t.expected(time) for t in tracks), strict=True))
        return oks_between(points, boxes, np.array([t.sure() for t in tracks]), people, self._card.threshold)

    def _least_followed(self) -> float:
        return _LOW * self._card.person_threshold

    def state(self) -> dict[str, Any]:
        """All that the next frame needs, as plain values, for `restore`."""
        tracks = [track.to_dict() for track in self.tracks]
        ids = [[key, shown] for key, shown in self.ids.items()]
        return {"tracks": tracks, "ids": ids, "keys": self._keys, "since": self._since, "scene": self._scene}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on as after the frame in which `state` was taken."""
        self.tracks = [track_from(values) for values in state["tracks"]]
        self.ids = {int(key): int(shown) for key, shown in state["ids"]}
        self._keys, self._since, self._scene = state["keys"], state["since"], state["scene"]


def _looks(looks: list[NDArray[np.float32] | None]) -> NDArray[np.float32]:
    return np.stack([look for look in looks if look is not None])


def _oks_among(people: list[Seen], threshold: float) -> Floats:
    """(K, K) object keypoint similarity of people to each other."""
    if not people:
        return np.zeros((0, 0))
    points, boxes = np.stack([p.points for p in people]), np.stack([p.box for p in people])
    return oks_between(points, boxes, np.stack([p.scores for p in people]) >= threshold, people, threshold)


def _one_each(people: list[Seen], held: list[Seen], threshold: float) -> list[int]:
    """Indices of the people who stay, best first: no two poses on one person, none on somebody who is held."""
    order = sorted(range(len(people)), key=lambda k: -people[k].score)
    same = _oks_among([*people, *held], threshold) >= SAME_PERSON
    stay: list[int] = []
    for k in order:
        if not same[k, len(people) :].any() and not same[k, stay].any():
            stay.append(k)
    return stay
