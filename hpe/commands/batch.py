"""`hpe batch`: photos and clips under a prefix of S3, or in a list of keys, to lines of JSON, inside your account."""

import json
import time
import uuid
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from hpe.batch.items import Item, is_clip
from hpe.batch.manifest import manifest_lines, read_manifest
from hpe.batch.plan import Done, Place, below, list_items, place_of, read_done
from hpe.batch.retire import retire
from hpe.commands.batch_estimate import DEPLOY, estimate
from hpe.commands.stack import REGION_OPTION, STACK_OPTION, Stack, aws_errors
from hpe.errors import BadData

POLL_S: Final = 3.0
CLIP_POLL_S: Final = 20.0

EPILOG: Final = """\b
Examples:
  hpe batch s3://photos/2026 s3://photos-poses/2026 --dry-run
  hpe batch s3://photos/2026 s3://photos-poses/2026 --follow
  hpe batch s3://photos s3://photos-poses/chosen --manifest keys.csv
  hpe batch s3://photos s3://photos-poses/all --manifest s3://lists/photos/daily/2026-12-01T01-00Z/manifest.json

\b
Writes below OUTPUT:
  results/*.jsonl.gz  a line of JSON for each photo: its people, or its problem
  done/*.csv          the same in short: key, ETag, people, problem
  drawn/KEY.jpg       with --draw
  tracks/KEY.jsonl    of a clip; its line says so, and who is in it when

Run again, it does what is missing: new and changed photos, and those of batches that failed. A changed photo's old line
goes; --prune removes the lines of deleted photos too.
"""


@click.command("batch", epilog=EPILOG)
@click.argument("source", metavar="s3://BUCKET/PREFIX")
@click.argument("output", metavar="s3://OUTPUT")
@click.option("--manifest", help="What to do: a CSV with a column `key`, JSON lines, or S3 Inventory; a file or s3://.")
@click.option("--draw", is_flag=True, help="Draw each photo too, as a JPEG.")
@click.option("--batch-size", default=50, show_default=True, type=click.IntRange(1, 200), help="Photos a call.")
@click.option("--retry-problems", is_flag=True, help="Do photos again whose line has a problem.")
@click.option("--prune", is_flag=True, help="Remove the lines and drawings of photos that are no longer in SOURCE.")
@click.option("--dry-run", is_flag=True, help="Count, time ten of the photos, say what it costs; write nothing.")
@click.option("--follow", is_flag=True, help="Wait for the end, with progress.")
@STACK_OPTION
@REGION_OPTION
def command(
    source: str,
    output: str,
    manifest: str | None,
    draw: bool,
    batch_size: int,
    retry_problems: bool,
    prune: bool,
    dry_run: bool,
    follow: bool,
    stack: str,
    region: str | None,
) -> None:
    """Find the people in photos and clips that lie in S3, inside your AWS account.

    They are read, and the results written, by the deployed stack; nothing passes through this machine. The
    stack must have been deployed with batchBuckets and batchOutput. Exits with 1 if --follow sees a batch fail.
    """
    if prune and manifest is not None:
        raise click.UsageError(
            "--prune compares with what lies in SOURCE now, which a manifest does not say: leave one of them out"
        )
    deployed = Stack(stack, region)
    there, here = _places(deployed, source, output)
    s3 = deployed.client("s3")
    with aws_errors():
        done = read_done(s3, here, there.bucket, retry_problems)
        items = None if manifest is None else _manifest(s3, manifest, there, here)
        if dry_run:
            estimate(deployed, there, here, done, items, batch_size, draw)
            return
        machine = deployed.output("BatchMachineArn", DEPLOY)
        start = _with_what_is_missing(s3, start_input(there, here, batch_size, draw), there, here, done, items, prune)
        if start is None:
            return
        name = start["summaries"].rsplit("/", 1)[-1]
        states = deployed.client("stepfunctions")
        run = states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(start))["executionArn"]
        click.echo(f"started {run}", err=True)
        if follow:
            clips = [item for item in items or list_items(s3, there, here) if is_clip(item.key)]
            _follow(states, run, lambda: read_done(s3, here, there.bucket), clips)


def _places(stack: Stack, source: str, output: str) -> tuple[Place, Place]:
    """Both checked against what the stack may read and write."""
    there, here = place_of(source), place_of(output)
    buckets = stack.output("BatchBuckets", DEPLOY).split(",")
    if there.bucket not in buckets:
        raise click.ClickException(
            f"stack {stack.name} may read {', '.join(buckets)}, not {there.bucket}: deploy it with "
            f"--param=batchBuckets={','.join([*buckets, there.bucket])}"
        )
    allowed = place_of(stack.output("BatchOutput", DEPLOY))
    if not allowed.holds(here):
        raise click.ClickException(f"stack {stack.name} may write below {allowed}, not {here}: give a place there")
    return there, here


def _manifest(s3: Any, name: str, there: Place, here: Place) -> list[Item]:
    def fetch(bucket: str, key: str) -> bytes:
        data: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return data

    if name.startswith("s3://"):
        bucket, _, key = name.removeprefix("s3://").partition("/")
        data = fetch(bucket, key)
    else:
        try:
            data = Path(name).read_bytes()
        except OSError as error:
            raise BadData(f"{name} cannot be read: {error.strerror}") from error
    found = read_manifest(data, name, there.bucket, fetch)
    items = below(found, there, here)
    if not items:
        raise BadData(f"{name} names {len(found):,} objects, and none is a photo below {there}: is the prefix right?")
    if len(items) < len(found):
        click.echo(
            f"{len(found) - len(items):,} of {len(found):,} objects of {name} are left out: not below {there}, or no "
            "photos by their names",
            err=True,
        )
    return items


def start_input(there: Place, here: Place, batch_size: int, draw: bool) -> dict[str, Any]:
    """What the state machine (deploy/resources/batch.yml) is started with, under a name that no run had."""
    name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:8]}"
    return {
        "kind": "prefix",
        "bucket": there.bucket,
        "prefix": there.key(""),
        "output": f"{here.bucket}/{here.prefix}".rstrip("/"),
        "outputBucket": here.bucket,
        "summaries": here.key(f"runs/{name}"),
        "batchSize": batch_size,
        "draw": draw,
    }


def _with_what_is_missing(
    s3: Any, start: dict[str, Any], there: Place, here: Place, done: Done, items: list[Item] | None, prune: bool
) -> dict[str, Any] | None:
    """The input for what is missing; None if nothing is. A first run over a prefix leaves the listing to AWS.

    Lines that are no longer true leave before their photos are done again: no reader sees two of one photo.
    """
    if items is None and not done.lines:
        if not list(islice(list_items(s3, there, here), 1)):
            raise click.ClickException(f"no photos below {there}: is the prefix right?")
        return start
    known = items if items is not None else list(list_items(s3, there, here))
    missing = [item for item in known if not done.has(item)]
    _retire(s3, there, here, done, known, missing, prune)
    what = "photos and clips" if any(is_clip(item.key) for item in known) else "photos"
    click.echo(
        f"{len(known) - len(missing):,} of {len(known):,} {what} are done, {len(missing):,} are missing", err=True
    )
    if not missing:
        return None
    key = f"{start['summaries']}/missing.jsonl"
    s3.put_object(Bucket=here.bucket, Key=key, Body=manifest_lines(missing), ContentType="application/x-ndjson")
    return {**start, "kind": "jsonl", "manifest": key}


def _retire(
    s3: Any, there: Place, here: Place, done: Done, known: list[Item], missing: list[Item], prune: bool
) -> None:
    lines = done.superseded(known)
    gone = done.gone(known, there.key("")) if prune else []
    if lines or gone:
        undrawn = [item.key for item in missing if item.key in done.photos] + [key for key, _ in gone]
        count = retire(s3, here, [*lines, *gone], undrawn)
        click.echo(f"{count:,} lines were removed: of photos that changed, are done again, or were deleted", err=True)


def _follow(states: Any, run: str, read: Callable[[], Done], clips: list[Item]) -> None:
    """Progress until the run and its clips have ended, then what became of all. Ctrl-C leaves the run as it is."""
    from tqdm import tqdm

    counts: dict[str, int] = {}
    with tqdm(unit="photo", disable=None) as bar:
        while True:
            status = states.describe_execution(executionArn=run)["status"]
            runs = states.list_map_runs(executionArn=run)["mapRuns"]
            if runs:
                counts = states.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
                bar.total = counts["total"]
                bar.n = counts["total"] - counts["pending"] - counts["running"]
                bar.set_postfix(running=counts["running"], failed=counts["failed"])
                bar.refresh()
            if status != "RUNNING":
                break
            time.sleep(POLL_S)
    lost = sum(counts.get(name, 0) for name in ("failed", "timedOut", "aborted", "pending"))
    failed = bool(lost) or status != "SUCCEEDED"
    done = read() if failed else _wait_for_clips(read, clips)
    problems = ", ".join(f"{count:,} {kind}" for kind, count in sorted(done.problems.items())) or "none"
    what = "photos and clips" if clips else "photos"
    click.echo(f"{done.lines:,} {what} done in all, {done.people:,} people; problems: {problems}")
    if failed:
        raise click.ClickException(
            f"the run ended as {status}, {lost:,} items of it failed: the function's log says why; the same command "
            "again does what is missing"
        )


def _wait_for_clips(read: Callable[[], Done], clips: list[Item]) -> Done:
    """Until each clip has its line: the worker of clips writes it, at the latest after its last try."""
    from tqdm import tqdm

    done = read()
    with tqdm(total=len(clips), unit="clip", disable=None if clips else True) as bar:
        while True:
            bar.n = sum(done.has(item) for item in clips)
            bar.refresh()
            if bar.n == len(clips):
                return done
            time.sleep(CLIP_POLL_S)
            done = read()
