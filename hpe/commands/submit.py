"""`hpe submit`: photos through an API's upload route, or straight to /pose, and the results back."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import click

from hpe.commands.options import Address, Duration
from hpe.commands.predict.failures import failures_file
from hpe.commands.predict.names import Namer
from hpe.commands.predict.outputs import write_file, write_stdout
from hpe.commands.predict.photos import STDIN, Photo, find_photos, head_of, media_type, named, shown, sniffed
from hpe.commands.predict.plan import Plan, Planned, State
from hpe.commands.predict.record import Options
from hpe.commands.predict.records import Records
from hpe.commands.predict.sinks import Sink
from hpe.commands.predict.tally import COUNTED, Tally
from hpe.commands.predict.targets import Targets, is_folder
from hpe.commands.predict.work import OF_ONE_NAME
from hpe.commands.uploads_client import RemoteApi, SubmitError
from hpe.errors import HpeError
from hpe.image.kinds import SUFFIXES
from hpe.photo.json_lines import json_line
from hpe.video.containers import CLIP_TYPES

Answer = dict[str, Any]
# Whoever draws these photos is not the one who goes on with those of `hpe predict`.
_OPTIONS: Final[Options] = {"format": "of an API"}
EPILOG: Final = """\b
Examples:
  hpe submit holiday/ --api https://abc123.execute-api.eu-central-1.amazonaws.com
  hpe submit a.jpg b.heic --api URL -o poses/ > poses.jsonl
  hpe submit clip.mp4 --api URL --timeout 3600     tracks in clip.pose.jsonl
  hpe submit holiday/ --api http://127.0.0.1:8000
"""


@click.command(epilog=EPILOG)
@click.argument("photos", nargs=-1, metavar="PHOTO...")
@click.option("--api", required=True, type=Address(), envvar="HPE_API", help="Its address. [HPE_API]")
@click.option("--key", envvar="HPE_KEY", default="", help="A key or token, if the API wants one. [HPE_KEY]")
@click.option("-o", "--out", metavar="OUT", help="A folder. [default: beside the photos]")
@click.option("--jobs", default=8, show_default=True, type=click.IntRange(1, 64), help="Photos under way at once.")
@click.option(
    "--timeout", "timeout_s", default=300.0, show_default=True, type=Duration(), help="Seconds for one photo."
)
@click.option("--from", "photos_from", metavar="FILE", help="More PHOTOs, one a line; - for standard input.")
@click.option("--failures", metavar="FILE", help="Write what failed there: JSON lines, which --from reads again.")
@click.option("--update", is_flag=True, help="Do again what has changed since.")
@click.option("--overwrite", is_flag=True, help="Do again all that is done already.")
def submit(
    photos: tuple[str, ...],
    api: str,
    key: str,
    out: str | None,
    jobs: int,
    timeout_s: float,
    photos_from: str | None,
    failures: str | None,
    update: bool,
    overwrite: bool,
) -> None:
    """Send photos through an API and fetch the results.

    PHOTO is a file, a folder (searched through), or a pattern. Results are NAME.pose.png, the drawn photo, and
    NAME.pose.json, beside the original or in the folder OUT; the joints are also printed, one line per photo.

    URL is a deployed API, or what `hpe serve` prints. Photos whose results are there already are not sent again, so an
    interrupted run goes on where it stopped; if one has changed since, it stops and says so (see --update). A photo
    that fails is reported, the others are done, and the exit status is then 1.
    """
    if out is not None and not is_folder(out):
        raise click.UsageError(f"{shown(out)} is not a folder; a new folder's name ends in /")
    photos = named(photos, photos_from)
    left_out: Counter[str] = Counter()
    found = find_photos(photos, left_out)
    first = list(islice(found, COUNTED))
    targets = Targets("png", out, own=True)
    with ExitStack() as held:
        namer = Namer(targets, photos)
        namer.records = records = held.enter_context(closing(Records(targets, lasting=False)))
        plan = Plan(
            *(targets, namer, records, Sink(), _OPTIONS),
            overwrite=overwrite, update=update, last=_joints_of,
        )  # fmt: skip
        planned = plan.of(first)
        to_do = sum(one.state is State.TODO for one in planned)
        tally = Tally(to_do, len(first) > 1, out, left_out, held.enter_context(failures_file(failures, photos)))
        rest = (one for photo in found for one in plan.of([photo]))
        remote = RemoteApi(api, timeout_s, key)
        with tally.told(goes_on=True):
            _submit_all(_open_ones(chain(planned, rest), tally), jobs, remote, tally, records)


def _joints_of(drawn: str) -> str:
    """The JSON comes last: if it is there, the photo is done."""
    return f"{drawn.removesuffix('.png')}.json"


def _open_ones(photos: Iterable[Planned], tally: Tally) -> Iterator[Planned]:
    """Photos -> those to be sent."""
    for one in photos:
        photo = one.photo
        if photo.name == STDIN or photo.problem:
            tally.fail(photo, photo.problem or "standard input is not sent: give files or folders")
        elif one.state is State.DONE:
            tally.skip()
        elif clip_type(photo.name) or media_type(photo.name) or sniffed(head_of(photo.name)):
            yield one
        elif not Path(photo.name).exists():
            tally.fail(photo, "No such file or directory")
        else:
            suffix = Path(photo.name).suffix or "no suffix"
            tally.fail(photo, f"{suffix} is not a photo's: one of {', '.join(SUFFIXES)}")


def _submit_all(wanted: Iterator[Planned], jobs: int, remote: RemoteApi, tally: Tally, records: Records) -> None:
    """Several at once, each told as it comes back; few are waiting at a time, however many there are."""
    with ThreadPoolExecutor(jobs) as pool:
        under_way: dict[Future[Answer], Planned] = {}
        try:
            while True:
                for one in islice(wanted, 2 * jobs - len(under_way)):
                    under_way[pool.submit(_submit_one, remote, one.photo, one.target)] = one
                if not under_way:
                    return
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    _tell(under_way.pop(future), future, tally, records)
        finally:
            remote.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _submit_one(remote: RemoteApi, photo: Photo, target: str) -> Answer:
    """One photo there and back, its results written -> the API's JSON and "file".

    Raises SubmitError, OSError for the photo, HpeError for results that cannot be written.
    """
    if clip_type(photo.name):
        drawn, made = f"{target.removesuffix('.png')}.jsonl", _tracks(remote, Path(photo.name))
        people = sorted({int(json.loads(line)["id"]) for line in made.splitlines()})
        answer: Answer = {"people": people, "tracks": shown(drawn)}
    else:
        data = Path(photo.name).read_bytes()
        drawn = target
        answer, made = remote.pose(data, sniffed(data) or media_type(photo.name))
    answer = {"file": shown(photo.name), **answer}
    try:
        write_file(drawn, made)
        write_file(_joints_of(target), json_line(answer).encode())
    except OSError as error:
        if error.errno in OF_ONE_NAME:
            raise
        raise HpeError(f"{shown(photo.name)}: {error.strerror}: what was done before is kept") from error
    return answer


def _tracks(remote: RemoteApi, clip: Path) -> bytes:
    """A clip there and its tracks back. What it says of itself goes first, so that what does not fit is not sent."""
    from hpe.video.decode import Clip

    try:
        with Clip(clip) as opened:
            seconds, fps = opened.duration, opened.fps
    except HpeError as error:
        raise SubmitError(str(error)) from error
    return remote.tracks(clip, clip_type(clip.name), round(seconds, 2), fps)


def clip_type(name: str) -> str:
    """A clip's media type by its suffix, '' for other files."""
    return CLIP_TYPES.get(Path(name).suffix.lower(), "")


def _tell(one: Planned, future: Future[Answer], tally: Tally, records: Records) -> None:
    photo = one.photo
    try:
        answer = future.result()
    except SubmitError as error:
        tally.fail(photo, str(error))
    except OSError as error:
        tally.fail(photo, error.strerror or str(error))
    else:
        records.begin(photo, _OPTIONS)
        records.add(photo, one.stamp, one.target)
        write_stdout(json_line(answer).encode())
        tally.did(len(answer["people"]))
