"""How well people of one frame fit the tracks that lead to it: by pose, box and colours. M tracks, N people."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.pose.boxes import SAME_PERSON, box_iou
from hpe.video.look import alike
from hpe.video.tracks import CLEAR_S, Seen, Track, oks_between

# How far from where they are expected somebody may come back, in their own heights: at once, and for each second.
_NEAR: Final = 0.5
_NEAR_PER_S: Final = 1.0
_BACK_LOOK: Final = 0.5
# Whom a track has in its place is taken for somebody hidden if their colours are hardly its own, and so much theirs.
_OTHER_LOOK: Final = 0.5
_SAME_LOOK: Final = 0.8
# How much nearer to where somebody went a newcomer has to be than what is seen of them while they are covered.
_NEARER: Final = 0.6

Floats = NDArray[np.float64]


def worth_of(tracks: list[Track], people: list[Seen], time: float, threshold: float) -> Floats:
    """-> (M, N) in 0..1: how well each person fits each track at this time, s, by pose, box and colours."""
    if not tracks or not people:
        return np.zeros((len(tracks), len(people)))
    boxes = np.array([t.expected(time)[1] for t in tracks])
    overlap = box_iou(boxes, np.array([p.box for p in people]))
    looks = alike(_looks([t.look for t in tracks]), _looks([p.look for p in people]))
    return np.asarray(0.5 * oks_to(tracks, people, time, threshold) + 0.3 * overlap + 0.2 * looks * (overlap > 0))


def worth_of_return(gone: list[Track], people: list[Seen], time: float) -> Floats:
    """-> (M, N) in 0..1: how well each newcomer fits somebody hidden: near enough, as large, and of their colours.

    Near where they were last seen or where they went when they were last seen in the clear. Somebody who is seen in
    this frame, while somebody else covers them, is taken for the newcomer only if that is much nearer to where they
    went: what is seen of them is not them, then.
    """
    worth = np.zeros((len(gone), len(people)))
    for m, track in enumerate(gone):
        clear = track.clear if track.clear is not None and time - track.clear.time <= CLEAR_S else None
        for n, person in enumerate(people):
            back = _back(track, track.expected(time)[1], time - track.time, person) if track.time < time else 0.0
            if clear is not None and clear.time < time:
                box = clear.expected(time)
                if track.time < time or _apart(box, person.box) < _NEARER * _apart(box, track.seen.box):
                    back = max(back, _back(track, box, time - clear.time, person))
            worth[m, n] = back
    return worth


def worth_instead(gone: list[Track], tracks: list[Track], people: list[Seen], time: float) -> Floats:
    """Tracks and the people they were matched to -> (M, N): how well each of those fits somebody hidden instead.

    Somebody who walks out from behind something just before another who stands half behind it is taken for them, and
    they for nobody, until their colours are seen: those are of another than the track's then.
    """
    worth = worth_of_return(gone, people, time)
    if not worth.size:
        return worth
    looks = _looks([p.look for p in people])
    own = np.diag(alike(_looks([t.look for t in tracks]), looks))
    theirs = alike(_looks([t.look for t in gone]), looks)
    return np.asarray(np.where((own < _OTHER_LOOK)[None] & (theirs >= _SAME_LOOK), worth, 0.0))


def _back(track: Track, box: Floats, since: float, person: Seen) -> float:
    """How well a newcomer fits a track that is expected at this box, not having been seen for so long, s."""
    height = float(max(box[2:] - box[:2]))
    reach = height * (_NEAR + _NEAR_PER_S * since)
    apart = _apart(box, person.box)
    ratio = float(max(person.box[2:] - person.box[:2])) / max(height, 1e-6)
    look = float(alike(_looks([track.look]), _looks([person.look]))[0, 0])
    if apart < reach and 0.6 < ratio < 1.6 and look >= _BACK_LOOK:
        return 0.5 * look + 0.5 * (1 - apart / reach)
    return 0.0


def covered(box: Floats, others: Floats) -> float:
    """(4,), (K, 4) px -> the largest share of the box that one of the others lies over."""
    if not len(others):
        return 0.0
    common = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None).prod(axis=1)
    return float(common.max() / max(1e-9, float(np.clip(box[2:] - box[:2], 0, None).prod())))


def _apart(a: Floats, b: Floats) -> float:
    """Two boxes -> px between their middles."""
    return float(np.hypot(*((a[:2] + a[2:]) - (b[:2] + b[2:])) / 2))


def oks_to(tracks: list[Track], people: list[Seen], time: float, threshold: float) -> Floats:
    """-> (M, N) object keypoint similarity of people to where tracks are expected."""
    if not tracks or not people:
        return np.zeros((len(tracks), len(people)))
    points, boxes = (np.array(part) for part in zip(*(t.expected(time) for t in tracks), strict=True))
    return oks_between(points, boxes, np.array([t.sure() for t in tracks]), people, threshold)


def oks_among(people: list[Seen], threshold: float) -> Floats:
    """-> (N, N) object keypoint similarity of people to each other."""
    if not people:
        return np.zeros((0, 0))
    points, boxes = np.stack([p.points for p in people]), np.stack([p.box for p in people])
    return oks_between(points, boxes, np.stack([p.scores for p in people]) >= threshold, people, threshold)


def one_each(people: list[Seen], held: list[Seen], threshold: float) -> list[int]:
    """Indices of the people who stay, best first: no two poses on one person, none on somebody who is held."""
    order = sorted(range(len(people)), key=lambda k: -people[k].score)
    same = oks_among([*people, *held], threshold) >= SAME_PERSON
    stay: list[int] = []
    for k in order:
        if not same[k, len(people) :].any() and not same[k, stay].any():
            stay.append(k)
    return stay


def _looks(looks: list[NDArray[np.float32] | None]) -> NDArray[np.float32]:
    return np.stack([look for look in looks if look is not None])
