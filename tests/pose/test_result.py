"""A pose as a dict, in another picture size, and which of its joints count."""

import json

import numpy as np
import pytest

from hpe.pose.result import Pose
from hpe.pose.skeleton import JOINTS


@pytest.fixture
def pose() -> Pose:
    points = (np.arange(32, dtype=np.float32).reshape(16, 2) * 3.3333).astype(np.float32)
    scores = np.linspace(0.05, 0.95, 16, dtype=np.float32)
    box = np.array([0.0, 3.3333, 100.0, 103.3333], dtype=np.float32)
    return Pose(points=points, scores=scores, box=box, score=0.612345, threshold=0.5)


def test_joints_at_or_above_the_threshold_are_confident(pose: Pose) -> None:
    scores = np.full(16, 0.25, dtype=np.float32)
    scores[3], scores[4] = 0.5, 0.75
    at = Pose(pose.points, scores, pose.box, 0.6, 0.5)
    assert np.flatnonzero(at.confident).tolist() == [3, 4]
    assert at.confident.dtype == np.bool_


def test_dict_has_sixteen_named_keypoints_in_mpii_order(pose: Pose) -> None:
    people = pose.to_dict()
    assert list(people) == ["score", "box", "keypoints"]
    assert [point["name"] for point in people["keypoints"]] == list(JOINTS)
    assert all(list(point) == ["name", "x", "y", "score", "confident"] for point in people["keypoints"])


def test_dict_is_plain_json_with_short_numbers(pose: Pose) -> None:
    people = pose.to_dict()
    assert json.loads(json.dumps(people)) == people
    assert people["score"] == 0.6123
    assert people["box"] == [0.0, 3.33, 100.0, 103.33]
    first, last = people["keypoints"][0], people["keypoints"][-1]
    assert (first["x"], first["y"], first["score"], first["confident"]) == (0.0, 3.33, 0.05, False)
    assert (last["x"], last["y"], last["score"], last["confident"]) == (100.0, 103.33, 0.95, True)


def test_scaling_keeps_pixel_edges_in_place(pose: Pose) -> None:
    # The left edge of a picture, -0.5, stays its left edge; its centre stays its centre.
    edge = Pose(np.full((16, 2), -0.5, dtype=np.float32), pose.scores, pose.box, 0.6, 0.5)
    np.testing.assert_allclose(edge.scaled(4, 3).points, -0.5)
    centre = Pose(np.full((16, 2), 49.5, dtype=np.float32), pose.scores, pose.box, 0.6, 0.5)
    np.testing.assert_allclose(centre.scaled(2, 2).points, 99.5)


def test_scaling_there_and_back_is_nothing(pose: Pose) -> None:
    back = pose.scaled(4.0, 2.5).scaled(1 / 4.0, 1 / 2.5)
    np.testing.assert_allclose(back.points, pose.points, atol=1e-3)
    np.testing.assert_allclose(back.box, pose.box, atol=1e-3)
    assert back.points.dtype == back.box.dtype == np.float32
    assert (back.score, back.threshold) == (pose.score, pose.threshold)
    np.testing.assert_array_equal(back.scores, pose.scores)


def test_scaling_leaves_the_original_as_it_was(pose: Pose) -> None:
    points, box = pose.points.copy(), pose.box.copy()
    pose.scaled(2.0, 2.0)
    np.testing.assert_array_equal(pose.points, points)
    np.testing.assert_array_equal(pose.box, box)
