"""`hpe submit`: a folder of photos through a deployed API's upload route, and the results back."""

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final

import click

from hpe.commands.uploads_client import RemoteApi, SubmitError

PHOTO_TYPES: Final = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
    ".avif": "image/avif", ".heic": "image/heic", ".heif": "image/heif", ".gif": "image/gif",
    ".tif": "image/tiff", ".tiff": "image/tiff", ".bmp": "image/bmp",
}  # fmt: skip

EPILOG: Final = """\b
Examples:
  hpe submit holiday/ --api https://abc123.execute-api.eu-central-1.amazonaws.com
  hpe submit a.jpg b.heic --api URL -o poses > poses.jsonl

What is there already in the output folder is not sent again, so an interrupted run goes on where it was.
"""


@click.command("submit", epilog=EPILOG)
@click.argument("photos", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--api", required=True, envvar="HPE_API", help="The API's address, as `serverless deploy` prints it.")
@click.option(
    "-o",
    "--output",
    default=Path("poses"),
    type=click.Path(file_okay=False, path_type=Path),
    show_default=True,
    help="Folder for NAME.png and NAME.json of every photo.",
)
@click.option("--jobs", default=8, show_default=True, type=click.IntRange(1, 64), help="Photos under way at once.")
@click.option("--timeout", "timeout_s", default=300.0, show_default=True, help="Seconds to wait for one photo.")
@click.option("--again", is_flag=True, help="Send photos whose results are there already, too.")
def command(photos: tuple[Path, ...], api: str, output: Path, jobs: int, timeout_s: float, again: bool) -> None:
    """Send PHOTOS (files or folders) through a deployed API and fetch the drawn photos and the joints.

    Prints the joints as one line of JSON a photo; exits with 1 where a photo failed, after all others are done.
    """
    wanted = list(find_photos(photos, output))
    if not wanted:
        raise click.ClickException("no photos there: give files or folders with .jpg, .png, .webp, .avif, .heic ...")
    remote = RemoteApi(api.rstrip("/"), timeout_s)
    open_ones = [
        (photo, target) for photo, target in wanted if again or not target.with_name(f"{target.name}.json").exists()
    ]
    if len(open_ones) < len(wanted):
        click.echo(
            f"{len(wanted) - len(open_ones)} of {len(wanted)} are there already (--again sends them too)", err=True
        )
    failed = run_all(open_ones, jobs, lambda photo, target: submit_one(remote, photo, target))
    if failed:
        click.echo(f"{failed} of {len(open_ones)} photos failed", err=True)
        sys.exit(1)


def find_photos(given: tuple[Path, ...], output: Path) -> Iterator[tuple[Path, Path]]:
    """Files and folders -> (photo, its results' path without .png or .json), folders' own layout kept.

    Photos of one name from two places get a number each but the first, the same ones in every run.
    """
    taken: set[Path] = set()
    for photo, target in _photos(given, output):
        names = (target, *(target.with_name(f"{target.stem}-{n}{target.suffix}") for n in range(2, len(taken) + 3)))
        free = next(name for name in names if name not in taken)
        taken.add(free)
        yield photo, free


def _photos(given: tuple[Path, ...], output: Path) -> Iterator[tuple[Path, Path]]:
    for path in given:
        if path.is_file():
            yield path, output / path.name
            continue
        for photo in sorted(path.rglob("*")):
            if (
                photo.suffix.lower() in PHOTO_TYPES
                and photo.is_file()
                and output.resolve() not in photo.resolve().parents
            ):
                yield photo, output / photo.relative_to(path)


def submit_one(remote: RemoteApi, photo: Path, target: Path) -> dict[str, object]:
    """One photo there and back. Gives the API's JSON with "file" added. Raises SubmitError."""
    content_type = PHOTO_TYPES.get(photo.suffix.lower())
    if content_type is None:
        raise SubmitError(f"{photo.suffix or 'no suffix'} is not a photo's: one of {', '.join(PHOTO_TYPES)}")
    answer, png = remote.pose(photo.read_bytes(), content_type)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_name(f"{target.name}.png").write_bytes(png)
    # The JSON comes last: where it is, the photo is done.
    target.with_name(f"{target.name}.json").write_text(json.dumps(answer) + "\n")
    return {"file": str(photo), **answer}


def run_all(wanted: list[tuple[Path, Path]], jobs: int, task: Callable[[Path, Path], dict[str, object]]) -> int:
    """Run the task for each photo, several at once; print results as they come. Gives how many failed."""
    from tqdm import tqdm

    failed = 0
    with ThreadPoolExecutor(jobs) as pool, tqdm(total=len(wanted), unit="photo", disable=None, file=sys.stderr) as bar:
        futures = {pool.submit(task, photo, target): photo for photo, target in wanted}
        for future in as_completed(futures):
            try:
                click.echo(json.dumps(future.result()))
            except (SubmitError, OSError) as error:
                failed += 1
                tqdm.write(f"{futures[future]}: {error}", file=sys.stderr)
            bar.update()
    return failed
