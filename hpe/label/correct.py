"""Noisy labels, corrected by a first model: a second round trained on them learns more (self-distillation).

LSPET's labels come from a crowd: some joints are far off, and some people have left and right swapped. A label
is kept if the model agrees or is unsure. If the model, averaged over the picture and its mirror image, is
sure of another place, the label moves there; if exchanging a left and right pair fits it much better, the
pair is exchanged.

A set that labels some joints well and others never (everyday people: no heads) is treated the other way round: its
labels stay, and the joints that it leaves out are labelled where the model is sure.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.label.agreed import write_agreed
from hpe.label.joints import write_joints
from hpe.label.lookalikes import write_lookalikes
from hpe.measure.models import open_model
from hpe.pose.skeleton import FLIP_PAIRS, INDEX, KEYPOINTS, NUM_KEYPOINTS
from hpe.score.pck import torso_px
from hpe.train.config import Source
from hpe.train.data.labels import write_labels
from hpe.train.data.people import read_photos
from hpe.train.data.readers import read_source
from hpe.train.data.samples import MIDPOINTS, Sample, with_midpoints
from hpe.train.data.shards import training_samples


@dataclass(frozen=True)
class Rules:
    """sure: joint score from which the model may overrule a label. far: distance, in torsos, from which it does.

    swap_gain: a pair is exchanged if that brings it at least this many times nearer. seen: joint score from which an
    unlabelled joint is added. room: how much larger than the box of the labelled joints the look for others is.
    """

    sure: float = 0.6
    far: float = 0.4
    swap_gain: float = 2.5
    seen: float = 0.4
    room: float = 1.5


def correct_labels(
    sample: Sample, points: NDArray[np.floating], scores: NDArray[np.floating], rules: Rules
) -> tuple[Sample, list[str]]:
    """A sample and what the model sees of it -> the sample with corrected labels, and what was done to which joint."""
    torso = _torso(sample)
    labels, done = sample.points.copy(), []
    for a, b in FLIP_PAIRS:
        pair, other = [a, b], [b, a]
        if not sample.labelled[pair].all() or scores[pair].min() < rules.sure:
            continue
        now = np.linalg.norm(labels[pair] - points[pair], axis=1).sum()
        exchanged = np.linalg.norm(labels[other] - points[pair], axis=1).sum()
        if now > rules.far * torso and exchanged * rules.swap_gain < now:
            labels[pair] = labels[other]
            done += [f"{KEYPOINTS[j]} swapped" for j in pair]
    distance = np.linalg.norm(labels - points, axis=1) / torso
    derived = [INDEX[name] for name in MIDPOINTS]
    for j in np.flatnonzero(sample.labelled & (scores >= rules.sure) & (distance > rules.far)):
        if j not in derived:
            labels[j] = points[j]
            done.append(f"{KEYPOINTS[j]} moved")
    if not done:
        return sample, []
    return _with(sample, labels, sample.labelled), done


def add_labels(
    sample: Sample, points: NDArray[np.floating], scores: NDArray[np.floating], rules: Rules
) -> tuple[Sample, list[str]]:
    """A sample and what the model sees of it -> the sample with unlabelled joints added, and which they are."""
    added = ~sample.labelled & (scores >= rules.seen)
    added[[INDEX[name] for name in MIDPOINTS]] = False
    if not added.any():
        return sample, []
    labels = np.where(added[:, None], points, sample.points)
    return _with(sample, labels, sample.labelled | added), [f"{KEYPOINTS[j]} added" for j in np.flatnonzero(added)]


def _with(sample: Sample, labels: NDArray[np.floating], labelled: NDArray[np.bool_]) -> Sample:
    """The sample with these labels. Midpoints follow ends that changed; the others stay as they were labelled."""
    points, seen = with_midpoints(labels, labelled)
    for name, ends in MIDPOINTS.items():
        j, pair = INDEX[name], [INDEX[end] for end in ends]
        if sample.labelled[j] and np.array_equal(labels[pair], sample.points[pair]):
            points[j], seen[j] = sample.points[j], True
    return replace(sample, points=points, labelled=seen)


def _torso(sample: Sample) -> float:
    """px; where shoulder or hip is unlabelled, a third of the box's longer side."""
    torso = float(torso_px(sample.points[None], sample.labelled[None])[0])
    side = float(max(sample.box[2:] - sample.box[:2]))
    return max(torso, 0.15 * side) if np.isfinite(torso) else side / 3


def _padded(
    points: NDArray[np.floating], scores: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """What a model finds, of 16 joints perhaps -> (21, 2), (21,): it is not sure of those that it does not know."""
    more = NUM_KEYPOINTS - len(points)
    return np.pad(points, ((0, more), (0, 0))), np.pad(scores, (0, more))


def _grown(box: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """The box, `factor` times as wide and high round its middle."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * factor
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def write_corrected_labels(
    model: str, source: Source, out: Path, cache: Path, rules: Rules | None = None, task: str = "pose"
) -> str:
    """Corrects a source's labels into `out`, for the config's `labels` -> a summary for people.

    task: what the labels are for; in whole photos, people's joints for "pose", and doubtful people for "locate". The
    people are those that training sees, cut out into `cache` where they are: joints are px of these pictures.
    """
    estimator: PoseEstimator = open_model(model)
    rules = rules or Rules()
    if source.kind == "empty":  # the other half, which is never learnt, serves to choose thresholds
        lookalikes = replace(source, labels="", options=source.options | {"part": "lookalikes"})
        return write_lookalikes(estimator, read_source(lookalikes), out)
    if source.kind == "people" and task == "locate":
        return write_agreed(estimator, read_photos(Path(source.path).expanduser()), out)
    if source.kind == "people":
        return write_joints(estimator, source, out)
    samples = training_samples(replace(source, labels=""), cache)
    change, room = (add_labels, rules.room) if source.add_labels else (correct_labels, 1.0)
    rows, counts, people = [], Counter[str](), 0
    for sample in tqdm(samples, desc="people", unit="person", disable=None):
        points, scores = estimator.pose_network(sample.image(), _grown(sample.box, room)[None], flip=True)
        corrected, done = change(sample, *_padded(points[0], scores[0]), rules)
        if not done:
            continue
        people += 1
        counts.update(done)
        joints = [
            [round(float(x), 1), round(float(y), 1), int(seen)]
            for (x, y), seen in zip(corrected.points, corrected.labelled, strict=True)
        ]
        rows.append({"id": sample.id, "joints": joints, "done": done})
    write_labels(out, rows)
    lines = [f"{count:6,}  {what}" for what, count in sorted(counts.items(), key=lambda item: -item[1])]
    head = f"{people:,} of {len(samples):,} people corrected, {sum(counts.values()):,} joints, into {out}"
    return "\n".join([head, *lines, "", f"To train on them, give the source `labels: {out}`."])
