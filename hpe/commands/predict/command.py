"""`hpe predict`: photos in; drawn photos, joints, or what other tools read out."""

import functools
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hpe.commands.options import BoxText, Share
from hpe.commands.predict import outputs, work
from hpe.commands.predict.photos import STDIN, Photo, find_photos, shown
from hpe.commands.predict.processes import in_order
from hpe.commands.predict.sinks import Document, Lines, Sink, Stdout
from hpe.commands.predict.tally import COUNTED, Tally
from hpe.commands.predict.work import Asked, Done, Job
from hpe.cores import usable_cores
from hpe.errors import HpeError
from hpe.photo.formats import FORMATS
from hpe.settings import Settings
from hpe.stderr import silence_libraries

if TYPE_CHECKING:
    from hpe.photo.boxes import Box

# fewer photos than this are done before other processes have loaded the model
_MANY: Final = 8

_EXAMPLES: Final = """\b
Examples:
  hpe predict photo.jpg
  hpe predict photo.jpg -o drawn.webp
  hpe predict album/ more/*.jpg -o drawn/
  hpe predict album/ --format json > joints.jsonl
  hpe predict album/ -o joints.csv
  hpe predict album/ --format coco --dataset -o people.json
  curl -s https://example.org/a.jpg | hpe predict - > drawn.png
"""


@click.command(epilog=_EXAMPLES)
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option("-o", "--out", metavar="OUT", help="A file, a folder, or - for standard output.")
@click.option("--format", type=click.Choice([*FORMATS, "jpg"]), help="[default: what OUT ends in, else png]")
@click.option("--dataset", is_flag=True, help="With --format coco: images, annotations and categories, not results.")
@click.option("--people", type=click.IntRange(1, Settings.max_people), help="At most so many in a photo. [default: 20]")
@click.option("--box", "boxes", type=BoxText(), multiple=True, help="x0,y0,x1,y1 in px: where a person is. Repeats.")
@click.option("--threshold", type=Share(), help="Joints below it are unsure. [default: the model's own]")
@click.option("--flip", is_flag=True, help="Average with the mirrored photo: a little better, half as fast.")
@click.option("--angles", is_flag=True, help="With --format json: the angles of each person. Tables always have them.")
@click.option("--model", metavar="MODEL", help="A manifest or s3://bucket/key.json. [default: HPE_MODEL, else ours]")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes at once. [default: one a core, for many photos]")
@click.option("--overwrite", is_flag=True, help="Do again what is done already.")
def predict(
    photos: tuple[str, ...],
    out: str | None,
    format: str | None,
    dataset: bool,
    people: int | None,
    boxes: "tuple[Box, ...]",
    threshold: float | None,
    flip: bool,
    angles: bool,
    model: str | None,
    jobs: int | None,
    overwrite: bool,
) -> None:
    """Find people in photos: draw them, or write their joints.

    PHOTO is a file, a folder (searched through), a pattern, or - for standard input. A drawn photo goes beside
    its original as NAME.pose.png, or into the folder OUT; an original is never overwritten. JSON is one line per
    photo, in the API's shape with "file" added; CSV is one row per joint, csv-wide one row per person.

    A run that was interrupted goes on where it stopped: photos that are in OUT already are skipped, unless
    --overwrite is given. A photo that cannot be read is reported, the others are done, and the exit status is then 1.
    """
    silence_libraries()
    kind = outputs.choose_format(format, out)
    if dataset and kind != "coco":
        raise click.UsageError(f"--dataset is for --format coco; this is {kind}")
    if angles and kind not in ("json", "csv", "csv-wide", "parquet"):
        raise click.UsageError(f"--angles is for --format json, csv, csv-wide and parquet; this is {kind}")
    left_out: Counter[str] = Counter()
    found = find_photos(photos, left_out)
    first = list(islice(found, COUNTED))
    targets = outputs.choose_targets(kind, out, several=len(first) > 1, piped=photos == (STDIN,))
    processes = jobs or (usable_cores() if len(first) >= _MANY else 1)
    asked = Asked(kind, threshold, flip, people, boxes, model, threads=1 if processes > 1 else 0, angles=angles)
    namer = outputs.Namer(targets, photos)
    tally = Tally(len(first), out, left_out)
    with closing(_open_sink(targets, dataset, overwrite)) as sink:
        run = _Run(targets, sink, overwrite, tally)
        try:
            with _stoppable():
                run.all(run.jobs(chain(first, found), namer), asked, processes)
                sink.finish()
        except KeyboardInterrupt:
            goes_on = targets.own or targets.out not in (None, STDIN)
            tally.close("interrupted: run it again to go on" if goes_on else "interrupted")
            raise
    tally.close()
    if tally.failed:
        sys.exit(1)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM is as Ctrl-C here: what is done is kept, and no process is left behind."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _open_sink(targets: outputs.Targets, dataset: bool, overwrite: bool) -> Sink:
    path = Path(targets.out) if targets.out and targets.out != STDIN else None
    try:
        row = FORMATS[targets.format]
        if row.document:
            return Document(path, targets.format, dataset, overwrite)
        if row.single and not path:
            return Stdout(targets.format)
        if targets.own or row.single:
            return Sink()
        return Lines(path, targets.format, overwrite) if path else Stdout(targets.format)
    except OSError as error:
        raise HpeError(f"{shown(targets.out or STDIN)}: {work.reason(error)}") from error


class _Run:
    """One call of the command."""

    def __init__(self, targets: outputs.Targets, sink: Sink, overwrite: bool, tally: Tally) -> None:
        self._targets, self._sink, self._overwrite, self._tally = targets, sink, overwrite, tally

    def jobs(self, photos: Iterable[Photo], namer: outputs.Namer) -> Iterator[Job]:
        """Photos -> what is to be done, without what is done already and what cannot be."""
        single = self._targets.own or FORMATS[self._targets.format].single
        for photo in photos:
            if photo.problem:
                self._tally.fail(photo, photo.problem)
                continue
            target = namer.target(photo)
            if not self._overwrite and self._is_done(photo, target):
                self._tally.skip()
                continue
            try:
                data = _standard_input() if photo.name == STDIN else None
            except OSError as error:
                self._tally.fail(photo, work.reason(error))
                continue
            yield Job(photo, target, single and target != STDIN, data)

    def _is_done(self, photo: Photo, target: str) -> bool:
        # one file that was named with -o is written again, as asked
        return (self._targets.own and os.path.isfile(target)) or self._sink.has(shown(photo.name))

    def all(self, jobs: Iterator[Job], asked: Asked, processes: int) -> None:
        """Do them, and take what comes of each."""
        first = next(jobs, None)
        if first is None:
            return  # no model is loaded for nothing
        make = functools.partial(work.Worker, asked)
        if processes == 1:
            worker = make()
            results: Iterator[tuple[Job, Done]] = ((job, worker(job)) for job in chain([first], jobs))
        else:
            work.fetch(asked.model)
            results = in_order(make, chain([first], jobs), processes, _lost)
        for job, done in results:
            self._take(job, done)

    def _take(self, job: Job, done: Done) -> None:
        if done.problem:
            self._tally.fail(job.photo, done.problem)
            return
        if not job.own:
            self._write(done.data)
        elif self._tally.silent and FORMATS[self._targets.format].single:
            click.echo(f"{shown(job.photo.name)} -> {shown(job.target)}: {_found(done)}", err=True)
        self._tally.did(done.people)

    def _write(self, data: bytes) -> None:
        try:
            self._sink.take(data)
        except BrokenPipeError:
            raise  # whoever read has seen enough
        except OSError as error:
            where = shown(self._targets.out or "standard output")
            raise HpeError(f"{where}: {work.reason(error)}: it holds what was done before") from error


def _found(done: Done) -> str:
    if not done.people:
        return "nobody found"
    return f"{done.people} {'person' if done.people == 1 else 'people'}, score {done.score:.2f}"


def _lost(job: Job) -> Done:
    return Done(problem="its process died, which too little memory can cause: free some, or give --jobs 1")


def _standard_input() -> bytes:
    """Everything that is piped in. Raises OSError."""
    if sys.stdin is None:
        raise OSError("standard input is closed: pipe a photo into it")
    return click.get_binary_stream("stdin").read()
