"""`--failures FILE`: what could not be done, for another run with --from FILE."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hpe.commands.predict.names import refuse_overwriting
from hpe.commands.predict.photos import shown
from hpe.errors import BadSettings
from hpe.photo.json_lines import FILE, json_line


@contextmanager
def failures_file(path: str | None, photos: Sequence[str]) -> Iterator[Callable[[str, str], None]]:
    """What takes a photo's name and its problem, and writes them as a line of JSON; without a path it does nothing.

    The file is there from the beginning, and empty if nothing fails. Raises BadSettings if it cannot be written,
    click.UsageError if it is one of the photos.
    """
    if path is None:
        yield lambda name, problem: None
        return
    refuse_overwriting(path, photos)
    try:
        file = Path(path).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115 (closed below)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadSettings(f"--failures {shown(path)}: {why}: give the name of a file that can be written") from error
    with file:

        def tell(name: str, problem: str) -> None:
            file.write(json_line({FILE: shown(name), "problem": problem}))

        yield tell
