"""ControlNet's picture: whose colours are where."""

from dataclasses import replace

import numpy as np
import pytest

from hpe.pose.openpose import COCO_18, COLOURS_RGB, LIMBS_18, draw_controlnet
from hpe.pose.result import Pose
from hpe.pose.skeleton import KEYPOINTS

# One joint a column and row, far apart.
SIZE = (1100, 600)


def apart(count: int = 21) -> Pose:
    points = np.array([(50 + 50 * i, 40 + 25 * ((7 * i) % 21)) for i in range(count)], np.float32)
    return Pose(points, np.full(count, 0.9, np.float32), np.array([0, 0, 1100, 600], np.float32), 0.9, 0.5)


def test_every_joint_has_openposes_colour_of_its_number() -> None:
    pose = apart()
    drawn = draw_controlnet([pose], *SIZE)
    assert (drawn.shape, drawn.dtype) == ((600, 1100, 3), np.uint8)
    for name, colour in zip(COCO_18, COLOURS_RGB, strict=True):
        x, y = (round(value) for value in pose[name][:2])
        assert tuple(drawn[y, x]) == colour, name


def test_limbs_are_darker_and_in_the_colour_of_their_number() -> None:
    for limb, colour in zip(LIMBS_18, COLOURS_RGB, strict=False):
        pose = apart()
        # only the two ends are sure
        scores = np.array([0.9 if name in limb else 0.1 for name in KEYPOINTS], np.float32)
        drawn = draw_controlnet([replace(pose, scores=scores)], *SIZE)
        x, y = (np.array(pose[limb[0]][:2]) + np.array(pose[limb[1]][:2])) / 2
        assert tuple(drawn[round(y), round(x)]) == tuple(int(0.6 * value) for value in colour), limb
        assert len(np.unique(drawn.reshape(-1, 3), axis=0)) == 4, "black, a limb and two joints"


def test_the_rest_is_black_and_nobody_is_all_black() -> None:
    assert not draw_controlnet([], *SIZE).any()
    assert tuple(draw_controlnet([apart()], *SIZE)[5, 5]) == (0, 0, 0)


@pytest.mark.parametrize(("side", "radius"), [(512, 4), (1024, 8), (64, 1)])
def test_a_joint_is_as_wide_as_at_controlnets_own_size(side: int, radius: int) -> None:
    points = np.full((16, 2), side / 2, np.float32)
    scores = np.array([0.9 if name == "left_wrist" else 0.1 for name in KEYPOINTS[:16]], np.float32)
    pose = Pose(points, scores, np.array([0, 0, side, side], np.float32), 0.9, 0.5)
    drawn = draw_controlnet([pose], side, side)
    assert np.flatnonzero(drawn.any(axis=(0, 2))).tolist() == list(range(side // 2 - radius, side // 2 + radius + 1))


def test_a_model_without_a_face_leaves_it_out() -> None:
    colours = {tuple(row) for row in np.unique(draw_controlnet([apart(16)], *SIZE).reshape(-1, 3), axis=0)}
    assert COLOURS_RGB[COCO_18.index("nose")] not in colours
    assert COLOURS_RGB[COCO_18.index("left_wrist")] in colours
