"""One clip: frames in, results out, with what an earlier run found taken from its journal."""

import functools
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from hpe.commands.predict.photos import shown
from hpe.commands.video.outputs import draws, open_sink, refuse_done
from hpe.commands.video.resume import JournalFile
from hpe.engine.estimator import PoseEstimator
from hpe.errors import BrokenVideo, HpeError
from hpe.video.ahead import ahead
from hpe.video.decode import Bounds, Clip
from hpe.video.follow import Follower
from hpe.video.journal import Known, frames_of
from hpe.video.paint import draw_frame
from hpe.video.track import make_follower, raw_frames
from hpe.video.window import Raw, Window


@dataclass(frozen=True)
class Asked:
    """What was asked for, the same for every clip."""

    every: int
    people: int | None
    threshold: float | None
    start: float
    end: float
    smoothing: bool
    overwrite: bool
    bounds: Bounds


def run(name: str, results: list[Path], estimator: PoseEstimator, asked: Asked) -> None:
    """One clip. Raises HpeError; what was found before stays in its journal, and is gone on with."""
    if not asked.overwrite:
        refuse_done(results)
    with ExitStack() as stack:
        clip = stack.enter_context(Clip(name, asked.bounds))
        journal = JournalFile(results[0], _made(clip, estimator, asked), asked.overwrite)
        done = False
        stack.callback(lambda: journal.close(done))
        sinks = []
        for path in results:
            sinks.append(open_sink(path, clip.path, clip.fps, asked.start))
            stack.callback(sinks[-1].abort)
        follower = make_follower(estimator, asked.every, asked.people)
        threshold = estimator.threshold if asked.threshold is None else asked.threshold
        window = Window(lambda: follower.ids, threshold, clip.fps, asked.smoothing)
        broken: BrokenVideo | None = None
        count, people = 0, set()
        bar = stack.enter_context(_bar(clip, asked, journal.known))
        try:
            drawn = any(map(draws, results))
            found = window(_frames(clip, follower, journal, asked, drawn, bar))
            for frame in ahead(found):  # drawn and written while the next ones are analysed
                if drawn:
                    draw_frame(frame)
                for sink in sinks:
                    sink.take(frame)
                people |= {pose.id for pose in frame.poses}
                count += 1
        except BrokenVideo as error:
            if not count:
                raise
            broken = error  # what could be read is worth having
        for sink in sinks:
            sink.close()
        done = True
        stack.pop_all()
    bar.close()
    journal.close(done=True)
    _say(name, results, count, len(people), [sink.told for sink in sinks if sink.told])
    if broken is not None:
        raise broken


def _made(clip: Clip, estimator: PoseEstimator, asked: Asked) -> dict[str, Any]:
    at = clip.path.stat()
    card = estimator.card
    model = "+".join(sha[:12] for sha in (card.sha256, card.locate.sha256 if card.locate else "") if sha)
    return {
        "clip": clip.path.name,
        "bytes": at.st_size,
        "changed": int(at.st_mtime),
        "model": model,
        "every": asked.every,
        "people": asked.people or estimator.max_people,
        "start": asked.start,
        "end": asked.end if asked.end < float("inf") else None,
    }


def _frames(
    clip: Clip, follower: Follower, journal: JournalFile, asked: Asked, pictures: bool, bar: "tqdm[Any]"
) -> Iterator[Raw]:
    """Frames that an earlier run found, then the others; each counted."""
    known = journal.known
    if known is not None:
        follower.restore(known.state)
    read = functools.partial(clip.read, start=asked.start, end=asked.end)
    if known is None:
        old: Iterator[Raw] = iter(())
        frames = ahead(read())
    elif pictures:
        frames = ahead(read())
        old = (Raw(frame, raw.followed, raw.scale) for raw, frame in zip(frames_of(known), frames, strict=False))
    else:
        old, frames = frames_of(known), ahead(read(first=known.next))
    for raw in old:
        bar.update()
        yield raw
    for raw in chain(raw_frames(frames, follower)):
        journal.take(raw, follower)
        bar.update()
        yield raw


def _bar(clip: Clip, asked: Asked, known: Known | None) -> "tqdm[Any]":
    last = min(asked.end, clip.duration or asked.end)
    total = round((last - asked.start) * clip.fps) if last < float("inf") else None
    return tqdm(
        total=max(total, 1) if total else None,
        desc=shown(clip.path.name) + (", going on" if known else ""),
        unit="frame",
        file=sys.stderr,
        disable=None,
        leave=False,
        dynamic_ncols=True,
    )


def _say(name: str, results: list[Path], frames: int, people: int, told: list[str]) -> None:
    files = " and ".join(shown(str(path)) for path in results)
    more = "".join(f"; {text}" for text in dict.fromkeys(told))
    click.echo(
        f"hpe: {shown(name)} -> {files}: {frames} frame{'s' * (frames != 1)}, "
        f"{people} {'person' if people == 1 else 'people'}{more}",
        err=True,
    )


def explain(name: str, error: HpeError | OSError) -> str:
    """One line about a clip that could not be done."""
    text = str(error) if isinstance(error, HpeError) else (error.strerror or str(error))
    return f"hpe: {text}" if text.startswith(shown(name)) else f"hpe: {shown(name)}: {text}"
