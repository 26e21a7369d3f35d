"""`hpe predict`: photos in; drawn photos, joints, or what other tools read out."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hpe.commands.options import BoxText, Share
from hpe.commands.predict import work
from hpe.commands.predict.failures import failures_file
from hpe.commands.predict.names import Namer
from hpe.commands.predict.photos import STDIN, Photo, find_photos, named, shown
from hpe.commands.predict.plan import Plan, State
from hpe.commands.predict.records import Records
from hpe.commands.predict.run import Run
from hpe.commands.predict.sinks import Document, Lines, Sink, Stdout
from hpe.commands.predict.tally import COUNTED, Tally
from hpe.commands.predict.targets import Targets, choose_format, choose_targets
from hpe.commands.predict.work import Asked
from hpe.commands.stoppable import stoppable
from hpe.cores import usable_cores
from hpe.errors import HpeError
from hpe.photo.coco_images import Images
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
@click.argument("photos", nargs=-1, metavar="PHOTO...")
@click.option("-o", "--out", metavar="OUT", help="A file, a folder, or - for standard output.")
@click.option("--format", type=click.Choice([*FORMATS, "jpg"]), help="[default: what OUT ends in, else png]")
@click.option(
    *("--dataset", "dataset"), is_flag=False, flag_value="", metavar="[FILE]",
    help="With --format coco: images, annotations and categories, not results. With FILE: results about its "
    "images, with their ids.",
)  # fmt: skip
@click.option("--people", type=click.IntRange(1, Settings.max_people), help="At most so many in a photo. [default: 20]")
@click.option("--box", "boxes", type=BoxText(), multiple=True, help="x0,y0,x1,y1 in px: where a person is. Repeats.")
@click.option("--threshold", type=Share(), help="Joints below it are unsure. [default: the model's own]")
@click.option("--flip", is_flag=True, help="Average with the mirrored photo: a little better, half as fast.")
@click.option("--angles", is_flag=True, help="With --format json: the angles of each person. Tables always have them.")
@click.option("--model", metavar="MODEL", help="A manifest or s3://bucket/key.json. [default: HPE_MODEL, else ours]")
@click.option("--jobs", type=click.IntRange(1, 64), help="Photos at once, each on one thread. [default: one a core]")
@click.option("--from", "photos_from", metavar="FILE", help="More PHOTOs, one a line; - for standard input.")
@click.option("--failures", metavar="FILE", help="Write what failed there: JSON lines, which --from reads again.")
@click.option("--excel", is_flag=True, help="With CSV: begin with the byte order mark that Excel wants for UTF-8.")
@click.option("--update", is_flag=True, help="Do again what has changed since, or was made with other options.")
@click.option("--overwrite", is_flag=True, help="Do again all that is done already.")
def predict(
    photos: tuple[str, ...],
    out: str | None,
    format: str | None,
    dataset: str | None,
    people: int | None,
    boxes: "tuple[Box, ...]",
    threshold: float | None,
    flip: bool,
    angles: bool,
    model: str | None,
    jobs: int | None,
    photos_from: str | None,
    failures: str | None,
    excel: bool,
    update: bool,
    overwrite: bool,
) -> None:
    """Find people in photos: draw them, or write their joints.

    PHOTO is a file, a folder (searched through), a pattern, or - for standard input. A drawn photo goes beside
    its original as NAME.pose.png, or into the folder OUT; an original is never overwritten. JSON is one line per
    photo, in the API's shape with "file" added; CSV is one row per joint, csv-wide one row per person.

    A run that was interrupted goes on where it stopped: photos that are in OUT already are skipped. If one of them has
    changed since, or the options have, it stops and says so: see --update and --overwrite. A photo that cannot be read
    is reported, the others are done, and the exit status is then 1.
    """
    silence_libraries()
    kind = choose_format(format, out)
    if dataset and not dataset.lower().endswith(".json"):
        photos, dataset = (dataset, *photos), ""  # what follows the bare option is a photo
    if dataset is not None and kind != "coco":
        raise click.UsageError(f"--dataset is for --format coco; this is {kind}")
    if angles and kind not in ("json", "csv", "csv-wide", "parquet"):
        raise click.UsageError(f"--angles is for --format json, csv, csv-wide and parquet; this is {kind}")
    if excel and kind not in ("csv", "csv-wide"):
        raise click.UsageError(f"--excel is for --format csv and csv-wide; this is {kind}")
    photos = named(photos, photos_from)
    images = Images(dataset) if dataset else dataset is not None
    left_out: Counter[str] = Counter()
    found = _among(find_photos(photos, left_out), images)
    first = list(islice(found, COUNTED))
    targets = choose_targets(kind, out, several=len(first) > 1, piped=photos == (STDIN,))
    asked = Asked(kind, threshold, flip, people, boxes, model, angles=angles, excel=excel)
    with ExitStack() as held:
        namer = Namer(targets, photos)
        namer.records = records = held.enter_context(closing(Records(targets, lasting=not FORMATS[kind].single)))
        sink = held.enter_context(closing(_open_sink(targets, images, overwrite, excel)))
        options = work.terms(asked) if any(not photo.problem for photo in first) and records.needed else {}
        options |= {"dataset": dataset} if dataset else {}
        plan = Plan(targets, namer, records, sink, options, overwrite=overwrite, update=update)
        plan.check_file()
        planned = plan.of(first)
        to_do = sum(one.state is State.TODO for one in planned)
        processes = jobs or (usable_cores() if to_do >= _MANY else 1)
        asked = replace(asked, threads=1 if jobs == 1 or processes > 1 else 0)
        tally = Tally(to_do, len(first) > 1, out, left_out, held.enter_context(failures_file(failures, photos)))
        rest = (one for photo in found for one in plan.of([photo]))
        run = Run(targets, sink, records, options, tally)
        with tally.told(goes_on=targets.own or targets.out not in (None, STDIN)), stoppable():
            run.all(run.jobs(chain(planned, rest)), asked, processes)
            sink.finish()
            records.finish(FORMATS[kind].document is not None)


def _among(photos: Iterator[Photo], images: bool | Images) -> Iterator[Photo]:
    """Photos, those with a problem that are not among the images of a data set, if results are about one."""
    for photo in photos:
        if isinstance(images, Images) and not photo.problem and (why := images.problem(shown(photo.name))):
            photo = photo._replace(problem=why)
        yield photo


def _open_sink(targets: Targets, dataset: bool | Images, overwrite: bool, excel: bool) -> Sink:
    path = Path(targets.out) if targets.out and targets.out != STDIN else None
    try:
        row = FORMATS[targets.format]
        if row.document:
            return Document(path, targets.format, dataset, overwrite)
        if row.single and not path:
            return Stdout(targets.format)
        if targets.own or row.single:
            return Sink()
        return Lines(path, targets.format, overwrite, excel) if path else Stdout(targets.format, excel)
    except OSError as error:
        raise HpeError(f"{shown(targets.out or STDIN)}: {work.reason(error)}") from error
