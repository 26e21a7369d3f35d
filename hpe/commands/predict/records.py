"""The records of a run's outputs: one of the file or folder that -o names, or one of each folder that photos lie in."""

import os
from pathlib import Path

from hpe.commands.predict.photos import STDIN, Photo, shown
from hpe.commands.predict.record import Options, Record, Stamp
from hpe.commands.predict.targets import Targets
from hpe.errors import HpeError
from hpe.photo.formats import FORMATS


class Records:
    """Opened as they are needed, and held until the run ends.

    one: that of the one file that all results go to; None if there is no such file, or nothing goes on in it, as in a
    pipe. Raises BadSettings if another run holds a record, HpeError if one cannot be written.
    """

    def __init__(self, targets: Targets, lasting: bool) -> None:
        """lasting: whether the file is one that a later run goes on with."""
        self._targets = targets
        self._found: dict[str, Record] = {}
        self.one: Record | None = None
        out = targets.out
        if lasting and not targets.own and out is not None and out != STDIN and _regular(out):
            path = Path(out)
            self.one = self._open(path.with_name(f".{path.name}.hpe"), out)

    def of(self, photo: Photo) -> Record | None:
        """Where a photo's result is recorded."""
        if not self._targets.own or photo.name == STDIN:
            return self.one
        folder = self.folder(photo)
        ending = FORMATS[self._targets.format].ending.strip("._").replace(".", "-")
        return self._open(Path(folder) / f".hpe-{ending}", folder)

    def add(self, photo: Photo, stamp: Stamp | None, target: str) -> None:
        """A photo's result is in its place. Raises OSError."""
        record = self.of(photo)
        if record is not None and stamp is not None:
            record.add(photo.name, stamp, record.result(target) if self._targets.own else shown(photo.name))

    def folder(self, photo: Photo) -> str:
        """Where the record of a photo lies whose result is a file of its own: OUT, or the folder that was named."""
        return self._targets.out or photo.name[: len(photo.name) - len(photo.within)] or "."

    def _open(self, path: Path, output: str) -> Record:
        if str(path) not in self._found:
            real = os.path.realpath(path)
            try:
                self._found[str(path)] = self._found[real] if real in self._found else Record(path, output)
            except OSError as error:
                why = error.strerror or str(error)
                raise HpeError(f"{shown(output)} cannot be written into: {why}: give another place with -o") from error
            self._found[real] = self._found[str(path)]
        return self._found[str(path)]

    def begin(self, photo: Photo, options: Options) -> None:
        """The next entry of this photo's record is made with these. Raises OSError."""
        if (record := self.of(photo)) is not None:
            record.begin(options)

    @property
    def needed(self) -> bool:
        """Whether anything of this run is recorded."""
        return self._targets.own or self.one is not None

    def finish(self, whole: bool) -> None:
        """All is done. whole: the one file is complete, and no later run goes on with it."""
        if whole and self.one is not None:
            self.one.remove()

    def close(self) -> None:
        """Let others in."""
        for record in self._found.values():
            record.close()


def _regular(out: str) -> bool:
    return os.path.isfile(out) or not os.path.lexists(out)
