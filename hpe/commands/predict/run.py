"""From planned photos to written results: on one core or several, one after the other."""

import functools
import sys
from collections.abc import Iterable, Iterator
from itertools import chain

import click

from hpe.commands.predict import work
from hpe.commands.predict.photos import STDIN, shown
from hpe.commands.predict.plan import Planned, State
from hpe.commands.predict.processes import in_order
from hpe.commands.predict.record import Options
from hpe.commands.predict.records import Records
from hpe.commands.predict.sinks import Sink
from hpe.commands.predict.tally import Tally
from hpe.commands.predict.targets import Targets
from hpe.commands.predict.work import Asked, Done, Job
from hpe.errors import HpeError
from hpe.photo.formats import FORMATS


class Run:
    """One call of `hpe predict`: what is still to be done, and what comes of it."""

    def __init__(self, targets: Targets, sink: Sink, records: Records, options: Options, tally: Tally) -> None:
        self._targets, self._sink, self._records, self._tally = targets, sink, records, tally
        self._options = options

    def jobs(self, photos: Iterable[Planned]) -> Iterator[Job]:
        """Photos -> what is to be done, without what is done already and what cannot be."""
        single = self._targets.own or FORMATS[self._targets.format].single
        for photo, target, state, stamp in photos:
            if photo.problem:
                self._tally.fail(photo, photo.problem)
                continue
            if state is State.DONE:
                self._tally.skip()
                continue
            try:
                data = _standard_input() if photo.name == STDIN else None
            except OSError as error:
                self._tally.fail(photo, work.reason(error))
                continue
            yield Job(photo, target, single and target != STDIN, data, stamp)

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
            results = in_order(make, chain([first], jobs), processes, _lost)
        for job, done in results:
            self._take(job, done)

    def _take(self, job: Job, done: Done) -> None:
        if done.problem:
            self._tally.fail(job.photo, done.problem)
        if done.stop:
            raise HpeError("the next ones would fail as well; what was done before is kept")
        if done.problem:
            return
        self._write(job, done.data)
        if job.own and self._tally.silent and FORMATS[self._targets.format].single:
            click.echo(f"{shown(job.photo.name)} -> {shown(job.target)}: {_found(done)}", err=True)
        self._tally.did(done.people)

    def _write(self, job: Job, data: bytes) -> None:
        try:
            self._records.begin(job.photo, self._options)
            if not job.own:
                self._sink.take(data)
            self._records.add(job.photo, job.stamp, job.target)
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
