"""Joints to heatmaps and back: one convention, no bias."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpe.pose.heatmaps import STRIDE, decode_joints, encode_joints, flip_heatmaps
from hpe.pose.skeleton import FLIP_ORDER, INDEX


def one(x: float, y: float, size: int = 256, sigma: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    return encode_joints(np.array([[x, y]]), np.ones(1), size, sigma)


@given(st.floats(32, 220), st.floats(32, 220), st.sampled_from([1.5, 2.0, 3.0]))
@settings(max_examples=80, deadline=None)
def test_a_clean_target_decodes_to_its_joint(x, y, sigma):
    targets, _ = one(x, y, sigma=sigma)
    points, scores = decode_joints(targets, sigma)
    np.testing.assert_allclose(points[0], [x, y], atol=0.1)
    assert np.exp(-0.25 / sigma**2) - 1e-4 < scores[0] <= 1  # at worst half a cell off along both axes


@given(st.floats(0, 252), st.floats(0, 252))
@settings(max_examples=60, deadline=None)
def test_near_the_border_a_joint_is_found_to_six_tenths_of_a_cell(x, y):
    # the peak's cell alone is right to half a cell; smoothing over the map's edge pulls the refined point a little
    points, _ = decode_joints(one(x, y)[0])
    assert np.abs(points[0] - [x, y]).max() <= 0.6 * STRIDE


def test_encoding_and_decoding_have_no_bias():
    rng = np.random.default_rng(0)
    joints = rng.uniform(20, 235, (400, 2))
    targets, _ = encode_joints(joints, np.ones(400), 256, 2.0)
    error = decode_joints(targets)[0] - joints
    assert np.abs(error.mean(axis=0)).max() < 0.005  # a half-cell shift would show as 2 px
    assert np.abs(error).max() < 0.1


def test_refinement_earns_its_keep():
    rng = np.random.default_rng(1)
    joints = rng.uniform(20, 235, (200, 2))
    targets, _ = encode_joints(joints, np.ones(200), 256, 2.0)
    targets = np.maximum(targets + rng.normal(0, 0.01, targets.shape), 0).astype(np.float32)
    refined = np.linalg.norm(decode_joints(targets)[0] - joints, axis=1).mean()
    rows, columns = np.unravel_index(targets.reshape(200, -1).argmax(axis=1), targets.shape[1:])
    cells = np.linalg.norm(np.stack([columns, rows], axis=1) * STRIDE - joints, axis=1).mean()
    assert refined < 0.4
    assert cells > 1.5


def test_targets_are_gaussians_centred_without_rounding():
    targets, weights = one(101.0, 50.0)
    cx, cy = 101 / STRIDE, 50 / STRIDE
    for row, column in [(12, 25), (13, 26), (10, 30)]:
        expected = np.exp(-((column - cx) ** 2 + (row - cy) ** 2) / (2 * 2.0**2))
        assert targets[0, row, column] == pytest.approx(expected, rel=1e-5)
    assert targets.shape == (1, 64, 64)
    assert targets.dtype == np.float32
    assert weights.tolist() == [1]


@pytest.mark.parametrize(("x", "inside"), [(-23.9, True), (-24.1, False), (252 + 23.9, True), (252 + 24.1, False)])
def test_weight_ends_three_sigma_outside_the_heatmap(x, inside):
    targets, weights = one(x, 100.0)
    assert bool(weights[0]) == inside
    assert bool(targets.any()) == inside


def test_an_unlabelled_joint_has_an_empty_target():
    targets, weights = encode_joints(np.full((2, 2), 100.0), np.array([0.0, 0.5]), 256, 2.0)
    assert targets[0].max() == 0
    assert targets[1].max() == pytest.approx(1)
    assert weights.tolist() == [0, 0.5]


def test_decoding_a_peak_on_the_border_stays_on_the_map():
    heatmaps = np.zeros((4, 16, 16), np.float32)
    corners = [(0, 0), (0, 15), (15, 0), (15, 15)]
    for heatmap, (y, x) in zip(heatmaps, corners, strict=True):
        heatmap[y, x] = 0.7
    points, scores = decode_joints(heatmaps)
    assert points.tolist() == [[x * 4, y * 4] for y, x in corners]
    assert scores == pytest.approx(0.7)


def test_empty_heatmaps_decode_to_a_score_of_nothing():
    points, scores = decode_joints(np.zeros((16, 32, 32), np.float32))
    assert np.isfinite(points).all()
    assert scores.max() == 0


def test_decoding_leaves_its_input_alone():
    heatmaps = one(100, 100)[0]
    before = heatmaps.copy()
    decode_joints(heatmaps)
    np.testing.assert_array_equal(heatmaps, before)


@pytest.mark.parametrize("count", [16, 21])
def test_the_mirrored_pictures_heatmaps_come_back_to_their_place(count):
    rng = np.random.default_rng(2)
    joints = rng.uniform(40, 215, (count, 2))
    straight, _ = encode_joints(joints, np.ones(count), 256, 2.0)
    # what a perfect network sees in the mirror: pixel x at 255 - x, left and right exchanged
    mirrored = (joints * [-1, 1] + [255, 0])[list(FLIP_ORDER[:count])]
    seen, _ = encode_joints(mirrored, np.ones(count), 256, 2.0)
    back = flip_heatmaps(seen, FLIP_ORDER[:count])
    points, _ = decode_joints(back)
    np.testing.assert_allclose(points, joints, atol=0.3)
    assert np.abs((points - joints).mean(axis=0)).max() < 0.1
    averaged, _ = decode_joints((straight + back) / 2)
    np.testing.assert_allclose(averaged, joints, atol=0.2)


def test_only_the_named_joint_moves_to_its_mirror_twin():
    seen = np.zeros((21, 32, 32), np.float32)
    seen[INDEX["left_wrist"], 10, 10] = 1
    back = flip_heatmaps(seen, FLIP_ORDER)
    assert back[INDEX["right_wrist"]].max() > 0.5
    assert back[[j for j in range(21) if j != INDEX["right_wrist"]]].max() == 0


def test_a_frame_that_is_taller_than_wide_has_such_heatmaps():
    joints = np.array([[150.5, 201.0], [30.0, 240.0], [191.0, 255.0]])
    targets, weights = encode_joints(joints, np.ones(3), (256, 192), 2.0)
    assert targets.shape == (3, 64, 48)
    assert weights.tolist() == [1, 1, 1]
    np.testing.assert_allclose(decode_joints(targets[:2])[0], joints[:2], atol=0.1)
    _, outside = encode_joints(np.array([[230.0, 100.0], [100.0, 230.0]]), np.ones(2), (256, 192), 2.0)
    assert outside.tolist() == [0, 1]
