"""What two looks at one person say together, on cases worked by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hpe.engine.looks import BOX_SCORES, Look, person_box, together
from hpe.pose.heatmaps import encode_joints

# a person of 100 x 150 px
PLACES = np.stack([np.tile([0.0, 50.0, 100.0, 25.0], 4), np.repeat([0.0, 50.0, 100.0, 150.0], 4)], axis=1)


def look(
    moved: NDArray[np.float64] | float = 0.0, scores: NDArray[np.float64] | float = 0.8, scale: float = 1.0
) -> Look:
    return Look(PLACES + moved, np.broadcast_to(np.asarray(scores, np.float32), 16).copy(), scale, lambda: None)


def only(joint: int, dx: float) -> NDArray[np.float64]:
    moved = np.zeros((16, 2))
    moved[joint, 0] = dx
    return moved


def test_two_equal_looks_say_what_one_says() -> None:
    found = together(look(), look())
    assert np.allclose(found.points, PLACES)
    assert np.allclose(found.scores, 0.8)
    assert found.score == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize(
    ("scale", "first_score", "x"),
    [
        (1.0, 0.8, 5.0),  # equal weights: the middle
        (0.5, 0.8, 8.0),  # a quarter of the weight: 0.2 * 0 + 0.8 * 10
        (2.0, 0.8, 5.0),  # never more weight for being closer than the second
        (1.0, 0.2, 8.0),  # a quarter of the score
    ],
)
def test_where_both_mean_the_same_place_it_is_their_weighted_mean(scale: float, first_score: float, x: float) -> None:
    # 10 px of 150 are 0.067 of the person
    found = together(look(scores=first_score, scale=scale), look(only(1, 10.0)))
    assert found.points[1] == pytest.approx(PLACES[1] + [x, 0], abs=1e-5)
    assert found.scores[1] == pytest.approx(0.8 * (1 + np.exp(-((10 / 150 / 0.15) ** 2))) / 2, abs=1e-6)
    assert np.allclose(found.points[2:], PLACES[2:])


def test_where_they_are_far_apart_the_weightier_counts_and_both_lose() -> None:
    second = look(only(1, 45.0), np.where(np.arange(16) == 1, 0.2, 0.8))
    assert together(look(), second).points[1] == pytest.approx(PLACES[1]), "the first saw it four times as well"
    assert together(look(scale=0.4), second).points[1] == pytest.approx(PLACES[1] + [45, 0]), "but from too far away"
    assert together(look(), second).scores[1] == pytest.approx(0.8 * (1 + np.exp(-4)) / 2, abs=1e-6)


def test_somebody_is_there_where_five_joints_were_seen_twice() -> None:
    portrait = np.where(np.arange(16) < 5, 0.6, 0.01)
    assert together(look(scores=portrait), look(scores=portrait)).score == pytest.approx(0.6, abs=1e-6)
    elsewhere = look(np.tile([60.0, 0.0], (16, 1)), portrait)  # 0.4 of the person away
    assert together(look(scores=portrait), elsewhere).score < 0.001


def test_scores_stay_in_their_range_whatever_was_seen() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        first, second = (look(rng.normal(0, 40, (16, 2)), rng.random(16), rng.uniform(0.1, 3)) for _ in range(2))
        found = together(first, second)
        assert ((found.scores >= 0) & (found.scores <= np.maximum(first.scores, second.scores) + 1e-6)).all()
        assert 0 <= found.score <= 1
        low, high = np.minimum(first.points, second.points), np.maximum(first.points, second.points)
        assert ((found.points >= low - 1e-9) & (found.points <= high + 1e-9)).all()


def test_nobody_at_one_point_is_no_error() -> None:
    nowhere = Look(np.zeros((16, 2)), np.zeros(16, np.float32), 1.0, lambda: None)
    found = together(nowhere, nowhere)
    assert found.score == 0
    assert np.isfinite(found.points).all()


def heatmaps(points: NDArray[np.float64], heights: NDArray[np.float64] | float = 0.6) -> NDArray[np.float32]:
    maps, _ = encode_joints(points, np.ones(16, np.float32), 192, 1.5)
    return maps * np.broadcast_to(np.asarray(heights, np.float32), 16)[:, None, None]


def test_a_box_is_round_what_was_seen() -> None:
    box = person_box(heatmaps(PLACES + 20))
    assert box == pytest.approx(np.array([[20, 20], [120, 170]]), abs=2.5), "within a cell's four px"
    assert np.array_equal(person_box(-heatmaps(PLACES + 20) + heatmaps(PLACES + 20) * 2), box)


def test_a_box_leaves_out_what_was_hardly_seen() -> None:
    places = PLACES + 20
    places[1] = (180, 60)
    seen = np.where(np.arange(16) == 1, BOX_SCORES[0], 0.6)
    assert person_box(heatmaps(places, seen)) == pytest.approx(np.array([[20, 20], [120, 170]]), abs=2.5)
    assert person_box(heatmaps(places)) == pytest.approx(np.array([[20, 20], [180, 170]]), abs=2.5)
    assert person_box(heatmaps(places, np.where(np.arange(16) < 1, 0.9, 0.0))) is None
    assert person_box(np.zeros((16, 48, 48), np.float32)) is None


def test_a_box_changes_as_little_as_the_heatmaps_do() -> None:
    """One last bit must not make another crop, whichever of two equal peaks is the higher by it."""
    steady, moved = PLACES + 20, PLACES + 20
    moved[1] = (180, 60)
    boxes = []
    for height in np.arange(0.0, 1.2, 0.01):  # one peak fades in beside the other, passes it, and leaves it behind
        maps = heatmaps(steady, np.where(np.arange(16) == 1, 0.1, 0.6))
        maps[1] = np.maximum(maps[1], 0.1 * height * heatmaps(moved, 1.0)[1])
        boxes.append(person_box(maps))
    steps = np.abs(np.diff(boxes, axis=0))
    assert np.ptp(np.array(boxes), axis=0).max() > 40
    assert steps.max() < 9, "of 110 px to the middle, for a hundredth of the peak's height: 1.01^8 - 1 is 8 %"
