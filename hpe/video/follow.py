"""Frames in turn -> who is in each, with an identity: the detector every few frames, tracks between.

Association as ByteTrack has it (Zhang et al., ECCV 2022, arXiv 2110.06864): the sure first, then the unsure with what
is left of the tracks; by OKS and the boxes' overlap instead of overlap alone (OKS as in Xiao, Wu and Wei, ECCV 2018,
arXiv 1804.06208). Between detections a person's crop follows their last pose (as in BlazePose, Bazarevsky et al. 2020,
arXiv 2006.10204), and in every other frame optical flow carries the pose itself, where it can.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import ModelCard
from hpe.engine.scores import person_scores, sizes_in
from hpe.pose.boxes import SAME_PERSON, box_iou
from hpe.video.assign import best_pairs
from hpe.video.cuts import Cuts
from hpe.video.flow import Grey, carried, grey_of
from hpe.video.look import look_of
from hpe.video.match import covered, oks_among, oks_to, one_each, worth_instead, worth_of, worth_of_return
from hpe.video.tracks import Seen, Track, followed, track_from

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
# And how sure of them one of those has to be, of the least score of a person who is reported: in a photo, a tripod with
# a score of 0.3 is an answer to be doubted; in a clip it would be somebody for minutes.
_BIRTH_SURE: Final = 1.6
# The same of somebody of whose box so much lies under somebody else's: between two who cross, parts of both look like a
# third.
_BIRTH_COVERED: Final = 0.3
_BIRTH_SURE_COVERED: Final = 2.5
# How long somebody hidden is waited for, s.
_PATIENCE_S: Final = 2.0
# IoU from which a detected box and an expected one are the same person's.
_SAME_BOX: Final = 0.5
_BACK: Final = 0.35
# Below 25 frames a second the detector runs as often as at 25, but in every other frame at most: in the half second of
# five frames at 10 a second, people walk out of their crops.
_FRAME_S: Final = 0.04
# Optical flow carries a pose over so short a time at most, s, and nobody whom somebody else's box overlaps by so much.
_CARRY_S: Final = 0.055
_CROWDED: Final = 0.3


@dataclass(frozen=True)
class Followed:
    """One frame's people. detected: whether the detector ran. cut: whether a new scene begins here."""

    tracks: list[tuple[int, Seen]]
    detected: bool
    cut: bool


class Follower:
    """Frames of one clip or camera, in order. card: thresholds. every: frames between detections. most: people.

    After each call `ids` says which of the keys count as people, and under which identity: 1, 2, 3 in the order in
    which they came. Somebody who comes back may have another key, never at once with the first.
    """

    def __init__(self, detector: Detect, pose_network: FindJoints, card: ModelCard, every: int, most: int) -> None:
        self._detector, self._pose_network, self._card = detector, pose_network, card
        self._every, self._most = every, most
        self._cuts = Cuts()
        self._before: Grey | None = None
        self.tracks: list[Track] = []
        self.ids: dict[int, int] = {}
        self._keys = 0
        self._since, self._detected = every, -math.inf
        self._scene = True

    def __call__(self, rgb: NDArray[np.uint8], time: float) -> Followed:
        """(H, W, 3) uint8 RGB, s -> the people followed in it, unsure newcomers included."""
        cut = self._cuts(rgb)
        if cut:
            self._scene, self._since = True, self._every
        self._since += 1
        self.tracks = [t for t in self.tracks if time - t.time <= _PATIENCE_S]
        held, sought = self._carry(rgb, time)
        late = self._since > 1 and time - self._detected >= self._every * _FRAME_S - 1e-3
        detected = late or self._since >= self._every
        if not detected:
            found, missing = self._follow(rgb, sought, time)
            # who was looked for in this frame and not found is not looked for in the same place again
            held, sought = held + found, []
            detected = missing and self._since > 1
        if detected:
            self._since, self._detected = 0, time
            self._detect(rgb, time, held, sought)
        self._settle(rgb, time, cut)
        shown = [t for t in self.tracks if not t.hidden]
        return Followed([(t.key, t.seen) for t in shown], detected, cut)

    @property
    def people(self) -> int:
        """How many identities there have been."""
        return max(self.ids.values(), default=0)

    def _settle(self, rgb: NDArray[np.uint8], time: float, cut: bool) -> None:
        """Who was not seen is hidden; who is new enough or was never sure goes; who was seen enough has an identity."""
        kept = []
        for track in self.tracks:
            track.hidden = track.time != time
            if track.hidden and (not track.id or cut):
                continue
            if not track.id and (self._scene or (track.hits >= _BIRTH and self._is_sure(track, time))):
                track.id = self.ids[track.key] = self._identity(rgb, track, time)
            kept.append(track)
        here = {t.id for t in kept if not t.hidden}
        self.tracks = [t for t in kept if not t.hidden or t.id not in here]
        self._scene = False
        seen = [t for t in self.tracks if not t.hidden]
        boxes = np.array([t.seen.box for t in seen]).reshape(-1, 4)
        for k, track in enumerate(seen):
            track.see_in_the_clear(covered(boxes[k], np.delete(boxes, k, axis=0)))

    def _is_sure(self, track: Track, time: float) -> bool:
        """Whether it is certain enough that somebody new is somebody."""
        known = np.array([t.seen.box for t in self.tracks if t.id and t.time == time]).reshape(-1, 4)
        crowded = covered(track.seen.box, known) >= _BIRTH_COVERED
        return track.best >= (_BIRTH_SURE_COVERED if crowded else _BIRTH_SURE) * self._card.person_threshold

    def _identity(self, rgb: NDArray[np.uint8], track: Track, time: float) -> int:
        """Of a newcomer who counts from now on: of somebody who has been hidden since before they came, or a new one.

        When they were first seen it may have been too little of them, beside what hid them, to know them by.
        """
        if not self._scene:
            seen = replace(track.seen, look=look_of(rgb, track.seen.points, track.sure(), track.seen.box))
            here = {t.id for t in self.tracks if t.time == time}
            gone = [t for t in self.tracks if t.time < track.born and t.id not in here]
            for row, _ in best_pairs(worth_of_return(gone, [seen], time), _BACK):
                return gone[row].id
        return self.people + 1

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

    def _carry(self, rgb: NDArray[np.uint8], time: float) -> tuple[list[Track], list[Track]]:
        """Everybody in view -> those whom optical flow carries into this frame, and those whom it does not.

        Nobody is carried twice without the pose network between, so that nothing drifts.
        """
        before, self._before = self._before, grey_of(rgb) if self._every > 1 else None
        active = [t for t in self.tracks if not t.hidden]
        if before is None or self._before is None or self._scene:
            return [], [] if self._scene else active
        boxes = np.array([t.box_now() for t in active]).reshape(-1, 4)
        crowded = (box_iou(boxes, boxes) >= _CROWDED).sum(axis=1) > 1
        held = []
        for k, track in enumerate(active):
            if crowded[k] or track.carried or not track.id or time - track.time > _CARRY_S:
                continue
            points = carried(before, self._before, track.seen.points, track.sure(), boxes[k])
            if points is not None and track.base is not None:
                seen = replace(track.seen, points=points, look=None)
                box = followed(track.base, seen, self._card.threshold)
                track.update(replace(seen, box=box), time, detected=False, carried=True)
                held.append(track)
        return held, [t for t in active if t not in held]

    def _follow(self, rgb: NDArray[np.uint8], sought: list[Track], time: float) -> tuple[list[Track], bool]:
        """These people, each by a crop where they are expected -> who is there, and whether anybody is not."""
        boxes = [t.expected(time)[1] for t in sought]
        people = self._see(rgb, np.array(boxes).reshape(-1, 4), np.array([t.seen.located for t in sought]))
        fits = oks_to(sought, people, time, self._card.threshold)
        lost = {k for k, seen in enumerate(people) if seen.score < self._least_followed()}
        same = oks_among(people, self._card.threshold)
        for a in range(len(people)):
            for b in range(a):
                if same[a, b] >= SAME_PERSON and not {a, b} & lost:  # two tracks on one person
                    lost.add(a if (bool(sought[a].id), fits[a, a]) < (bool(sought[b].id), fits[b, b]) else b)
        held = [t for k, t in enumerate(sought) if k not in lost]
        for k, track in enumerate(sought):
            if k not in lost:
                track.update(people[k], time, detected=False)
        return held, bool(lost)

    def _detect(self, rgb: NDArray[np.uint8], time: float, held: list[Track], sought: list[Track]) -> None:
        """Look for everybody. held: tracks that were found in this frame already; sought: those to be found with it."""
        boxes, located = self._detector(rgb, self._most)
        overlap = box_iou(np.array([t.box_now() for t in held]).reshape(-1, 4), boxes)
        for row, column in best_pairs(overlap, _SAME_BOX):
            held[row].locate(boxes[column], float(located[column]))
        free = ~(overlap >= _SAME_BOX).any(axis=0)
        boxes, located = boxes[free], located[free]
        crops, scores, fresh = self._crops(boxes, located, sought, time)
        people = self._see(rgb, crops, scores)
        threshold = self._card.threshold
        people = [replace(p, look=look_of(rgb, p.points, p.scores >= threshold, p.box)) for p in people]
        order = one_each(people, [t.seen for t in held], threshold)
        waiting = [t for t in self.tracks if t not in held]
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
        worth = worth_of(active, people, time, self._card.threshold)
        if self._scene:  # after a cut only who stands and looks the same is the same: a flash is no cut
            worth = np.where(worth >= SAME_PERSON, worth, 0.0)
        sure = np.array([p.score >= self._card.person_threshold for p in people], np.bool_)
        first = best_pairs(np.where(sure[None], worth, 0.0), _FITS)
        left = worth.copy()
        left[[row for row, _ in first]] = 0.0
        left[:, [column for _, column in first]] = 0.0
        low = np.array([p.score >= self._least_followed() for p in people], np.bool_)
        second = best_pairs(np.where(low[None], left, 0.0), _FITS_UNSURE)
        owner = {column: active[row] for row, column in first + second}
        if not self._scene:
            gone = [t for t in self.tracks if t.id and t.hidden]
            matched = list(owner)
            instead = worth_instead(gone, [owner[k] for k in matched], [people[k] for k in matched], time)
            for row, k in best_pairs(instead, _BACK):
                owner[matched[k]] = gone[row]
        for column, track in owner.items():
            if track.hidden:
                track.come_back(people[column], time)
            else:
                track.update(people[column], time, detected=fresh[column])
        columns = set(owner)
        new = [k for k in range(len(people)) if k not in columns and sure[k] and fresh[k]]
        if not self._scene:
            # and who is seen, but covered: see `worth_of_return`
            gone = [t for t in self.tracks if t.id and (t.time != time or (t.clear and t.clear.time < time - _CARRY_S))]
            for row, column in best_pairs(worth_of_return(gone, [people[k] for k in new], time), _BACK):
                gone[row].come_back(people[new[column]], time)
                new[column] = -1
        self._give_birth([people[k] for k in new if k >= 0], time)

    def _give_birth(self, people: list[Seen], time: float) -> None:
        here = [t for t in self.tracks if t.time == time]
        best = max((p.score for p in people), default=0.0)
        if best < self._card.photo_threshold and not any(t.id for t in here):
            return
        for seen in people[: max(0, self._most - len(here))]:
            self._keys += 1
            self.tracks.append(Track(self._keys, seen, time, self._card.threshold, born=time))

    def _least_followed(self) -> float:
        return _LOW * self._card.person_threshold

    def state(self) -> dict[str, Any]:
        """All that the next frame needs, as plain values, for `restore`; nobody is carried into it by optical flow."""
        self._before = None
        tracks = [track.to_dict() for track in self.tracks]
        ids = [[key, shown] for key, shown in self.ids.items()]
        counts = {"keys": self._keys, "since": self._since, "detected": self._detected, "scene": self._scene}
        return {"tracks": tracks, "ids": ids, **counts}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on as after the frame in which `state` was taken."""
        self.tracks = [track_from(values) for values in state["tracks"]]
        self.ids = {int(key): int(shown) for key, shown in state["ids"]}
        self._keys, self._since, self._scene = state["keys"], state["since"], state["scene"]
        self._detected = state["detected"]
