"""A frame of a clip by the number of people in it: found anew, or followed with the detector in every Nth."""

import functools
from typing import Any, Final

import numpy as np

from bench.bill import CLIP_WORKER_MB
from bench.photos import crowd
from bench.report import Effort, table
from bench.timing import paired
from hpe.batch.cost import GB_SECOND

PEOPLE: Final = (1, 3, 10)
EVERY: Final = (1, 5, 10)
WIDTH: Final = 1280
# Frames a call: every detector runs in one of them at least.
FRAMES: Final = 10
FPS: Final = 30
# That the worker of clips has.
WORKER_CORES: Final = 2


def run(effort: Effort) -> str:
    """The section of results.md."""
    rows, costs = [], []
    for people in PEOPLE:
        times = measure(people, min(effort.rounds, 12))
        single = times["single"]
        rows.append([people, single, *(times[every] for every in EVERY), f"{single / times[5]:.2f}"])
        seconds = 60 * FPS * times[5] / 1000 / WORKER_CORES
        dollars = (f"{seconds * CLIP_WORKER_MB / 1024 * price:.4f}" for price in GB_SECOND.values())
        costs.append([people, round(seconds), *dollars])
    return "\n\n".join(
        [
            "## Clips",
            f"A frame of {WIDTH} px on one thread, medians in ms, without decoding and drawing: people found in every "
            "frame by itself, and followed with the detector in every Nth frame. Both take the time of exactly so many "
            "people, whatever the model would have found.",
            table(["people", "frame by frame", *(f"N = {n}" for n in EVERY), "frame by frame / N = 5"], rows),
            "### Cost of a minute of video",
            f"At {FPS} frames a second and N = 5 in the worker of clips: {CLIP_WORKER_MB:,} MB, both cores at work. "
            "Decoding and S3 come on top, and are small beside it.",
            table(["people", "s of the worker", *(f"$, {name}" for name in GB_SECOND)], costs),
        ]
    )


def measure(people: int, rounds: int) -> dict[str | int, float]:
    """-> ms a frame: "single", and by N."""
    import cv2

    from hpe.engine.estimator import PoseEstimator
    from hpe.engine.scores import person_scores, sizes_in
    from hpe.image.decode import decode_image
    from hpe.settings import MAX_PEOPLE
    from hpe.video.follow import Follower

    data, boxes = crowd(WIDTH, people)
    rgb, known = decode_image(data).rgb, np.asarray(boxes, np.float64)
    # everybody who is looked for is found, however the model likes them
    card = {"person_threshold": 0.0, "photo_threshold": 0.0}
    estimator = PoseEstimator(PoseEstimator(threads=1).networks.with_card(**card))
    moved = [cv2.warpAffine(rgb, np.float32([[1, 0, n % 3], [0, 1, 0]]), rgb.shape[1::-1]) for n in range(FRAMES)]

    def detector(frame: Any, most: int) -> Any:
        estimator.detector(frame, most)
        return known, np.full(len(known), 0.9)

    def single() -> None:
        for frame in moved:
            found, located = detector(frame, MAX_PEOPLE)
            joints = estimator.pose_network(frame, found)[1]
            person_scores(located, joints, estimator.card.person, sizes_in(found, frame.shape))

    clock = [0.0]
    followers = {n: Follower(detector, estimator.pose_network, estimator.card, n, MAX_PEOPLE) for n in EVERY}

    def follow(every: int) -> None:
        for frame in moved:
            clock[0] += 1 / FPS
            assert len(followers[every](frame, clock[0]).tracks) == people

    calls = {"single": single, **{str(n): functools.partial(follow, n) for n in EVERY}}
    found = paired(calls, rounds, warm=1, limit_s=30)
    return {"single": found["single"].median_ms / FRAMES, **{n: found[str(n)].median_ms / FRAMES for n in EVERY}}
