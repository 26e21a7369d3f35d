"""What a model's scores are worth, fitted on training photos.

Joint and person scores become probabilities by logistic regression (Platt 1999), so that a joint of 0.5 is as likely
right as wrong: that is the joint threshold. A person is shown from the score on at which somebody is as likely there as
not. The photo threshold, for the best person in a photo, is the lowest that keeps enough photos without people empty.
The two are a hysteresis (Canny 1986). Each box costs a crop, so the locator's thresholds, for a box and for the photo's
best one, are the highest that lose hardly anyone.
"""

import math
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import Calibration, ModelCard, PersonCalibration
from hpe.engine.estimator import PoseEstimator
from hpe.engine.manifest import read_manifest, write_manifest
from hpe.engine.scores import person_scores
from hpe.errors import BadSettings
from hpe.measure.evidence import Evidence, Looks, gather, scores_of
from hpe.measure.found import LEAST_SCORE
from hpe.measure.report import grid
from hpe.pose.logistic import sigmoid
from hpe.train.data.files import spread
from hpe.train.data.readers import in_part, read_empty
from hpe.train.data.samples import Photo, Sample

# Calibrated: as likely right as wrong.
SURE: Final[float] = 0.5
WRITTEN: Final = ("calibration", "threshold", "person", "person_threshold", "photo_threshold")
# Evidence overlaps, and a few hundred photos tell its weights badly apart: without it they alternate in sign.
RIDGE: Final[float] = 0.01
# Share of the people found, and of the photos with some, that the locator's thresholds may cost. The networks know
# these photos: others lose more.
LOST: Final[float] = 0.005


def logistic(
    values: NDArray[np.floating],
    right: NDArray[np.bool_] | NDArray[np.floating],
    ridge: float = 1e-6,
    least: float | None = None,
) -> NDArray[np.float64]:
    """(N, D) values, (N,) right or not, or shares -> (D + 1,) weights and intercept of the likeliest logistic function.

    ridge: the pull of each weight to 0, on its value's own scale; a little of it, so that perfectly separable scores
    have an answer. least: the least that a weight may be. Raises BadSettings if all are right or all are wrong: then
    there is nothing to tell apart.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    if (right == 1).all() or not right.any():
        raise BadSettings("all joints or people are right, or all are wrong: give more photos (--limit)")
    values = np.asarray(values, np.float64)
    deviation = values.std(axis=0)  # of a value that is the same everywhere, rounding errors alone
    scale = np.where(deviation > 1e-9 * (1 + np.abs(values).max(axis=0)), deviation, 1.0)
    x = np.column_stack([(values - values.mean(axis=0)) / scale, np.ones(len(values))])
    y = np.asarray(right, np.float64)
    pull = np.append(np.full(values.shape[1], ridge), 0.0)

    def cost(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = x @ w
        loss = np.logaddexp(0, z) - y * z
        return float(loss.mean() + (pull * w**2).sum()), x.T @ (expit(z) - y) / len(y) + 2 * pull * w

    bounds = [(least, None)] * values.shape[1] + [(None, None)]
    found: NDArray[np.float64] = minimize(cost, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = found[:-1] / scale
    return np.append(weights, found[-1] - weights @ values.mean(axis=0))


def choose(card: ModelCard, evidence: Evidence, silent: float) -> ModelCard:
    """The card with calibrations and thresholds. silent: share of photos without people on which nobody is found."""
    slope, intercept = logistic(evidence.joints[:, None], evidence.right)
    joint = Calibration(round(float(slope), 3), round(float(intercept), 3))
    weights = _ranking(evidence, joint)
    locator, joints, size, *limbs, intercept = (round(float(w), 3) for w in weights)
    person = PersonCalibration(locator, joints, intercept, tuple(limbs), size)

    def likely(looks: Looks) -> NDArray[np.float64]:
        return person_scores(looks.located, scores_of(looks.peaks, joint), person, looks.sizes)

    scores = likely(evidence.seen)
    shown = _as_likely_as_not(scores, evidence.people)
    surest = [float(likely(looks).max(initial=0)) for looks in evidence.empty]
    photo = max(shown, math.ceil(1000 * float(np.quantile(surest, silent))) / 1000) if surest else shown
    known = evidence.people & (scores >= shown)
    least = math.floor(1000 * float(np.quantile(evidence.seen.located[known], LOST))) / 1000
    best = [float(looks.located.max()) for looks in evidence.full if likely(looks).max(initial=0) >= photo]
    at_best = math.floor(1000 * float(np.quantile(best, LOST))) / 1000 if best else 0.0
    locate = card.locate and replace(card.locate, threshold=max(least, LEAST_SCORE), photo_threshold=at_best)
    chosen = replace(card, threshold=SURE, person_threshold=shown, photo_threshold=photo)
    return replace(chosen, calibration=joint, person=person, locate=locate)


def _ranking(evidence: Evidence, joint: Calibration) -> NDArray[np.float64]:
    """Weights of `person_evidence` and an intercept: they rank as AP does, and say how likely the skeleton is right.

    Fitted to the share of OKS steps at which each is right, which AP averages over, with no weight below 0: nobody is
    less likely right for having a surer joint. Then its scale and intercept to
    whether that is so at all, at an OKS of 0.5 (Platt 1999).
    """
    known = ~np.isnan(evidence.worth)
    values, worth = evidence.seen.evidence(joint)[known], evidence.worth[known]
    weights = logistic(values, worth, ridge=RIDGE, least=0.0)
    scale, intercept = logistic((values @ weights[:-1])[:, None], worth > 0)
    return np.append(scale * weights[:-1], intercept)


def _as_likely_as_not(scores: NDArray[np.floating], people: NDArray[np.bool_]) -> float:
    """The score from which on people outnumber nobodies by most, to three decimals.

    There somebody is as likely there as not. By counting, for a logistic function fits the few of low scores badly.
    """
    order = np.argsort(-scores, kind="stable")
    more = np.cumsum(np.where(people[order], 1, -1))
    return math.floor(1000 * float(scores[order[int(more.argmax())]])) / 1000


def empty_photos(negatives: Path, shows_somebody: Collection[str]) -> list[Sample]:
    """A tar of photos without people -> those that the pose network has not learnt from and `hpe eval` does not use.

    shows_somebody: names of photos to leave out, with or without a suffix. A locator that finds a passer-by in a street
    would be told that this is wrong. Raises BadSettings for a name that is not among them.
    """
    samples = read_empty(negatives, "thresholds")
    unknown = set(shows_somebody) - {name for sample in samples for name in (sample.id, Path(sample.id).stem)}
    if unknown:
        raise BadSettings(
            f"--shows-somebody {min(unknown)}: not among the {len(samples)} photos of {negatives} that thresholds are "
            "fitted on: give a file's name in it"
        )
    return [one for one in samples if not {one.id, Path(one.id).stem} & set(shows_somebody)]


def fit(
    estimator: PoseEstimator, photos: list[Photo], negatives: list[Sample], limit: int, silent: float
) -> tuple[ModelCard, list[str]]:
    """The card with calibrations and thresholds fitted on training photos, and a table of what joint scores are worth.

    negatives: of `empty_photos`. limit: photos with people, and as many without from each set. silent: as of
    `choose`.
    """
    learnt = in_part((photo.id for photo in photos if not len(photo.boxes)), "lookalikes")
    nobody = [photo for photo in photos if photo.ignore.all() and photo.id not in learnt]
    chosen = spread([photo for photo in photos if not photo.ignore.all()], limit) + spread(nobody, limit)
    empty = spread(negatives, limit)
    evidence = gather(estimator, chosen, [sample.image() for sample in empty])
    card = choose(estimator.card, evidence, silent)
    return card, as_table(evidence, card)


def update_manifest(path: Path, card: ModelCard) -> None:
    """Puts the card's calibrations and thresholds into a manifest that stands. Raises BadModel."""
    stands, chosen = read_manifest(path), card.locate
    locate = stands.locate
    if locate and chosen:
        locate = replace(locate, threshold=chosen.threshold, photo_threshold=chosen.photo_threshold)
    path.write_bytes(write_manifest(replace(stands, **{name: getattr(card, name) for name in WRITTEN}, locate=locate)))


def as_table(evidence: Evidence, card: ModelCard) -> list[str]:
    joint = card.calibration or Calibration(1.0, 0.0)
    locate = card.locate
    scores = sigmoid(joint.slope * evidence.joints + joint.intercept)
    rows = [["joint score", "right, %", "joints"]]
    for low in np.arange(0, 1, 0.1):
        chosen = (scores >= low) & (scores < low + 0.1)
        if chosen.any():
            rows.append([f"{low:.1f}", f"{100 * evidence.right[chosen].mean():.1f}", f"{chosen.sum():,}"])
    return [
        *grid(rows),
        "",
        f"joints: {joint}",
        f"people: {card.person}",
        f"found from {card.person_threshold:.3f}, the photo's best from {card.photo_threshold:.3f}",
        *(
            [f"locator: boxes from {locate.threshold:.3f}, the photo's best from {locate.photo_threshold:.3f}"]
            if locate
            else []
        ),
    ]
