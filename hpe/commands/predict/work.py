"""What is done with each photo of `hpe predict`: read, decode, estimate once, then draw it or write its joints."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from hpe.commands.predict.outputs import BOM, write_file
from hpe.commands.predict.photos import STDIN, Photo, shown
from hpe.commands.predict.record import Stamp
from hpe.commands.predict.resume import made_by
from hpe.errors import HpeError
from hpe.photo.formats import FORMATS, text_of
from hpe.settings import Settings

if TYPE_CHECKING:
    from hpe.engine.estimator import PoseEstimator
    from hpe.photo.analyse import Found
    from hpe.photo.boxes import Box
    from hpe.photo.stages import Stages

# a person at a slow line waits longer than Lambda's gateway would
FETCH_TIMEOUT_S: Final = 600.0
# of writing a file: its own name's fault; others stop a run
OF_ONE_NAME: Final = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EISDIR)


@dataclass(frozen=True)
class Asked:
    """What is asked for, the same for every photo. threads: of one inference, 0 for all usable cores."""

    format: str
    threshold: float | None = None
    flip: bool = False
    people: int | None = None
    boxes: "Sequence[Box]" = ()
    model: str | None = None
    threads: int = 0
    angles: bool = False
    excel: bool = False


@dataclass(frozen=True)
class Job:
    """A photo, and where its result goes.

    target: a file, '-' for standard output. own: whether the file is this photo's alone, and the worker writes it.
    data: the photo's bytes if they are read already. stamp: how the photo was when the job was planned.
    """

    photo: Photo
    target: str
    own: bool
    data: bytes | None = None
    stamp: Stamp | None = None


@dataclass(frozen=True)
class Done:
    """What became of a job.

    score: of the best person. data: what is still to be written. problem: why it could not be done, '' otherwise.
    stop: whether the next photos would fail like this one, as on a full disk.
    """

    people: int = 0
    score: float = 0.0
    data: bytes = b""
    problem: str = ""
    stop: bool = False


def open_estimator(asked: Asked) -> "PoseEstimator":
    """The estimator that options and environment ask for. Raises ModelUnavailable, BadModel, BadSettings."""
    from hpe.engine.bundle import open_bundle
    from hpe.engine.estimator import PoseEstimator

    settings = Settings.from_env(os.environ)
    return PoseEstimator(
        open_bundle(asked.model or settings.model, settings.cache_dir, FETCH_TIMEOUT_S),
        threads=asked.threads or settings.threads,
        threshold=settings.threshold or None,
        cache_dir=settings.cache_dir,
    )


def terms(asked: Asked) -> dict[str, Any]:
    """What two parts of one output have to have in common. The model is on this machine then.

    Raises ModelUnavailable, BadModel, BadSettings.
    """
    from hpe.engine.bundle import open_bundle
    from hpe.photo.answer import model_of

    settings = Settings.from_env(os.environ)
    card = open_bundle(asked.model or settings.model, settings.cache_dir, FETCH_TIMEOUT_S).card
    threshold = asked.threshold if asked.threshold is not None else settings.threshold or card.threshold
    return {
        "format": asked.format,
        **made_by({"model": model_of(card), "threshold": threshold}),
        "people": asked.people or Settings.max_people,
        "flip": asked.flip,
        "boxes": [list(box) for box in asked.boxes],
        "angles": asked.angles,
        "excel": asked.excel,
    }


class Worker:
    """Does job after job with one estimator."""

    def __init__(self, asked: Asked) -> None:
        from hpe.photo.analyse import Options

        if asked.threads == 1:
            import cv2

            cv2.setNumThreads(1)  # it has threads of its own, one a core
        self._asked = asked
        self._options = Options(asked.people, asked.boxes, asked.threshold, asked.flip, asked.angles)
        self._estimator: Any = open_estimator(asked)

    def __call__(self, job: Job) -> Done:
        """One photo, done. What is wrong with it is told in Done, not raised."""
        from hpe.photo.analyse import analyse
        from hpe.photo.recipe import OWN_PHOTOS
        from hpe.photo.stages import Stages

        stages = Stages()
        try:
            with stages.stage("decode"):
                data = Path(job.photo.name).read_bytes() if job.data is None else job.data
            name = shown(job.photo.name)
            found = analyse(data, OWN_PHOTOS, lambda: self._estimator, stages, self._options, name)
            written = self._written(found, job, stages)
        except (HpeError, OSError) as error:
            return Done(problem=reason(error))
        if job.own:
            try:
                write_file(job.target, written)
            except OSError as error:
                return Done(problem=reason(error), stop=error.errno not in OF_ONE_NAME)
        people = found.answer.people
        score = max((person.score for person in people), default=0.0)
        return Done(len(people), score, b"" if job.own else written)

    def _written(self, found: "Found", job: Job, stages: "Stages") -> bytes:
        """The photo's picture, its text, or its part of the text of all photos."""
        from hpe.photo.picture import picture
        from hpe.photo.recipe import OWN_PHOTOS

        row = FORMATS[self._asked.format]
        if row.drawn:
            return picture(found, self._asked.format, OWN_PHOTOS, stages).data
        if row.line is not None and not job.own:
            return row.line(found.answer).encode()
        mark = BOM if self._asked.excel else b""
        return mark + text_of(found.answer, self._asked.format, link(job)).encode()


def link(job: Job) -> str:
    """A photo's URL as seen from the file that shows it; '' for standard input."""
    if job.photo.name == STDIN:
        return ""
    folder = "." if job.target == STDIN else os.path.dirname(job.target) or "."
    return quote(os.fsencode(os.path.relpath(job.photo.name, folder).replace(os.sep, "/")))


def reason(error: Exception) -> str:
    """An error in a few words."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
