"""`hpe eval`: a model, data and options -> a Report."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hpe.engine.estimator import PoseEstimator
from hpe.measure.angles import Angles
from hpe.measure.annotated import oks_ap
from hpe.measure.found import Seen, look
from hpe.measure.kinds import by_kind
from hpe.measure.models import open_model
from hpe.measure.protocols import MEASURES, lsp_measures, predict_in_boxes
from hpe.measure.ranking import box_precision, knows_faces, oks_precision
from hpe.measure.report import Report, percent
from hpe.measure.shown import joints_near, reliability, shown
from hpe.measure.states import States
from hpe.measure.steadiness import Steadiness
from hpe.measure.turned import Turned
from hpe.measure.video import video_figures
from hpe.measure.whole_image import nobody, predict_whole
from hpe.train.config import Source
from hpe.train.data.files import spread
from hpe.train.data.people import read_photos
from hpe.train.data.readers import read_empty, read_source
from hpe.train.data.samples import Sample


@dataclass(frozen=True)
class Options:
    """What to measure. limit: people at most, 0 for all. negatives, part: photos without people, and which of them.

    frame: how much larger than the sample's picture the frame is that the person is hidden in. steadiness, turned: of
    whole photos, also saved, shifted and scaled otherwise, and turned by quarters. states: what is said of joints,
    also in photos cut through a person. pose, locate: checkpoints in the place of the model's own networks.
    video: clips made of whole photos instead, as many as `limit`; every: the detector in every Nth frame of them, 0 for
    the usual.
    """

    source: Source | None
    model: str = ""
    pose: str = ""
    locate: str = ""
    size: int = 0
    flip: bool = False
    limit: int = 0
    whole_image: bool = False
    frame: tuple[float, float] = (2.0, 3.0)
    negatives: Path | None = None
    part: str = "test"
    threads: int = 0
    steadiness: bool = False
    turned: bool = False
    video: bool = False
    every: int = 0
    states: bool = False


def run_evaluation(options: Options) -> Report:
    """Raises BadData, BadModel or ModelUnavailable."""
    estimator = open_model(options.model, options.size, options.threads, options.pose, options.locate)
    estimator.flip = options.flip
    card = estimator.card
    report = Report(card.name, card.architecture, "x".join(map(str, card.frame)), options.flip)
    empty = [] if options.negatives is None else read_empty(options.negatives.expanduser(), options.part)
    if options.video and options.source is not None:
        photos = read_photos(Path(options.source.path).expanduser())
        report.data = Path(options.source.path).name
        video_figures(report, estimator, photos, options.limit, options.every)
    elif options.source is not None and options.source.kind == "people":
        _everybody(report, estimator, Path(options.source.path).expanduser(), options)
    elif options.source is not None:
        samples = spread(read_source(options.source), options.limit)
        report.data, report.people = Path(options.source.path).name, len(samples)
        _in_boxes(report, estimator, samples, options.source, options.flip)
        if options.whole_image:
            _whole_images(report, estimator, samples, empty, options)
        if empty:
            seen = (~nobody(estimator, samples)).tolist()
            report.figures["people_found"] = percent("of {of} people found, pictures as they are", seen)
    if empty:
        silent = nobody(estimator, spread(empty, options.limit)).tolist()
        text = f"of {{of}} photos without people: nobody found ({options.part} part)"
        report.figures["nobody_found_in_negatives"] = percent(text, silent)
    return report


def _everybody(report: Report, estimator: PoseEstimator, path: Path, options: Options) -> None:
    """Whole photos with everybody boxed, as the product sees them: one pass, each decoded once."""
    photos = spread(read_photos(path), options.limit)
    names = estimator.card.keypoints
    report.data, report.photos = path.name, len(photos)
    report.people = sum(int((~photo.ignore).sum()) for photo in photos)
    seen, steady, turned, angles, states = Seen(photos), Steadiness(), Turned(), Angles(), States()
    for photo, rgb, poses in look(estimator, seen):
        if options.steadiness:
            steady.add(estimator, photo, rgb, poses)
        if options.turned:
            turned.add(estimator, photo, rgb, poses)
        angles.add(photo, poses)
        if options.states:
            states.add(estimator, photo, rgb, poses)
    report.average_precision = oks_precision(seen, names)
    if seen.ranked:
        report.average_precision |= box_precision(seen.ranked, photos)
        report.figures |= shown(seen.shown, photos)
        report.kinds = by_kind(seen.shown, photos, estimator.threshold)
        report.reliability = reliability(seen.shown, photos)
    else:
        report.notes.append("A pose network alone: measured in the labelled boxes. --locate adds a locator.")
    report.figures |= joints_near(seen)
    report.figures |= steady.figures() if options.steadiness else {}
    report.figures |= turned.figures() if options.turned else {}
    report.figures |= angles.figures() if seen.ranked else {}
    report.figures |= states.figures() if options.states else {}
    if not knows_faces(names):
        report.notes.append(f"The model finds {len(names)} keypoints without the face: nothing over COCO's 17.")


def _in_boxes(report: Report, estimator: PoseEstimator, samples: list[Sample], source: Source, flip: bool) -> None:
    predictions = predict_in_boxes(estimator, samples, flip)
    if source.kind == "coco":
        found = oks_ap(Path(source.path).expanduser(), samples, predictions)
        whole = knows_faces(estimator.card.keypoints)
        report.average_precision["17 keypoints, labelled boxes" if whole else "12 joints, labelled boxes"] = found
        return
    report.measures += MEASURES[source.kind](samples, predictions.points)
    if source.kind == "mpii" and any(np.isnan(s.head_px) for s in samples):
        report.notes.append("No head boxes given: PCKh by the labelled head segment, not MPII's official length.")


def _whole_images(
    report: Report, estimator: PoseEstimator, samples: list[Sample], scenery: list[Sample], options: Options
) -> None:
    whole = predict_whole(estimator, samples, scenery, options.frame)
    report.measures += lsp_measures(samples, whole.points, "PCK@0.2 whole image")
    low, high = options.frame
    frames = f"in frames {low:g} to {high:g} times as large"
    text = f"of {{of}} people found, pictures {frames}"
    report.figures["people_found_in_frames"] = percent(text, whole.found.tolist())
