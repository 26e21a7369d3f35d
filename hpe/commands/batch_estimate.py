"""`hpe batch --dry-run`: what a run would take and cost, measured on some of the photos in the deployed function."""

import json
from dataclasses import replace
from typing import Final

import click

from hpe.batch.cost import GB_SECOND, Job, dollars
from hpe.batch.items import Item, is_clip
from hpe.batch.plan import Done, Place, list_items
from hpe.commands.stack import Stack
from hpe.video.budget import USUAL_FPS, USUAL_PEOPLE, seconds_of_work

DEPLOY: Final = "npx serverless deploy --param=batchBuckets=BUCKET --param=batchOutput=BUCKET/PREFIX"
_SAMPLE: Final = 10
# Of the worker of clips (serverless.yml); both of its cores work on one clip.
_CLIP_WORKER_MB: Final = 3_538
_CORES: Final = 2


def estimate(
    stack: Stack, there: Place, here: Place, done: Done, items: list[Item] | None, batch_size: int, draw: bool
) -> None:
    """Print how many photos there are and are missing, what one takes in the function, and what all would cost."""
    everything = items if items is not None else list(list_items(stack.client("s3"), there, here))
    _tell_clips([item for item in everything if is_clip(item.key)], done)
    known = [item for item in everything if not is_clip(item.key)]
    missing = [item for item in known if not done.has(item)]
    size = sum(item.size or 0 for item in known)
    click.echo(f"photos   {len(known):,}{f', {size / 1e9:,.2f} GB' if size else ''}; missing {len(missing):,}")
    if not missing:
        return
    sample = missing[:: max(1, len(missing) // _SAMPLE)][:_SAMPLE]  # from all over the list
    job = _measured(stack, there, sample)
    job = replace(job, photos=len(missing), batch_size=batch_size, draw=draw)
    click.echo(f"a photo  {job.ms:,.0f} ms, measured in the function on {len(sample)} of them")
    took = f"{job.hours:,.1f} hours" if job.hours >= 1 else f"{job.hours * 60:,.1f} minutes"
    click.echo(f"time     {took}, {min(job.concurrency, job.batches)} batches at once")
    lines = dollars(job)
    digits = 2 if sum(lines.values()) >= 1 else 5
    for name, cost in {**lines, "together": sum(lines.values())}.items():
        click.echo(f"  {name:32} ${cost:,.{digits}f}")


def _tell_clips(clips: list[Item], done: Done) -> None:
    if not clips:
        return
    missing = sum(not done.has(item) for item in clips)
    size = sum(item.size or 0 for item in clips)
    click.echo(f"clips    {len(clips):,}{f', {size / 1e9:,.2f} GB' if size else ''}; missing {missing:,}")
    seconds = seconds_of_work(60) / _CORES
    price = seconds * _CLIP_WORKER_MB / 1024 * GB_SECOND["arm64"]
    click.echo(
        f"a minute of clip  {seconds:,.0f} s of the worker of clips, ${price:.4f}, with {USUAL_PEOPLE} people at "
        f"{USUAL_FPS:g} frames a second; how long clips are is not known before"
    )


def _measured(stack: Stack, there: Place, sample: list[Item]) -> Job:
    """Some photos through the deployed function, which writes nothing: what one takes there."""
    name = stack.output("BatchFunctionName", DEPLOY)
    functions = stack.client("lambda")
    settings = functions.get_function_configuration(FunctionName=name)
    photos = [
        {"photo": {"key": item.key, "etag": item.etag, "size": item.size}, "bucket": there.bucket} for item in sample
    ]
    ms = 0.0
    for _ in range(2):  # the first call may start the function, the second finds it warm
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"Items": photos}).encode())
        told = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise click.ClickException(f"the function failed: {told.get('errorMessage', told)}")
        if not told["photos"]:
            raise click.ClickException("none of the photos that were tried is one: look at the names")
        ms = told["ms"] / told["photos"]
    concurrency = int(stack.output("BatchConcurrency", DEPLOY))
    architecture = settings.get("Architectures", ["x86_64"])[0]
    return Job(len(sample), ms, concurrency=concurrency, memory_mb=settings["MemorySize"], architecture=architecture)
