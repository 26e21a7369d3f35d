"""`hpe submit`: photos through a deployed API's upload route, and the results back."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import click

from hpe.commands.options import Address, Duration
from hpe.commands.predict.outputs import Namer, Targets, is_folder, write_file, write_stdout
from hpe.commands.predict.photos import STDIN, Photo, find_photos, head_of, media_type, shown, sniffed
from hpe.commands.predict.tally import COUNTED, Tally
from hpe.commands.uploads_client import RemoteApi, SubmitError
from hpe.image.kinds import SUFFIXES
from hpe.photo.json_lines import json_line

Answer = dict[str, Any]

EPILOG: Final = """\b
Examples:
  hpe submit holiday/ --api https://abc123.execute-api.eu-central-1.amazonaws.com
  hpe submit a.jpg b.heic --api URL -o poses/ > poses.jsonl
"""


@click.command(epilog=EPILOG)
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option("--api", required=True, type=Address(), envvar="HPE_API", help="Its address. [HPE_API]")
@click.option("--key", envvar="HPE_KEY", default="", help="A key or token, if the API wants one. [HPE_KEY]")
@click.option("-o", "--out", metavar="OUT", help="A folder. [default: beside the photos]")
@click.option("--jobs", default=8, show_default=True, type=click.IntRange(1, 64), help="Photos under way at once.")
@click.option(
    "--timeout", "timeout_s", default=300.0, show_default=True, type=Duration(), help="Seconds for one photo."
)
@click.option("--overwrite", is_flag=True, help="Do again what is done already.")
def submit(
    photos: tuple[str, ...], api: str, key: str, out: str | None, jobs: int, timeout_s: float, overwrite: bool
) -> None:
    """Send photos through a deployed API and fetch the results.

    PHOTO is a file, a folder (searched through), or a pattern. Results are NAME.pose.png, the drawn photo, and
    NAME.pose.json, beside the original or in the folder OUT; the joints are also printed, one line per photo.

    Photos whose results are there already are not sent again, so an interrupted run goes on where it stopped. A photo
    that fails is reported, the others are done, and the exit status is then 1.
    """
    if out is not None and not is_folder(out):
        raise click.UsageError(f"{shown(out)} is not a folder; a new folder's name ends in /")
    left_out: Counter[str] = Counter()
    found = find_photos(photos, left_out)
    first = list(islice(found, COUNTED))
    tally = Tally(len(first), out, left_out)
    namer = Namer(Targets("png", out, own=True), photos)
    remote = RemoteApi(api, timeout_s, key)
    try:
        _submit_all(_open_ones(chain(first, found), namer, tally, overwrite), jobs, remote, tally)
    except KeyboardInterrupt:
        tally.close("interrupted: run it again to go on")
        raise
    tally.close()
    if tally.failed:
        sys.exit(1)


def _open_ones(photos: Iterable[Photo], namer: Namer, tally: Tally, overwrite: bool) -> Iterator[tuple[Photo, Path]]:
    """Photos -> those to be sent, each with the path of its drawn photo."""
    for photo in photos:
        if photo.name == STDIN or photo.problem:
            tally.fail(photo, photo.problem or "standard input is not sent: give files or folders")
            continue
        target = Path(namer.target(photo))
        if not overwrite and target.with_suffix(".json").exists():
            tally.skip()
        elif media_type(photo.name) or sniffed(head_of(photo.name)):
            yield photo, target
        else:
            suffix = Path(photo.name).suffix or "no suffix"
            tally.fail(photo, f"{suffix} is not a photo's: one of {', '.join(SUFFIXES)}")


def _submit_all(wanted: Iterator[tuple[Photo, Path]], jobs: int, remote: RemoteApi, tally: Tally) -> None:
    """Several at once, each told as it comes back; few are waiting at a time, however many there are."""
    with ThreadPoolExecutor(jobs) as pool:
        under_way: dict[Future[Answer], Photo] = {}
        try:
            while True:
                for photo, target in islice(wanted, 2 * jobs - len(under_way)):
                    under_way[pool.submit(_submit_one, remote, photo, target)] = photo
                if not under_way:
                    return
                for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                    _tell(under_way.pop(future), future, tally)
        finally:
            remote.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _submit_one(remote: RemoteApi, photo: Photo, target: Path) -> Answer:
    """One photo there and back, its results written -> the API's JSON and "file". Raises SubmitError, OSError."""
    data = Path(photo.name).read_bytes()
    answer, png = remote.pose(data, sniffed(data) or media_type(photo.name))
    answer = {"file": shown(photo.name), **answer}
    write_file(str(target), png)
    # the JSON comes last: if it is there, the photo is done
    write_file(str(target.with_suffix(".json")), json_line(answer).encode())
    return answer


def _tell(photo: Photo, future: Future[Answer], tally: Tally) -> None:
    try:
        answer = future.result()
    except SubmitError as error:
        tally.fail(photo, str(error))
    except OSError as error:
        tally.fail(photo, error.strerror or str(error))
    else:
        write_stdout(json_line(answer).encode())
        tally.did(len(answer["people"]))
