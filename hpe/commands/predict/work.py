"""What is done with each photo of `hpe predict`: read, decode, estimate once, then draw it or write its joints."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from hpe.commands.options import Box
from hpe.commands.predict.outputs import IMAGES, write_file
from hpe.commands.predict.photos import STDIN, Photo, shown
from hpe.errors import HpeError
from hpe.settings import Settings

if TYPE_CHECKING:
    from hpe.engine.estimator import PoseEstimator
    from hpe.photo.answer import Answer

# a person at a slow line waits longer than Lambda's gateway would
FETCH_TIMEOUT_S: Final = 600.0
# photos of more px are drawn at half their size, so that no run takes more than 700 MiB
MAX_DRAWN_PX: Final = 61_000_000


@dataclass(frozen=True)
class Asked:
    """What is asked for, the same for every photo. threads: of one inference, 0 for all usable cores."""

    format: str
    threshold: float | None = None
    flip: bool = False
    people: int | None = None
    boxes: Sequence[Box] = ()
    model: str | None = None
    threads: int = 0


@dataclass(frozen=True)
class Job:
    """A photo, and where its result goes.

    target: a file, '-' for standard output. own: whether the file is this photo's alone, and the worker writes it.
    data: the photo's bytes if they are read already.
    """

    photo: Photo
    target: str
    own: bool
    data: bytes | None = None


@dataclass(frozen=True)
class Done:
    """What became of a job.

    score: of the best person. data: what is still to be written. problem: why it could not be done, '' otherwise.
    """

    people: int = 0
    score: float = 0.0
    data: bytes = b""
    problem: str = ""


def open_estimator(asked: Asked) -> "PoseEstimator":
    """The estimator that options and environment ask for. Raises ModelUnavailable, BadModel, BadSettings."""
    from hpe.engine.bundle import open_bundle
    from hpe.engine.estimator import PoseEstimator

    settings = Settings.from_env(os.environ)
    sure = asked.threshold if asked.threshold is not None else settings.threshold or None
    return PoseEstimator(
        open_bundle(asked.model or settings.model, settings.cache_dir, FETCH_TIMEOUT_S),
        threads=asked.threads or settings.threads,
        threshold=sure,
        flip=asked.flip,
        cache_dir=settings.cache_dir,
    )


def fetch(model: str | None) -> None:
    """Have the model on this machine before work begins. Raises ModelUnavailable, BadModel, BadSettings."""
    from hpe.engine.bundle import open_bundle

    settings = Settings.from_env(os.environ)
    open_bundle(model or settings.model, settings.cache_dir, FETCH_TIMEOUT_S)


class Worker:
    """Does job after job with one estimator."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._estimator: Any = open_estimator(asked)

    def __call__(self, job: Job) -> Done:
        """One photo, done. What is wrong with it is told in Done, not raised."""
        try:
            rgb, answer = self._estimate(job)
            data = self._encode(rgb, answer, job)
            if job.own:
                write_file(job.target, data)
        except (HpeError, OSError) as error:
            return Done(problem=reason(error))
        score = max((person.score for person in answer.people), default=0.0)
        return Done(len(answer.people), score, b"" if job.own else data)

    def _estimate(self, job: Job) -> "tuple[Any, Answer]":
        """-> (H, W, 3) uint8 RGB, at the photo's own size if it will be drawn, and what was found in it."""
        from hpe.image.decode import LIMITS, decode_image
        from hpe.image.resize import fitting, resize
        from hpe.photo.answer import answer_of, boxes_within

        began = time.perf_counter()
        data = Path(job.photo.name).read_bytes() if job.data is None else job.data
        drawn = self._asked.format in IMAGES
        # estimated at the API's size whatever is written: for joints alone there is no need to decode a larger one
        image = decode_image(data, LIMITS, *((None, MAX_DRAWN_PX) if drawn else (Settings.max_output_side, None)))
        size = fitting((image.width, image.height), Settings.max_output_side)
        small = resize(image.rgb, *size)
        decoded = time.perf_counter()
        boxes = boxes_within(self._asked.boxes, image, size)
        poses = self._estimator(small, max_people=self._asked.people, boxes=boxes)
        timings = {"decode": (decoded - began) * 1e3, "infer": (time.perf_counter() - decoded) * 1e3}
        name, found = shown(job.photo.name), self._estimator
        return image.rgb, answer_of(image, size, poses, found.threshold, found.card, timings, name)

    def _encode(self, rgb: Any, answer: "Answer", job: Job) -> bytes:
        """The photo's picture, its text, or its part of the text of all photos."""
        from hpe.photo import lines, openpose, svg

        format = self._asked.format
        if format in IMAGES:
            from hpe.image.encode import encode_image
            from hpe.pose.draw import draw_pose

            scale = rgb.shape[1] / answer.width
            people = answer.people if scale == 1 else [pose.scaled(scale, scale) for pose in answer.people]
            return encode_image(draw_pose(rgb, people), format).data  # type: ignore[arg-type]
        if format == "svg":
            return svg.document(answer, link(job)).encode()
        if format == "openpose":
            return lines.json_line(openpose.document(answer)).encode()
        return ((lines.first_line(format) if job.own else "") + lines.line(answer, format)).encode()


def link(job: Job) -> str:
    """A photo's URL as seen from the file that shows it; '' for standard input."""
    if job.photo.name == STDIN:
        return ""
    folder = "." if job.target == STDIN else os.path.dirname(job.target) or "."
    return quote(os.fsencode(os.path.relpath(job.photo.name, folder).replace(os.sep, "/")))


def reason(error: Exception) -> str:
    """An error in a few words."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
