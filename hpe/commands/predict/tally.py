"""How far a command is, and what came of its photos: a bar while it runs, a line for each failure, one at the end."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from tqdm import tqdm

from hpe.commands.predict.photos import STDIN, Photo, shown
from hpe.errors import HpeError

# so many photos are counted before the first is read, in a second; a bar that knows no end is shown for more
COUNTED: Final = 100_000


class Tally:
    """to_do: photos counted so far, all of them if they are fewer than COUNTED. several: whether there was more than
    one. out: as given with -o. left_out: what folders hold besides, in words. failures: told of each.
    """

    def __init__(
        self,
        to_do: int,
        several: bool,
        out: str | None,
        left_out: Counter[str] | None = None,
        failures: Callable[[str, str], None] = lambda name, problem: None,
    ) -> None:
        self._several, self._out, self._tell = several, out, failures
        self._left_out: Counter[str] = Counter() if left_out is None else left_out
        self.people = self.done = self.with_people = self.failed = self.skipped = 0
        tqdm.monitor_interval = 0  # its thread would be there when processes are forked
        total = to_do if to_do < COUNTED else None
        # shown where there is a terminal for it and something to wait for
        self._bar: tqdm[Any] = tqdm(total=total, unit="photo", disable=None if to_do > 1 else True, file=sys.stderr)

    @property
    def silent(self) -> bool:
        """Whether no bar is shown: lines about single photos disturb nothing then."""
        return bool(self._bar.disable)

    def did(self, people: int) -> None:
        """One photo more is done."""
        self.done += 1
        self.people += people
        self.with_people += people > 0
        self._bar.update()

    def skip(self) -> None:
        """One photo was done by an earlier run."""
        self.skipped += 1

    def fail(self, photo: Photo, problem: str) -> None:
        """One photo cannot be done: say why."""
        self.failed += 1
        self._tell(photo.name, problem)
        self._bar.write(f"hpe: {shown(photo.name) or repr('')}: {problem}", file=sys.stderr)
        self._bar.update()

    @contextmanager
    def told(self, goes_on: bool) -> Iterator[None]:
        """The run, inside: what came of it is told at its end, and the exit status is 1 if a photo failed.

        goes_on: whether another run takes up one that is interrupted.
        """
        try:
            yield
        except KeyboardInterrupt:
            self.close("interrupted: run it again to go on" if goes_on else "interrupted")
            raise
        except HpeError:
            self._bar.close()
            if self.done:
                self.close("stopped")
            raise  # and is told after this
        self.close()
        if self.failed:
            sys.exit(1)

    def close(self, more: str = "") -> None:
        """One line about all of it, unless it was one photo and all is well. more: what else there is to say."""
        self._bar.close()
        if not self._several and not self.failed and not self.skipped and not self._left_out and not more:
            return
        parts = [f"{self.done} photo{'s' * (self.done != 1)} done, {self.people} people in {self.with_people} of them"]
        if self.skipped:
            parts.append(f"{self.skipped} done before (--overwrite does them again)")
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self._left_out:
            besides = (f"{count} x {what}" if count > 1 else f"1 {what}" for what, count in self._left_out.items())
            parts.append(f"left out: {', '.join(besides)}")
        if self._out not in (None, STDIN):
            parts.append(f"results in {shown(str(self._out))}")
        click.echo(f"hpe: {'; '.join([*parts, more] if more else parts)}", err=True)
