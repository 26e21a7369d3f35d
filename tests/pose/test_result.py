"""A pose by name, as a dict, in others' layouts, in another picture size, and which of its joints count."""

import json
import pickle
from xml.etree import ElementTree

import numpy as np
import pytest

from hpe.errors import HpeError, UnknownJoint
from hpe.pose.result import Pose
from hpe.pose.skeleton import COCO_JOINTS, JOINTS, KEYPOINTS

SVG = "{http://www.w3.org/2000/svg}"


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
    assert all(list(point) == ["name", "x", "y", "score", "confident", "state"] for point in people["keypoints"])


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


def of_points(count: int, threshold: float = 0.5, size: tuple[int, int] | None = None) -> Pose:
    """A pose of the first `count` keypoints, each at (10 i, 100 + i), all of them sure."""
    points = np.array([(10 * i, 100 + i) for i in range(count)], np.float32)
    box = np.array([0, 90, 220, 130], np.float32)
    return Pose(points, np.full(count, 0.75, np.float32), box, 0.9, threshold, size)


def test_a_joint_is_had_by_its_name() -> None:
    x, y, score = of_points(16)["left_wrist"]
    assert (x, y, score) == (150, 115, 0.75)
    assert of_points(21)["right_ear"].x == 200


def test_a_joint_that_the_model_does_not_estimate_is_nowhere() -> None:
    nose = of_points(16)["nose"]
    assert (np.isnan(nose.x), np.isnan(nose.y), nose.score) == (True, True, 0)


@pytest.mark.parametrize("kind", [KeyError, HpeError, UnknownJoint])
def test_an_unknown_name_is_told_with_those_that_are_there(kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"no joint 'wrist': the joints are right_ankle, .*left_wrist"):
        _ = of_points(16)["wrist"]


@pytest.mark.parametrize(("count", "face"), [(16, False), (21, True)])
def test_coco_is_seventeen_rows_in_its_own_order(count: int, face: bool) -> None:
    pose = of_points(count)
    coco = pose.coco()
    assert (coco.shape, coco.dtype) == ((17, 3), np.float32)
    for name, row in zip(COCO_JOINTS, coco, strict=True):
        np.testing.assert_array_equal(row, np.array(pose[name], np.float32))
    assert bool(np.isfinite(coco[:5]).all()) is face
    assert coco[:5, 2].tolist() == [0.75 if face else 0.0] * 5
    assert np.isfinite(coco[5:]).all()
    assert pose.to_coco()["keypoints"][:3] == ([160.0, 116.0, 0.75] if face else [0, 0, 0])


@pytest.mark.parametrize("count", [16, 21])
def test_mpii_is_sixteen_rows(count: int) -> None:
    pose = of_points(count)
    np.testing.assert_array_equal(pose.mpii()[:, :2], pose.points[:16])
    np.testing.assert_array_equal(pose.mpii()[:, 2], pose.scores[:16])


def test_keypoints_keep_their_order_and_grow_by_the_face() -> None:
    names = [point["name"] for point in of_points(21).to_dict()["keypoints"]]
    assert tuple(names) == KEYPOINTS
    assert names[:16] == [point["name"] for point in of_points(16).to_dict()["keypoints"]]


def test_a_pose_is_told_in_one_short_line() -> None:
    assert repr(of_points(16)) == "Pose(score 0.90, 16 of 16 joints sure, box 0,90,220,130)"


@pytest.mark.parametrize("size", [None, (640, 480)])
def test_a_notebook_draws_it(size: tuple[int, int] | None) -> None:
    root = ElementTree.fromstring(of_points(21, size=size)._repr_html_())
    shown = {circle.get("data-joint") for circle in root.iter(f"{SVG}circle")} - {None}
    assert shown == set(KEYPOINTS)
    x, y, width, height = map(float, (root.get("viewBox") or "").split())
    assert (x <= 0, y <= 90, x + width >= 220, y + height >= 130) == (True,) * 4
    if size:
        assert (x, y, width, height) == (0, 0, *size)


def test_poses_go_to_other_processes_and_back() -> None:
    pose = of_points(21, size=(640, 480))
    assert pickle.loads(pickle.dumps(pose)) == pose


def test_the_size_is_scaled_as_the_points_are() -> None:
    assert of_points(16, size=(640, 480)).scaled(2.5, 0.5).size == (1600, 240)
