"""PCK and PCKh by hand-worked cases and against a loop written independently."""

import math

import numpy as np
import pytest

from hpe.pose.skeleton import INDEX, LSP_JOINTS
from hpe.score.pck import GROUPS, correct, head_px, pck, percent, torso_px


def person() -> np.ndarray:
    """A person whose torso (left shoulder to right hip) is 50 px and whose head is 20 px."""
    points = np.zeros((1, 16, 2))
    points[0, INDEX["left_shoulder"]] = 40, 30
    points[0, INDEX["right_hip"]] = 10, 70
    points[0, INDEX["upper_neck"]] = 30, 22
    points[0, INDEX["head_top"]] = 42, 6
    return points


ALL = np.ones((1, 16), np.bool_)


def test_reference_lengths_by_hand():
    assert torso_px(person())[0] == 50
    assert head_px(person())[0] == 20


def test_a_reference_whose_end_is_unlabelled_is_unknown():
    labelled = ALL.copy()
    labelled[0, INDEX["right_hip"]] = False
    assert math.isnan(torso_px(person(), labelled)[0])
    assert head_px(person(), labelled)[0] == 20


def test_ten_px_is_a_fifth_of_fifty():
    predicted = person()
    predicted[0, INDEX["left_knee"], 0] += 10.0
    predicted[0, INDEX["right_knee"], 1] += 10.01
    found = correct(predicted, person(), ALL, torso_px(person()), 0.2)
    assert found[0, INDEX["left_knee"]] == 1
    assert found[0, INDEX["right_knee"]] == 0
    mean, per_joint = pck(predicted, person(), ALL, torso_px(person()), 0.2, LSP_JOINTS)
    assert mean == pytest.approx(100 * 13 / 14)
    assert per_joint[INDEX["right_knee"]] == 0
    assert per_joint[INDEX["left_knee"]] == 100


def test_unlabelled_joints_count_for_nothing():
    predicted, labelled = person(), ALL.copy()
    predicted[0, INDEX["left_wrist"]] = 500, 500
    labelled[0, INDEX["left_wrist"]] = False
    mean, per_joint = pck(predicted, person(), labelled, torso_px(person()), 0.2, LSP_JOINTS)
    assert mean == 100
    assert math.isnan(per_joint[INDEX["left_wrist"]])


def test_pelvis_and_thorax_are_no_lsp_joints():
    predicted = person()
    predicted[0, [INDEX["pelvis"], INDEX["thorax"]]] = 900, 900
    assert pck(predicted, person(), ALL, torso_px(person()), 0.2, LSP_JOINTS)[0] == 100


def test_a_joint_that_was_not_found_is_a_miss():
    predicted = np.full((1, 16, 2), np.nan)
    assert pck(predicted, person(), ALL, torso_px(person()), 0.2, LSP_JOINTS)[0] == 0


@pytest.mark.parametrize("length", [0.0, np.nan])
def test_people_without_a_reference_length_count_for_nothing(length):
    labels = np.concatenate([person(), person()])
    both = np.concatenate([ALL, ALL])
    assert pck(labels, labels, both, np.array([length, 50.0]), 0.2, LSP_JOINTS)[0] == 100
    assert math.isnan(pck(labels[:1], labels[:1], ALL, np.array([length]), 0.2, LSP_JOINTS)[0])


def test_the_mean_is_over_keypoints_not_over_joints():
    # one joint labelled three times and right once, another labelled once and right: 2 of 4, not (33 + 100) / 2
    found = np.full((3, 16), np.nan)
    found[:, 0] = [1, 0, 0]
    found[0, 1] = 1
    assert percent(found, (0, 1)) == 50


def test_groups_hold_each_lsp_joint_once():
    members = [joint for group in GROUPS.values() for joint in group]
    assert sorted(members) == sorted(LSP_JOINTS)
    assert GROUPS["wrist"] == (INDEX["right_wrist"], INDEX["left_wrist"])


@pytest.mark.parametrize("seed", range(4))
def test_equals_an_independent_count(seed):
    rng = np.random.default_rng(seed)
    labels = rng.uniform(0, 200, (20, 16, 2))
    predicted = labels + rng.normal(0, 15, labels.shape)
    labelled = rng.random((20, 16)) > 0.2
    reference = torso_px(labels, labelled)
    hits = total = 0
    for n in range(20):
        ends = INDEX["left_shoulder"], INDEX["right_hip"]
        if not (labelled[n, ends[0]] and labelled[n, ends[1]]):
            continue
        length = math.dist(labels[n, ends[0]], labels[n, ends[1]])
        for j in LSP_JOINTS:
            if labelled[n, j]:
                total += 1
                hits += math.dist(predicted[n, j], labels[n, j]) <= 0.2 * length
    assert pck(predicted, labels, labelled, reference, 0.2, LSP_JOINTS)[0] == pytest.approx(100 * hits / total)
