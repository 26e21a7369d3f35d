"""What a run has to do: photos that are in the output as they are now are done; what is stale is told before work."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import NamedTuple

import click

from hpe.commands.predict.names import Namer
from hpe.commands.predict.photos import STDIN, Photo, identity, shown
from hpe.commands.predict.record import Options, Record, Stamp, stamp_of
from hpe.commands.predict.records import Records
from hpe.commands.predict.resume import REMEDY
from hpe.commands.predict.sinks import Sink
from hpe.commands.predict.targets import Targets
from hpe.errors import BadSettings


class State(Enum):
    """Of a photo's result. OTHER: made with other options. CHANGED: of the photo as it was before."""

    TODO = 0
    DONE = 1
    CHANGED = 2
    OTHER = 3


class Planned(NamedTuple):
    """A photo, where its result goes, what is to be done, and how it is now (None: not there, or standard input)."""

    photo: Photo
    target: str
    state: State
    stamp: Stamp | None = None


class Plan:
    """Compares photos with what is in the output already.

    options: of this run; what differs from them is not mixed with it. overwrite: everything is done again. update: what
    is stale is. last: a result's file -> the file that is written last of it.
    """

    def __init__(
        self,
        targets: Targets,
        namer: Namer,
        records: Records,
        sink: Sink,
        options: Options,
        *,
        overwrite: bool,
        update: bool,
        last: Callable[[str], str] = str,
    ) -> None:
        self._targets, self._namer, self._records, self._sink = targets, namer, records, sink
        self._options, self._overwrite, self._update, self._last = options, overwrite, update, last
        self._unrecorded: set[str] | None = None

    def of(self, photos: Iterable[Photo]) -> list[Planned]:
        """Photos -> what is to be done with each.

        Raises BadSettings for what is stale, unless that is to be done again.
        """
        found = [self._judge(photo) for photo in photos]
        for state, why in ((State.OTHER, self._other), (State.CHANGED, self._changed)):
            stale = [one for one in found if one.state is state]
            if stale and not self._update:
                raise BadSettings(why(stale))
        self._sink.drop({self._name(one) for one in found if one.state is State.CHANGED})
        for photo, target, state, stamp in found:
            record = self._records.of(photo) if state is State.DONE else None
            if record and record.options == self._options and record.find(photo.name) is None:
                self._records.add(photo, stamp, target)  # the last photo of a run that was killed
        return [one if one.state is State.DONE else one._replace(state=State.TODO) for one in found]

    def check_file(self) -> None:
        """Raise BadSettings if the one file holds photos that were made with other options."""
        record = self._records.one
        if record is None:
            return
        if self._sink.empty:
            record.clear()
        elif not record.options:
            click.echo(
                f"hpe: {shown(str(self._targets.out))} has no record of its options: taken to be those of this run",
                err=True,
            )
            record.begin(self._options)
        elif record.options != self._options:
            told = differences(record.options, self._options)
            raise BadSettings(f"{shown(str(self._targets.out))} was made with {told}: {REMEDY}")

    def _judge(self, photo: Photo) -> Planned:
        if photo.problem or photo.name == STDIN:
            return Planned(photo, self._namer.target(photo) if not photo.problem else "", State.TODO)
        stamp, target = stamp_of(photo.name), self._namer.target(photo)
        state = State.TODO if self._overwrite else self._state(photo, target, stamp)
        return Planned(photo, target, state, stamp)

    def _state(self, photo: Photo, target: str, stamp: Stamp | None) -> State:
        record = self._records.of(photo)
        if record is None or stamp is None:
            return State.TODO
        entry = record.find(photo.name)
        if not self._targets.own:
            return self._state_in_file(photo, record, stamp)
        there = stamp_of(self._last(target))
        if there is None:
            return State.TODO
        if entry is None:  # of a run that was killed just then, or made before there were records
            if stamp.changed_ns > there.changed_ns:
                return State.CHANGED
            return State.OTHER if record.options and record.options != self._options else State.DONE
        if entry.stamp != stamp:
            return State.CHANGED
        return State.DONE if entry.options == self._options else State.OTHER

    def _state_in_file(self, photo: Photo, record: Record, stamp: Stamp | None) -> State:
        entry, name = record.find(photo.name), shown(photo.name)
        if entry is None and (owner := record.owner(name)) is not None:
            entry = owner  # the same photo, moved together with its folder, or another one of its name
        if entry is not None and self._sink.has(entry.result):
            return State.DONE if entry.stamp == stamp else State.CHANGED
        if self._sink.has(name):
            return State.DONE
        if self._unrecorded is None:
            self._unrecorded = {identity(one) for one in self._sink.names() if record.owner(one) is None}
        return State.DONE if identity(photo.name) in self._unrecorded else State.TODO

    def _name(self, one: Planned) -> str:
        """What a photo is called in the one file."""
        record = self._records.of(one.photo)
        entry = record.find(one.photo.name) if record else None
        return entry.result if entry else shown(one.photo.name)

    def _changed(self, stale: list[Planned]) -> str:
        others = f" and {len(stale) - 1} more" if len(stale) > 1 else ""
        verb = "have" if others else "has"
        return (
            f"{shown(stale[0].photo.name)}{others} {verb} changed since the results were made: --update does "
            f"{'these' if others else 'this one'} again, --overwrite all"
        )

    def _other(self, stale: list[Planned]) -> str:
        record = self._records.of(stale[0].photo)
        entry = record.find(stale[0].photo.name) if record else None
        made = entry.options if entry else record.options if record else {}
        others = f" (as {len(stale) - 1} more)" if len(stale) > 1 else ""
        return (
            f"{shown(stale[0].target)}{others} was made with {differences(made, self._options)}: --update does such "
            "results again, --overwrite all; or give another folder with -o"
        )


def differences(made: Options, now: Options) -> str:
    """Two sets of options -> where they differ, in words."""
    names = [name for name in {**made, **now} if made.get(name) != now.get(name)]
    return ", ".join(f"{name} {_word(made.get(name))}, this run has {_word(now.get(name))}" for name in names)


def _word(value: object) -> str:
    return "none" if value in (None, False, []) else "on" if value is True else str(value)
