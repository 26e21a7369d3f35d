"""The journal of a clip beside its result: what a run that was interrupted had found."""

import contextlib
import json
from pathlib import Path
from typing import IO, Any, Final

from hpe.commands.predict.photos import shown
from hpe.errors import BadSettings
from hpe.video.follow import Follower
from hpe.video.journal import STATE_EVERY, Known, frame_line, known_of, state_line
from hpe.video.window import Raw

ENDING: Final = ".part.jsonl"


class JournalFile:
    """NAME.part.jsonl beside the result NAME. made: what a run that goes on must have in common with this one.

    Raises BadSettings for a journal of other options, or of a run that is still going on.
    """

    def __init__(self, result: Path, made: dict[str, Any], overwrite: bool) -> None:
        self.path = result.with_name(result.name + ENDING)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = self.path.open("a+b")
        try:
            _lock(self._file, self.path)
            self.known: Known | None = None if overwrite else self._read(made)
            self._begin(made)
        except BaseException:
            self._file.close()
            raise
        self._since = 0

    def _read(self, made: dict[str, Any]) -> Known | None:
        self._file.seek(0)
        first = self._file.readline()
        try:
            before = json.loads(first)["made"] if first.endswith(b"\n") else None
        except (ValueError, KeyError, TypeError):
            raise BadSettings(f"{shown(str(self.path))} is not a journal of this command: move it away") from None
        if before is None:
            return None
        other = [name for name in made if before.get(name) != made[name]]
        if other:
            told = ", ".join(f"{name} {before.get(name)}, now {made[name]}" for name in other)
            raise BadSettings(f"{shown(str(self.path))} is of a run with {told}: --overwrite starts it again")
        return known_of(self._file)

    def _begin(self, made: dict[str, Any]) -> None:
        lines = [json.dumps({"made": made}).encode() + b"\n", *(self.known.lines if self.known else [])]
        self._file.seek(0)
        self._file.truncate()
        self._file.writelines(lines)
        self._file.flush()

    def take(self, raw: Raw, follower: Follower) -> None:
        """One frame that was found, and from time to time the tracker's state."""
        self._file.write(frame_line(raw).encode())
        self._since += 1
        if self._since >= STATE_EVERY:
            self.keep(raw.frame.index + 1, follower)

    def keep(self, following: int, follower: Follower) -> None:
        """The state, so that a run that goes on begins here."""
        self._file.write(state_line(follower, following).encode())
        self._file.flush()
        self._since = 0

    def close(self, done: bool) -> None:
        """done: the results are written, and the journal is of no use any more."""
        with contextlib.suppress(OSError):
            self._file.close()
        if done:
            self.path.unlink(missing_ok=True)


def _lock(file: IO[bytes], path: Path) -> None:
    """Dies with its process."""
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once are not noticed
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BadSettings(f"{shown(str(path))} is being written by another run of hpe video") from None
