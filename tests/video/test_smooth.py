"""Smoothing: still at rest, on time in motion, and guided by what each joint is worth."""

import numpy as np

from hpe.video.smooth import LIVE, OneEuro, both_ways

TIMES = np.arange(120) / 30
SIZE = 100.0


def causal(points, scores):
    euro = OneEuro(LIVE)
    return np.stack([euro(p, s, SIZE, t) for p, s, t in zip(points, scores, TIMES, strict=True)])


def forth_and_back(points, scores):
    return both_ways(points, scores, np.full(len(points), SIZE), TIMES)


def still(noise=1.0):
    return np.random.default_rng(1).normal(0, noise, (120, 4, 2)) + 200


def trembling(points):
    return np.abs(np.diff(points, 2, axis=0)).mean()


def test_a_joint_at_rest_trembles_a_third_as_much_at_most():
    points, scores = still(), np.full((120, 4), 0.9)
    assert trembling(causal(points, scores)) < trembling(points) / 3
    assert trembling(forth_and_back(points, scores)) < trembling(points) / 3


def test_a_joint_that_moves_is_less_than_a_frame_late():
    # half a size a second there and back, as a walking person's hand
    truth = 200 + 25 * np.sin(2 * np.pi * 0.8 * TIMES)
    points = np.repeat(np.repeat(truth[:, None, None], 4, axis=1), 2, axis=2)
    scores = np.full((120, 4), 0.9)
    for smooth, most in ((causal, 1 / 30), (forth_and_back, 0.003)):
        shown = smooth(points, scores)[:, 0, 0]
        late = [np.square(shown[20:100] - np.interp(TIMES[20:100] - lag, TIMES, truth)).sum() for lag in LAGS]
        assert abs(LAGS[int(np.argmin(late))]) < most


LAGS = np.arange(-0.05, 0.1, 0.001)


def test_an_unsure_joint_hardly_moves():
    points, scores = np.full((120, 1, 2), 100.0), np.full((120, 1), 0.9)
    points[60], scores[60] = 180.0, 0.05
    assert np.abs(causal(points, scores)[60] - 100).max() < 4
    points, scores = np.full((120, 1, 2), 100.0), np.full((120, 1), 0.9)
    points[60] = 180.0
    assert np.abs(causal(points, scores)[60] - 100).max() > 10


def test_the_points_that_came_in_are_left_as_they_are():
    points, scores = still(), np.full((120, 4), 0.9)
    before = points.copy()
    causal(points, scores)
    forth_and_back(points, scores)
    assert np.array_equal(points, before)
