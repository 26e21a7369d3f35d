"""`hpe eval --video`: tracking measured on made clips: identities, AP beside frame-by-frame, tremble and lag."""

import warnings
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.errors import BadSettings
from hpe.measure.found import as_found
from hpe.measure.made_clips import FPS, MadeClip, Truth, made_clips
from hpe.measure.ranking import coco_points
from hpe.measure.report import Figure, Report
from hpe.pose.boxes import box_iou
from hpe.pose.result import Pose
from hpe.pose.skeleton import KEYPOINTS
from hpe.score.coco_ap import LIMBS, Answer, keypoint_ap
from hpe.score.coco_ap import Truth as Labels
from hpe.train.data.samples import Photo
from hpe.video.decode import Frame
from hpe.video.result import TrackedFrame, TrackedPose
from hpe.video.track import EVERY, Tracker, make_follower, raw_frames
from hpe.video.window import Window

CLIPS: Final = 40
# From which overlap of boxes a person is found, for MOTA and IDF1, as in MOTChallenge.
_SAME: Final = 0.5


@dataclass
class Ways:
    """Of every frame: who is found frame by frame, and by tracking, as it was seen, smoothed for files, and live."""

    single: list[list[Pose]] = field(default_factory=list)
    raw: list[list[Pose]] = field(default_factory=list)
    smooth: list[list[Pose]] = field(default_factory=list)
    live: list[list[Pose]] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)


@dataclass
class Tallies:
    """What adds up over clips. tremble, lag: by way, (sum, count)."""

    tremble: dict[str, list[float]] = field(default_factory=lambda: {"raw": [], "smooth": [], "live": []})
    lag: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: {"smooth": [], "live": []})
    switches: dict[str, list[int]] = field(default_factory=dict)


def video_figures(report: Report, estimator: PoseEstimator, photos: list[Photo], clips: int, every: int) -> None:
    """Adds to the report what is measured on clips made of the photos. Raises BadSettings without motmetrics."""
    motmetrics = _motmetrics()
    ways, tallies, accumulators = Ways(), Tallies(), []
    made = made_clips(photos, clips or CLIPS)
    for clip in tqdm(made, desc="clips", unit="clip", leave=False, disable=None):
        one = _run(estimator, clip, every or EVERY)
        accumulator = motmetrics.MOTAccumulator(auto_id=True)
        for truth, poses in zip(one.truth, one.smooth, strict=True):
            _count(accumulator, truth, poses)
        accumulators.append(accumulator)
        switches = motmetrics.metrics.create().compute(accumulator, metrics=["num_switches"], name="clip")
        tallies.switches.setdefault(clip.kind, []).append(int(switches["num_switches"].iloc[0]))
        _motion(tallies, clip, one)
        # pictures of forty clips would be a gigabyte
        one.truth = [replace(truth, rgb=truth.rgb[:0].copy()) for truth in one.truth]
        for name in vars(ways):
            getattr(ways, name).extend(getattr(one, name))
    measures = motmetrics.metrics.create().compute_many(accumulators, metrics=["mota", "idf1"], generate_overall=True)
    report.photos = len(made)
    report.figures |= _identities(tallies, measures.loc["OVERALL"]) | _steadiness(tallies)
    for name, found in (("frame by frame", ways.single), ("tracked", ways.raw), ("tracked, smoothed", ways.smooth)):
        report.average_precision[f"12 joints, clips {name}"] = _precision(found, ways.truth)
    report.notes.append(
        f"{len(made)} clips of 1.5 s at {FPS:g} frames a second, the detector in every {every or EVERY}th."
    )


def _motmetrics() -> Any:
    try:
        import motmetrics
    except ModuleNotFoundError as error:
        raise BadSettings("--video needs motmetrics, which is not installed: pip install motmetrics") from error
    return motmetrics


def _run(estimator: PoseEstimator, clip: MadeClip, every: int) -> Ways:
    ways = Ways(truth=list(clip.frames()))
    follower = make_follower(estimator, every)
    live = Tracker(estimator, every=every)
    frames = [Frame(n, n / FPS, truth.rgb) for n, truth in enumerate(ways.truth)]
    window = Window(lambda: follower.ids, estimator.threshold, FPS, smoothing=True)
    tracked: list[TrackedFrame] = list(window(raw_frames(iter(frames), follower)))
    for found in tracked:
        ways.smooth.append(list(found.poses))
        ways.raw.append([_unsmoothed(pose) for pose in found.poses])
    for frame in frames:
        ways.single.append(estimator(frame.rgb))
        ways.live.append(list(live(frame.rgb, frame.time)))
    return ways


def _unsmoothed(pose: TrackedPose) -> Pose:
    return Pose(pose.raw, pose.scores, pose.box, pose.score, pose.threshold)


def _count(accumulator: Any, truth: Truth, poses: list[Pose]) -> None:
    """One frame for MOTA and IDF1. Who is hardly seen counts neither way."""
    boxes = np.array([pose.box for pose in poses], np.float64).reshape(-1, 4)
    overlap = box_iou(truth.boxes, boxes)
    doubtful = (overlap[truth.ignore] >= 0.3).any(axis=0) & ~(overlap[~truth.ignore] >= _SAME).any(axis=0)
    kept = np.flatnonzero(~doubtful)
    people = np.flatnonzero(~truth.ignore)
    apart = 1 - overlap[np.ix_(people, kept)]
    ids = [pose.id for pose in (poses[k] for k in kept) if isinstance(pose, TrackedPose)]
    accumulator.update(people.tolist(), ids, np.where(apart <= 1 - _SAME, apart, np.nan))


def _motion(tallies: Tallies, clip: MadeClip, ways: Ways) -> None:
    """Tremble of people at rest; lag of those who move, against the same joints as they were seen."""
    raw = _series([[p for p in poses if isinstance(p, TrackedPose)] for poses in ways.smooth], raw=True)
    smooth = _series([[p for p in poses if isinstance(p, TrackedPose)] for poses in ways.smooth])
    live_raw = _series([[p for p in poses if isinstance(p, TrackedPose)] for poses in ways.live], raw=True)
    live = _series([[p for p in poses if isinstance(p, TrackedPose)] for poses in ways.live])
    if clip.kind == "rest":
        for name, series in (("raw", raw), ("smooth", smooth), ("live", live)):
            tallies.tremble[name] += [_tremble(points) for points in series.values() if len(points) > 10]
    else:
        for name, seen, shown in (("smooth", raw, smooth), ("live", live_raw, live)):
            tallies.lag[name] += [_lag(seen[id], shown[id]) for id in seen if len(seen[id]) > 10]


def _series(frames: list[list[TrackedPose]], raw: bool = False) -> dict[int, NDArray[np.float64]]:
    """-> by identity (T, J, 2) px in shares of the person's size, nan for joints that are unsure."""
    found: dict[int, list[NDArray[np.float64]]] = {}
    sizes: dict[int, list[float]] = {}
    for poses in frames:
        for pose in poses:
            points = np.where(pose.confident[:, None], pose.raw if raw else pose.points, np.nan)
            found.setdefault(pose.id, []).append(points.astype(np.float64))
            sizes.setdefault(pose.id, []).append(float(max(pose.box[2:] - pose.box[:2])))
    return {id: np.stack(series) / np.median(sizes[id]) for id, series in found.items()}


def _tremble(points: NDArray[np.float64]) -> float:
    """(T, J, 2) -> the mean acceleration of joints, in percent of the person a frame a frame."""
    return float(100 * np.nanmean(np.hypot(*np.moveaxis(np.diff(points, 2, axis=0), 2, 0))))


def _lag(seen: NDArray[np.float64], shown: NDArray[np.float64]) -> tuple[float, float]:
    """(T, J, 2) twice -> how far behind along the motion, and the motion's square: their ratio is in frames."""
    both = np.where(np.isfinite(seen), seen, np.nan)
    with warnings.catch_warnings():  # frames without a sure joint have no middle, and are left out below
        warnings.simplefilter("ignore", RuntimeWarning)
        middle, after = np.nanmedian(both, axis=1), np.nanmedian(np.where(np.isfinite(seen), shown, np.nan), axis=1)
    width = 7
    kernel = np.ones(width) / width
    smooth = np.stack([np.convolve(middle[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)
    speed = np.gradient(smooth, axis=0)
    behind = (middle - after)[width // 2 : width // 2 + len(speed)]
    good = np.isfinite(behind).all(axis=1) & np.isfinite(speed).all(axis=1)
    return float((behind[good] * speed[good]).sum()), float((speed[good] ** 2).sum())


def _identities(tallies: Tallies, overall: Any) -> dict[str, Figure]:
    clear = [count for kind, counts in tallies.switches.items() if kind != "crossing" for count in counts]
    crossings = tallies.switches.get("crossing", [])
    return {
        "switches": Figure("identity switches in {of} clips without occlusion", sum(clear), len(clear), ""),
        "crossings": Figure(
            "of {of} crossings with an identity switch", sum(count > 0 for count in crossings), len(crossings), ""
        ),
        "mota": Figure("MOTA", 100 * float(overall["mota"])),
        "idf1": Figure("IDF1", 100 * float(overall["idf1"])),
    }


def _steadiness(tallies: Tallies) -> dict[str, Figure]:
    mean = {name: float(np.mean(values)) if values else float("nan") for name, values in tallies.tremble.items()}
    figures = {}
    for name, text in (("raw", "as seen"), ("smooth", "smoothed"), ("live", "smoothed live")):
        figures[f"tremble_{name}"] = Figure(f"of the person: joints' acceleration at rest, {text}", mean[name])
    for name, text in (("smooth", "smoothed"), ("live", "smoothed live")):
        behind, square = (sum(part) for part in zip(*tallies.lag[name] or [(0.0, 0.0)], strict=True))
        figures[f"lag_{name}"] = Figure(f"frames behind in motion, {text}", behind / square if square else 0.0, unit="")
    return figures


def _precision(found: list[list[Pose]], truths: list[Truth]) -> dict[str, float]:
    answers = []
    for poses in found:
        one = as_found(poses)
        points = one.points
        answers.append(Answer(coco_points(points, KEYPOINTS[: points.shape[1]]), one.scores))
    labels = [Labels(t.boxes.astype(np.float32), t.ignore, t.labels.astype(np.float32)) for t in truths]
    return keypoint_ap(answers, labels, LIMBS)
