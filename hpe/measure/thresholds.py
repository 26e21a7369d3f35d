"""`python -m hpe.measure.thresholds`: the two thresholds of a model's manifest, chosen on training data.

The joint threshold is the score at which a joint is as likely right as wrong: it makes the fewest mistakes of
the kinds "wrong joint shown" and "right joint hidden". The person threshold is the lowest that stays silent on enough
photos without people; more than one would ask for, since these were trained on and new ones are harder.
"""

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.engine.manifest import read_manifest, write_manifest
from hpe.errors import BadSettings
from hpe.measure.evaluate import spread
from hpe.measure.models import open_model
from hpe.measure.pck import correct, torso_px
from hpe.measure.protocols import PCK, labels_of
from hpe.measure.report import grid
from hpe.pose.result import Pose
from hpe.train.data.readers import read_empty, read_shards
from hpe.train.data.samples import Sample

Scores = NDArray[np.floating]
STEPS = np.round(np.arange(0.02, 0.81, 0.01), 2)


@dataclass(frozen=True)
class Choice:
    """threshold, and the shares 0..1 that it keeps of the one kind and turns away of the other."""

    threshold: float
    kept: float
    turned_away: float


def joint_choice(right: Scores, wrong: Scores) -> Choice:
    """Scores of joints in the right and in the wrong place -> the threshold with the fewest mistakes."""
    mistakes = [(right < t).sum() + (wrong >= t).sum() for t in STEPS]
    return _choice(float(STEPS[int(np.argmin(mistakes))]), right, wrong)


def person_choice(people: Scores, nobody: Scores, silent: float) -> Choice:
    """Scores of pictures with and without people -> the lowest threshold with that share of silence, above nothing."""
    lowest = math.ceil(1000 * float(np.quantile(nobody, silent))) / 1000
    return _choice(max(lowest, float(STEPS[0])), people, nobody)


def _choice(threshold: float, keep: Scores, turn_away: Scores) -> Choice:
    kept, turned_away = keep >= threshold, turn_away < threshold
    return Choice(threshold, *(float(hits.mean()) if hits.size else float("nan") for hits in (kept, turned_away)))


def looked_at(estimator: PoseEstimator, samples: list[Sample], what: str) -> list[Pose | None]:
    """What the product finds in each whole picture, however unsure."""
    unsure = estimator.with_card(person_threshold=0.0)
    bar = tqdm(samples, desc=what, unit="photo", leave=False, disable=None)
    return [next(iter(unsure(sample.image())), None) for sample in bar]


def joint_scores(found: list[Pose | None], samples: list[Sample]) -> tuple[Scores, Scores]:
    """-> scores of the labelled joints that are right by PCK@0.2 of the torso, and of those that are wrong."""
    seen = [(pose, sample) for pose, sample in zip(found, samples, strict=True) if pose is not None]
    points, scores = np.stack([pose.points for pose, _ in seen]), np.stack([pose.scores for pose, _ in seen])
    labels, labelled = labels_of([sample for _, sample in seen])
    hit = correct(points, labels, labelled, torso_px(labels, labelled), PCK)
    return scores[hit == 1], scores[hit == 0]


def person_scores(found: list[Pose | None]) -> Scores:
    """The product's score for each picture."""
    return np.array([0.0 if pose is None else pose.score for pose in found])


@click.command()
@click.option("--model", default="", help="A manifest, or a checkpoint [the default model].")
@click.option(
    "--people", "paths", type=click.Path(path_type=Path), multiple=True, required=True, help="Training people (JSON)."
)
@click.option("--negatives", type=click.Path(path_type=Path), required=True, help="A tar of photos without people.")
@click.option("--without", default="", help="Leave out people whose id begins with this, as those with crowd labels.")
@click.option("--limit", default=600, show_default=True, help="People of each file, and photos without people.")
@click.option("--silent", default=0.99, show_default=True, help="Share of the other photos to stay silent on.")
@click.option("--write", type=click.Path(path_type=Path), default=None, help="Put both into this manifest.")
def main(
    model: str,
    paths: tuple[Path, ...],
    negatives: Path,
    without: str,
    limit: int,
    silent: float,
    write: Path | None,
) -> None:
    """Choose a model's joint and person thresholds on training data.

    Photos without people are those of the training part, which `hpe eval` does not measure on.
    """
    estimator = open_model(model)
    sources = [[one for one in read_shards(path) if not without or not one.id.startswith(without)] for path in paths]
    samples = [sample for source in sources for sample in spread(source, limit)]
    if not samples:
        raise BadSettings(f"--without leaves nobody: all ids in {', '.join(map(str, paths))} begin with {without!r}")
    empty = spread(read_empty(negatives, "train"), limit)
    people = looked_at(estimator, samples, "people")
    right, wrong = joint_scores(people, samples)
    joint = joint_choice(right, wrong)
    with_people = person_scores(people)
    nobody = person_scores(looked_at(estimator, empty, "photos without people"))
    person = person_choice(with_people, nobody, silent)
    rows = [["person threshold", "people found, %", "nobody found, %"]]
    for step in STEPS[8:50:3]:
        choice = _choice(float(step), with_people, nobody)
        rows.append([f"{step:.2f}", f"{100 * choice.kept:.1f}", f"{100 * choice.turned_away:.1f}"])
    click.echo("\n".join(grid(rows)))
    click.echo(
        f"\njoint threshold {joint.threshold:.2f}: shows {100 * joint.kept:.1f} % of {len(right):,} right joints, "
        f"hides {100 * joint.turned_away:.1f} % of {len(wrong):,} wrong ones"
        f"\nperson threshold {person.threshold:.3f}: finds {100 * person.kept:.1f} % of {len(samples):,} people, "
        f"nobody on {100 * person.turned_away:.1f} % of {len(empty):,} photos without people\n"
    )
    chosen = {"threshold": joint.threshold, "person_threshold": person.threshold}
    click.echo(json.dumps(chosen, indent=2))
    if write is not None:
        card = dataclasses.replace(read_manifest(write), threshold=joint.threshold, person_threshold=person.threshold)
        write.write_bytes(write_manifest(card))


if __name__ == "__main__":
    main()
