"""A warm request by the number of people in the photo, stage by stage."""

import time
from functools import cache
from typing import Any, Final

import numpy as np

from bench.photos import crowd
from bench.report import Effort, table
from hpe.settings import MAX_PEOPLE

COUNTS: Final = (0, 1, 2, 5, 10, 20)
STAGES: Final = ("decode", "locate", "joints", "draw", "encode")
WIDTH: Final = 1280


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = [
        "## A warm request, by people in the photo",
        f"The default model, a {WIDTH}-px JPEG in, a drawn PNG out, medians in ms. `locate` finds the people, `joints` "
        "crops, runs the pose network and decodes for each of them; both take the time of exactly so many people, "
        "whatever the model would have found.",
    ]
    for threads in (1, 2):
        rows = [[count, *(round(ms, 1) for ms in measure(count, threads, effort.rounds).values())] for count in COUNTS]
        head = ["people", *STAGES, "all"]
        text += [f"### {threads} thread{'s'[: threads > 1]}", table(head, rows)]
    return "\n\n".join(text)


@cache
def measure(people: int, threads: int, rounds: int) -> dict[str, float]:
    """-> median ms of each stage, and of `all` together."""
    found = [_once(people, threads) for _ in range(rounds + 2)][2:]
    return {stage: float(np.median([one[stage] for one in found])) for stage in (*STAGES, "all")}


def _once(people: int, threads: int) -> dict[str, float]:
    from hpe.image.decode import decode_image
    from hpe.image.encode import encode_image
    from hpe.pose.draw import draw_pose

    data, boxes = crowd(WIDTH, people)
    estimator = _estimator(threads)
    marks = [time.perf_counter()]
    rgb = decode_image(data).rgb
    marks.append(time.perf_counter())
    estimator.detector(rgb, MAX_PEOPLE)
    marks.append(time.perf_counter())
    # a threshold of 0: every joint is drawn
    poses = estimator(rgb, boxes=boxes, threshold=0.0) if people else []
    marks.append(time.perf_counter())
    drawn = draw_pose(rgb, poses) if poses else rgb
    marks.append(time.perf_counter())
    encode_image(drawn)
    marks.append(time.perf_counter())
    spent = np.diff(marks) * 1e3
    return {**dict(zip(STAGES, map(float, spent), strict=True)), "all": float(spent.sum())}


@cache
def _estimator(threads: int) -> Any:
    from hpe.engine.estimator import PoseEstimator

    return PoseEstimator(threads=threads)
