"""`hpe video`: clips in; drawn clips and tracks out; or a camera, live."""

import math
import sys
from typing import Final

import click

from hpe.commands.options import Share
from hpe.commands.stoppable import stoppable
from hpe.commands.video.outputs import choose_outputs, draws
from hpe.cores import usable_cores
from hpe.errors import HpeError
from hpe.settings import Settings
from hpe.stderr import silence_libraries

_EXAMPLES: Final = """\b
Examples:
  hpe video clip.mp4                            clip.pose.webm, with everybody drawn
  hpe video clip.mp4 -o drawn.mp4 -o tracks.csv
  hpe video clip.mp4 --start 10 --end 25 -o part.webm
  hpe video clips/*.mp4 -o drawn/
  hpe video --camera 0                          live, in a window
  hpe video --camera 0 -o - > tracks.jsonl
"""


class Seconds(click.ParamType[float]):
    """Seconds from a clip's start, also as minutes:seconds or hours:minutes:seconds."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            parts = [float(part) for part in str(value).split(":")]
        except ValueError:
            parts = []
        seconds: float = sum(part * 60**n for n, part in enumerate(reversed(parts)))
        if not 1 <= len(parts) <= 3 or not all(0 <= part < math.inf for part in parts):
            self.fail(f"{value!r} is not a time: give seconds, or minutes:seconds, like 75 or 1:15", param, ctx)
        return seconds


@click.command(epilog=_EXAMPLES)
@click.argument("clips", nargs=-1, metavar="CLIP...")
@click.option("-o", "--out", "outs", multiple=True, metavar="OUT", help="A clip, tracks or a folder. Repeats.")
@click.option("--every", type=click.IntRange(1, 1000), default=5, show_default=True, help="Detect in every Nth frame.")
@click.option("--people", type=click.IntRange(1, Settings.max_people), help="At most so many in a frame. [default: 20]")
@click.option("--start", type=Seconds(), default="0", metavar="TIME", help="Begin there: seconds, or minutes:seconds.")
@click.option("--end", type=Seconds(), metavar="TIME", help="End before that. [default: the clip's end]")
@click.option("--smooth/--no-smooth", default=True, help="Whether joints are smoothed over time. [default: smooth]")
@click.option("--threshold", type=Share(), help="Joints below it are unsure. [default: the model's own]")
@click.option("--model", metavar="MODEL", help="A manifest or s3://bucket/key.json. [default: HPE_MODEL, else ours]")
@click.option("--camera", type=click.IntRange(0, 99), metavar="N", help="Instead of a clip: the Nth camera, live.")
@click.option("--overwrite", is_flag=True, help="Write results again that are there.")
def video(
    clips: tuple[str, ...],
    outs: tuple[str, ...],
    every: int,
    people: int | None,
    start: float,
    end: float | None,
    smooth: bool,
    threshold: float | None,
    model: str | None,
    camera: int | None,
    overwrite: bool,
) -> None:
    """Find everybody in clips, each with an identity: draw them, or write their tracks.

    The drawn clip goes beside its original as NAME.pose.webm, or where OUT says: .webm, .mp4, .mov, .mkv and .avi are
    clips; .jsonl, .csv and .parquet are tracks, a row for each person in each frame, with time, identity, joints and
    angles. -o repeats. With ffmpeg on the path .mp4 is H.264 and sound is kept; without it .webm is VP8, .mp4 is
    MPEG-4, and there is no sound.

    A run that was interrupted goes on where it stopped. A clip that cannot be read is reported, the others are done,
    and the exit status is then 1.
    """
    silence_libraries()
    last = math.inf if end is None else end
    if start >= last:
        raise click.UsageError(f"--start {start:g} --end {last:g}: the start comes before the end")
    if camera is not None:
        if clips or start or end is not None:
            raise click.UsageError("--camera is live: it takes no clip, --start or --end")
        from hpe.commands.video.live import live

        live(camera, outs, every=every, people=people, threshold=threshold, smoothing=smooth, model=model)
        return
    if not clips:
        raise click.UsageError("give a clip, or --camera 0")
    results = choose_outputs(clips, outs)

    from hpe.commands.video.run import Asked, explain, run
    from hpe.engine.estimator import PoseEstimator
    from hpe.video.decode import BOUNDS

    asked = Asked(every, people, threshold, start, last, smooth, overwrite, BOUNDS)
    configured = Settings.from_env(environ())
    drawn = any(draws(path) for paths in results for path in paths)
    estimator = PoseEstimator(model or configured.model or None, threads=configured.threads or _threads(drawn))
    failed = False
    with stoppable():
        for name, paths in zip(clips, results, strict=True):
            try:
                run(name, paths, estimator, asked)
            except (HpeError, OSError) as error:
                click.echo(explain(name, error), err=True)
                failed = True
            except KeyboardInterrupt:
                click.echo("hpe: interrupted: run it again to go on", err=True)
                raise
    if failed:
        sys.exit(1)


def _threads(drawn: bool) -> int:
    """Of the networks: all cores, but one where pictures are drawn and encoded beside them, which takes as long."""
    return max(1, usable_cores() - 1) if drawn else 0


def environ() -> dict[str, str]:
    """The process's environment variables."""
    import os

    return dict(os.environ)
