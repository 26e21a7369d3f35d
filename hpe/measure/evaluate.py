"""`hpe eval`: a model, data and options -> a Report."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from hpe.engine.estimator import PoseEstimator
from hpe.measure import people
from hpe.measure.coco_ap import oks_ap
from hpe.measure.found import find_all, unsure
from hpe.measure.models import open_model
from hpe.measure.mosaic import mosaics
from hpe.measure.protocols import MEASURES, lsp_measures, predict_in_boxes
from hpe.measure.report import Report
from hpe.measure.steadiness import steadiness
from hpe.measure.whole_image import nobody, predict_whole
from hpe.train.config import Source
from hpe.train.data.people import read_photos
from hpe.train.data.readers import read_empty, read_source
from hpe.train.data.samples import Sample

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """What to measure. limit: people at most, 0 for all. negatives, part: photos without people, and which of them.

    frame: how much larger than the sample's picture the frame is that the person is hidden in. steadiness: of whole
    photos, also saved, shifted and scaled otherwise.
    """

    source: Source | None
    model: str = ""
    size: int = 0
    flip: bool = False
    limit: int = 0
    whole_image: bool = False
    frame: tuple[float, float] = (2.0, 3.0)
    negatives: Path | None = None
    part: str = "test"
    threads: int = 0
    steadiness: bool = False
    mosaic: int = 1


def run_evaluation(options: Options) -> Report:
    """Raises BadData, BadModel or ModelUnavailable."""
    estimator = open_model(options.model, options.size, options.threads)
    estimator.flip = options.flip
    card = estimator.card
    report = Report(card.name, card.architecture, "x".join(map(str, card.frame)), options.flip)
    empty = [] if options.negatives is None else read_empty(options.negatives.expanduser(), options.part)
    if options.source is not None and options.source.kind == "people":
        _everybody(report, estimator, Path(options.source.path).expanduser(), options)
    elif options.source is not None:
        samples = spread(read_source(options.source), options.limit)
        report.data, report.people = Path(options.source.path).name, len(samples)
        _in_boxes(report, estimator, samples, options.source, options.flip)
        if options.whole_image:
            _whole_images(report, estimator, samples, empty, options)
        if empty:
            share = 100 * float(1 - nobody(estimator, samples).mean())
            report.shares[f"of {len(samples)} people found, pictures as they are"] = share
    if empty:
        empty = spread(empty, options.limit)
        share = 100 * float(nobody(estimator, empty).mean())
        report.photos_without_people = len(empty)
        report.shares[f"of {len(empty)} photos without people: nobody found ({options.part} part)"] = share
    return report


def _everybody(report: Report, estimator: PoseEstimator, path: Path, options: Options) -> None:
    """Whole photos with everybody boxed, as the product sees them."""
    photos = spread(read_photos(path), options.limit)
    if options.mosaic > 1:
        photos = mosaics(photos, options.mosaic)
        report.notes.append(f"Each photo here is {options.mosaic}x{options.mosaic} photos of the data, side by side.")
    report.data, report.photos = path.name, len(photos)
    report.people = sum(int((~photo.ignore).sum()) for photo in photos)
    images = [photo.image() for photo in photos]
    found = find_all(unsure(estimator), images)
    seen = find_all(estimator, images, "photos, as the product shows them")
    report.shares |= people.box_precision(found, photos) | people.oks_precision(found, photos)
    report.shares |= people.shown(seen, photos) | people.joints_near(seen, photos)
    name = f"PCK@{people.NEAR:g} of the box, labelled boxes from {people.SIZES_PX[-1]} px"
    report.shares[name] = people.joints_in_boxes(estimator, photos)
    if options.steadiness:
        report.shares |= steadiness(estimator, photos)
    report.reliability = people.reliability(seen, photos)


def _in_boxes(report: Report, estimator: PoseEstimator, samples: list[Sample], source: Source, flip: bool) -> None:
    predictions = predict_in_boxes(estimator, samples, flip)
    if source.kind == "coco":
        report.average_precision = oks_ap(Path(source.path).expanduser(), samples, predictions)
        report.notes.append("OKS over the 12 joints shared with COCO, on the annotated boxes.")
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
    report.shares[f"of {len(samples)} people found, pictures {frames}"] = 100 * float(whole.found.mean())


def spread(samples: list[T], limit: int) -> list[T]:
    """At most `limit` of them, evenly over the list; 0 keeps all."""
    if not 0 < limit < len(samples):
        return samples
    return [samples[int(i)] for i in np.linspace(0, len(samples) - 1, limit)]
