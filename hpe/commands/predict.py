"""`hpe predict`: photos in, drawn photos or joints out."""

import math
import os
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import click
from tqdm import tqdm

from hpe.commands import outputs
from hpe.commands.photos import STDIN, Photo, find_photos
from hpe.errors import HpeError
from hpe.settings import Settings

if TYPE_CHECKING:
    from hpe.engine.estimator import PoseEstimator
    from hpe.image.decode import DecodedImage

# photos read and decoded while the network looks at another
_AHEAD: Final = 2
# a person at a slow line waits longer than Lambda's gateway would
_FETCH_TIMEOUT_S: Final = 600.0

_EXAMPLES: Final = """\b
Examples:
  hpe predict photo.jpg
  hpe predict photo.jpg -o drawn.webp
  hpe predict album/ more/*.jpg -o drawn/
  hpe predict album/ --format json > joints.jsonl
  hpe predict album/ -o joints.csv
  curl -s https://example.org/a.jpg | hpe predict - > drawn.png
"""


class Share(click.FloatRange):
    """From 0 to 1, and not nan, which every comparison lets pass."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not in the range 0<=x<=1.", param, ctx)
        return number


@click.command(epilog=_EXAMPLES)
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option("-o", "--out", metavar="OUT", help="A file, a folder, or - for standard output.")
@click.option("--format", type=click.Choice(outputs.FORMATS), help="[default: what OUT ends in, else png]")
@click.option("--threshold", type=Share(0, 1), help="Joints below it are unsure. [default: the model's own]")
@click.option("--flip", is_flag=True, help="Look at the mirrored photo too: a little better, half as fast.")
@click.option("--model", metavar="MODEL", help="A .onnx file or s3://bucket/key.onnx. [default: HPE_MODEL, else ours]")
def predict(
    photos: tuple[str, ...], out: str | None, format: str | None, threshold: float | None, flip: bool, model: str | None
) -> None:
    """Find people in photos: draw them, or write their joints.

    PHOTO is a file, a folder (searched through), a pattern, or - for standard input. A drawn photo goes beside
    its original as NAME.pose.png, or into the folder OUT; an original is never overwritten. JSON is one line a
    photo on standard output, in the API's shape with "file" added; CSV is one row a joint.

    A photo that cannot be read is reported, the others are done, and the exit status is then 1.
    """
    found, problems = find_photos(photos)
    kind = outputs.choose_format(format, out)
    targets = outputs.plan(found, kind, out)
    for problem in problems:
        click.echo(f"hpe: {problem}", err=True)
    failed = len(problems)
    if found:
        estimator = open_estimator(model, threshold, flip)
        failed += _predict_all(found, targets, kind, estimator)
    if failed:
        click.echo(f"hpe: {failed} of {len(found) + len(problems)} could not be done", err=True)
        sys.exit(1)


def open_estimator(model: str | None, threshold: float | None, flip: bool) -> "PoseEstimator":
    """The estimator that options and environment ask for. Raises ModelUnavailable, BadModel, BadSettings."""
    from hpe.engine.bundle import open_bundle
    from hpe.engine.estimator import PoseEstimator

    settings = Settings.from_env(os.environ)
    name = model or settings.model
    fetched = open_bundle(name, settings.cache_dir, _FETCH_TIMEOUT_S) if name.startswith("s3://") else name
    sure = threshold if threshold is not None else settings.threshold or None
    return PoseEstimator(fetched, threads=settings.threads, threshold=sure, flip=flip, cache_dir=settings.cache_dir)


def _predict_all(photos: Sequence[Photo], targets: dict[Photo, str], kind: str, estimator: "PoseEstimator") -> int:
    """Every photo in turn -> how many failed, each with a line on stderr."""
    failed = 0
    seen: set[str] = set()
    hidden = True if len(photos) == 1 else None  # None: shown on a terminal
    # a picture is drawn at its own size; for joints alone the API's size is enough, and faster to decode
    max_side = None if kind in outputs.IMAGES else Settings.max_output_side
    with tqdm(total=len(photos), unit="photo", disable=hidden, file=sys.stderr) as bar:
        for photo, loading in _read_ahead(photos, max_side):
            try:
                people = _predict_one(photo, loading, targets[photo], kind, estimator, seen)
                if bar.disable and kind in outputs.IMAGES:
                    click.echo(f"{photo.name} -> {targets[photo]}: {people}", err=True)
            except BrokenPipeError:
                raise
            except (HpeError, OSError) as error:
                failed += 1
                bar.write(f"hpe: {photo.name}: {_reason(error)}", file=sys.stderr)
            bar.update()
    return failed


def _predict_one(
    photo: Photo,
    loading: "Future[tuple[DecodedImage, float]]",
    target: str,
    kind: str,
    estimator: "PoseEstimator",
    seen: set[str],
) -> str:
    """One photo -> its output, and a word on who was found."""
    from hpe.image.encode import encode_image
    from hpe.pose.draw import draw_pose

    image, decode_s = loading.result()
    began = time.perf_counter()
    poses = estimator(image.rgb)
    infer_s = time.perf_counter() - began
    if kind in outputs.IMAGES:
        outputs.write_file(target, encode_image(draw_pose(image.rgb, poses), kind).data)  # type: ignore[arg-type]
    else:
        height, width = image.rgb.shape[:2]
        answer: dict[str, Any] = {
            "file": photo.name,
            "image": {"width": image.width, "height": image.height},
            "people": [pose.scaled(image.width / width, image.height / height).to_dict() for pose in poses],
            "model": {"name": estimator.card.name, "sha256": estimator.card.sha256},
            "timings_ms": {"decode": round(decode_s * 1e3, 1), "infer": round(infer_s * 1e3, 1)},
        }
        first = target not in seen
        seen.add(target)
        text = outputs.as_json(answer) if kind == "json" else outputs.as_csv(answer, header=first)
        outputs.write_text(target, text, append=not first)
    return f"{len(poses)} person, score {poses[0].score:.2f}" if poses else "nobody found"


def _read_ahead(
    photos: Sequence[Photo], max_side: int | None
) -> "Iterator[tuple[Photo, Future[tuple[DecodedImage, float]]]]":
    """The photos in order, each with its decoding, which runs beside the network."""
    with ThreadPoolExecutor(1) as reader:
        waiting: deque[tuple[Photo, Future[tuple[DecodedImage, float]]]] = deque()
        for photo in photos:
            waiting.append((photo, reader.submit(_load, photo, max_side)))
            if len(waiting) > _AHEAD:
                yield waiting.popleft()
        yield from waiting


def _load(photo: Photo, max_side: int | None) -> "tuple[DecodedImage, float]":
    """-> the decoded photo, and the seconds that decoding took."""
    from hpe.image.decode import LIMITS, decode_image

    data = click.get_binary_stream("stdin").read() if photo.name == STDIN else photo.path.read_bytes()
    began = time.perf_counter()
    image = decode_image(data, LIMITS, max_side)
    return image, time.perf_counter() - began


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
