"""Scores become probabilities, and thresholds follow from them."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from train.figures import write_sceneries

from hpe.engine.card import LocatorCard, ModelCard, PersonCalibration
from hpe.engine.manifest import parse_manifest, write_manifest
from hpe.engine.scores import joint_scores, person_score
from hpe.errors import BadSettings
from hpe.measure.calibrate import choose, empty_photos, logistic
from hpe.measure.evidence import Evidence, Looks, cut_off
from hpe.pose.skeleton import INDEX
from hpe.train.data.samples import Photo

CARD = ModelCard(
    "a", "a.onnx", "0" * 64, (256, 192), "none", 0.2, 0.2, 1.5, locate=LocatorCard("b.onnx", "0" * 64, "none", 416, 0.3)
)


def evidence(count: int = 4000, mixed: float = 1.0) -> Evidence:
    """Joints that are right with a probability of their peak's logistic function; people surer than scenery.

    mixed: how much more people and scenery overlap.
    """
    rng = np.random.default_rng(0)
    peaks = rng.uniform(0, 1, count)
    right = rng.random(count) < 1 / (1 + np.exp(-(8 * peaks - 2)))
    people = np.arange(count) % 2 == 0
    located = np.clip(rng.normal(np.where(people, 0.7, 0.25), 0.15 * mixed), 0.05, 0.99)
    seen = np.clip(rng.normal(np.where(people, 0.7, 0.2)[:, None], 0.1 * mixed, (count, 16)), 0, 1)
    each = [Looks(located[k : k + 1], seen[k : k + 1], np.array([0.3])) for k in range(count)]
    worth = np.where(people, 0.7, 0.0)
    return Evidence(right, peaks, people, worth, Looks.together(each), each[1::2], each[::2])


def test_the_logistic_function_is_found_again() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0, 2, (20_000, 2))
    right = rng.random(20_000) < 1 / (1 + np.exp(-(1.5 * values[:, 0] - 0.7 * values[:, 1] + 0.4)))
    assert logistic(values, right) == pytest.approx([1.5, -0.7, 0.4], abs=0.12)


def test_scores_that_part_right_from_wrong_entirely_have_an_answer() -> None:
    weights = logistic(np.array([[0.1], [0.2], [0.8], [0.9]]), np.array([False, False, True, True]))
    assert np.isfinite(weights).all()
    assert weights[0] * 0.2 + weights[1] < 0 < weights[0] * 0.8 + weights[1]


def test_what_means_the_same_shares_its_weight_and_no_weight_falls_below_the_least() -> None:
    rng = np.random.default_rng(2)
    one = rng.normal(0, 2, 4000)
    values = np.column_stack([one, one + rng.normal(0, 0.3, 4000), 50 * rng.normal(0, 1, 4000)])
    right = rng.random(4000) < 1 / (1 + np.exp(-(1.2 * one - 0.03 * values[:, 2])))
    free, pulled = logistic(values, right), logistic(values, right, ridge=0.01, least=0.0)
    assert free[2] < -0.02
    assert pulled[2] == 0
    assert abs(pulled[0] - pulled[1]) < 0.2 < 0.6 < abs(free[0] - free[1])
    assert 0.5 < pulled[:2].sum() < free[:2].sum() == pytest.approx(1.2, abs=0.12)


def test_nothing_but_right_joints_is_refused() -> None:
    with pytest.raises(BadSettings, match="give more photos"):
        logistic(np.ones((3, 1)), np.ones(3, np.bool_))


def test_a_joint_at_the_threshold_is_as_likely_right_as_wrong() -> None:
    card = choose(CARD, evidence(), 0.97)
    assert card.threshold == 0.5
    assert card.calibration is not None
    peak = -card.calibration.intercept / card.calibration.slope
    assert peak == pytest.approx(0.25, abs=0.04)  # where 8 * peak - 2 is 0


def test_photos_that_show_somebody_after_all_are_left_out_and_other_names_refused(tmp_path: Path) -> None:
    negatives = write_sceneries(tmp_path, 12)
    every = [sample.id for sample in empty_photos(negatives, ())]
    for name in (every[0], Path(every[0]).stem):
        assert [sample.id for sample in empty_photos(negatives, [name])] == every[1:]
    with pytest.raises(BadSettings, match=r"--shows-somebody a\.png: not among the \d+ photos"):
        empty_photos(negatives, [*every[:1], "a.png"])


def test_the_photo_threshold_is_silent_on_the_share_asked_for() -> None:
    found = evidence(mixed=7.0)
    cards = [choose(CARD, found, silent) for silent in (0.9, 0.97, 0.999)]
    thresholds = [card.photo_threshold for card in cards]
    assert thresholds == sorted(set(thresholds))
    for card, silent in zip(cards, (0.9, 0.97, 0.999), strict=True):
        assert card.calibration is not None
        best = [
            person_score(
                float(photo.located[0]),
                np.where(photo.peaks[0] > 0, joint_scores(photo.peaks[0], card.calibration), 0),
                card.person,
                float(photo.sizes[0]),
            )
            for photo in found.empty
        ]
        assert np.mean(np.array(best) < card.photo_threshold) == pytest.approx(silent, abs=0.002)


def test_hardly_anybody_in_photos_without_people_leaves_the_thresholds_alike() -> None:
    found = evidence()
    clear = dataclasses.replace(found, empty=[Looks(np.zeros(0), np.zeros((0, 16)), np.zeros(0))] * 9)
    card = choose(CARD, clear, 0.99)
    assert card.photo_threshold == card.person_threshold


def test_the_locator_lets_pass_nearly_everybody_who_is_then_found() -> None:
    found = evidence()
    card = choose(CARD, found, 0.97)
    assert card.locate is not None
    assert (found.seen.located[found.people] >= card.locate.threshold).mean() > 0.95
    assert card.locate.threshold > found.seen.located[~found.people].min()
    # one person a photo here, who has to reach the photo's threshold as well
    assert card.locate.threshold <= card.locate.photo_threshold < 0.5
    assert (found.seen.located[found.people] >= card.locate.photo_threshold).mean() > 0.95


def test_calibrations_survive_the_manifest() -> None:
    card = choose(CARD, evidence(), 0.97)
    again = parse_manifest(write_manifest(card), "a manifest")
    assert again == card
    assert isinstance(again.person, PersonCalibration)


def test_a_calibration_of_words_is_refused_by_name() -> None:
    from hpe.errors import BadModel

    content = json.loads(write_manifest(choose(CARD, evidence(), 0.97)))
    content["pose"]["person"]["joints"] = "many"
    with pytest.raises(BadModel, match=r"pose\.person\.joints"):
        parse_manifest(json.dumps(content).encode(), "a manifest")


@pytest.mark.parametrize("limbs", [[0.1] * 3, [0.1] * 3 + ["much"], [True] * 4, [0.1] * 3 + [1e9], "0.3", {}])
def test_weights_of_the_limbs_are_four_numbers_or_one(limbs: object) -> None:
    from hpe.errors import BadModel

    content = json.loads(write_manifest(choose(CARD, evidence(), 0.97)))
    content["pose"]["person"]["limbs"] = limbs
    with pytest.raises(BadModel, match=r"pose\.person\.limbs"):
        parse_manifest(json.dumps(content).encode(), "a manifest")


def test_one_number_for_the_limbs_weighs_their_mean_as_in_models_of_before() -> None:
    content = json.loads(write_manifest(choose(CARD, evidence(), 0.97)))
    scores = np.linspace(0.1, 0.9, 21)
    shown = []
    for limbs in (0.6, 0, [0.15] * 4, [0.0] * 4):
        content["pose"]["person"]["limbs"] = limbs
        card = parse_manifest(json.dumps(content).encode(), "a manifest")
        shown.append(person_score(0.5, scores, card.person))
    assert shown[:2] == pytest.approx(shown[2:])
    assert shown[0] != pytest.approx(shown[1])
    del content["pose"]["person"]["limbs"]
    assert person_score(0.5, scores, parse_manifest(json.dumps(content).encode(), "a manifest").person) == shown[1]


def photo(bottom: float, hidden: tuple[str, ...]) -> Photo:
    joints = np.ones((1, 16, 3), np.float32)
    joints[0, [INDEX[name] for name in hidden], 2] = 0
    box = np.array([[10, 10, 60, bottom]], np.float32)
    return Photo("a", b"", box, np.zeros(1, np.bool_), joints)


def test_legs_below_the_photo_are_wrong_wherever_they_are_found() -> None:
    legs = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("knee", "ankle"))
    assert sorted(cut_off(photo(99, legs), 0, 100)) == sorted(INDEX[name] for name in legs)
    assert cut_off(photo(99, ("left_ankle",)), 0, 100) == [INDEX["left_ankle"]]


def test_legs_that_nobody_labelled_inside_the_photo_say_nothing() -> None:
    assert cut_off(photo(80, ("left_knee", "left_ankle")), 0, 100) == []
    assert cut_off(photo(99, ("left_knee",)), 0, 100) == []


def test_photos_in_which_nobody_is_found_count_beside_those_of_a_model_with_faces() -> None:
    from hpe.measure.found import as_found

    nobody = as_found([], 21)
    picture = np.zeros((8, 8, 3), np.uint8)
    one = Looks(np.array([0.4]), np.zeros((1, 21)), np.array([0.2]))
    both = Looks.together([Looks.of(nobody, picture, np.zeros(0, np.bool_)), one])
    assert both.peaks.shape == (1, 21)
