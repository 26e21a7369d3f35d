"""What was found in a clip, frame by frame and not smoothed, kept beside the result: a run goes on where it stopped."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hpe.video.decode import Frame
from hpe.video.follow import Followed, Follower
from hpe.video.tracks import Seen
from hpe.video.window import Raw

# Frames from one state of the tracker to the next: so many are done again at most.
STATE_EVERY: Final = 50
_NOTHING: Final = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Known:
    """What a journal holds: whole lines of it, the number of the next frame, and the tracker's state before that."""

    lines: list[bytes]
    next: int
    state: dict[str, Any]


def frame_line(raw: Raw) -> str:
    """One frame -> one line; `raw_of` is the inverse."""
    people = [
        [
            key,
            np.round(seen.points, 2).tolist(),
            np.round(seen.scores.astype(np.float64), 4).tolist(),
            np.round(seen.box, 2).tolist(),
            round(seen.score, 4),
            round(seen.located, 4),
        ]
        for key, seen in raw.followed.tracks
    ]
    frame = raw.frame
    head = {"frame": frame.index, "time": frame.time, "scale": raw.scale}
    more = {"detected": raw.followed.detected, "cut": raw.followed.cut, "people": people}
    return json.dumps({**head, **more}, separators=(",", ":")) + "\n"


def raw_of(line: bytes | str) -> Raw:
    """A frame's line -> the frame as it was found, without its picture."""
    values = json.loads(line)
    tracks = [
        (key, Seen(np.array(points, np.float64), np.array(scores, np.float32), np.array(box, np.float64), score, at))
        for key, points, scores, box, score, at in values["people"]
    ]
    followed = Followed(tracks, values["detected"], values["cut"])
    return Raw(Frame(values["frame"], values["time"], _NOTHING), followed, values["scale"])


def state_line(follower: Follower, following: int) -> str:
    """The tracker as it is before frame number `following`."""
    return json.dumps({"next": following, "state": follower.state()}, separators=(",", ":")) + "\n"


def known_of(lines: Iterable[bytes]) -> Known | None:
    """Lines of a journal, the last of which may be torn -> all up to the last state; None if there is none."""
    kept: list[bytes] = []
    known: Known | None = None
    for line in lines:
        if not line.endswith(b"\n"):
            break
        try:
            values = json.loads(line)
        except ValueError:
            break
        kept.append(line)
        if "state" in values:
            known = Known(kept[:], values["next"], values["state"])
    return known


def frames_of(known: Known) -> Iterator[Raw]:
    """The frames of a journal, in order."""
    return (raw_of(line) for line in known.lines if line.startswith(b'{"frame":'))
