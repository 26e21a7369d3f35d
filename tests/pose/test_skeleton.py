"""The skeleton's tables agree with each other and with the MPII order."""

from itertools import pairwise

import numpy as np

from hpe.pose.skeleton import (
    COCO_JOINTS,
    COLOURS_RGB,
    FLIP_ORDER,
    FLIP_PAIRS,
    INDEX,
    JOINTS,
    KEYPOINTS,
    LIMBS,
    LIMBS_BY_NAME,
    NUM_JOINTS,
    NUM_KEYPOINTS,
    plain_name,
    side,
)


def luminance(rgb: tuple[int, int, int]) -> float:
    """Relative luminance (WCAG 2) of an sRGB colour, 0..1."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in rgb)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_joints_are_in_mpii_order() -> None:
    assert NUM_JOINTS == 16
    assert (JOINTS[0], JOINTS[6], JOINTS[9], JOINTS[15]) == ("right_ankle", "pelvis", "head_top", "left_wrist")
    assert [INDEX[name] for name in JOINTS] == list(range(16))


def test_the_face_follows_the_joints_so_that_a_network_of_16_keeps_its_order() -> None:
    assert (*JOINTS, "nose", "left_eye", "right_eye", "left_ear", "right_ear") == KEYPOINTS
    assert [INDEX[name] for name in KEYPOINTS] == list(range(NUM_KEYPOINTS)) == list(range(21))
    assert [KEYPOINTS[i] for i in FLIP_ORDER[16:]] == ["nose", "right_eye", "left_eye", "right_ear", "left_ear"]
    assert set(FLIP_ORDER[:16]) == set(range(16))
    assert set(COCO_JOINTS) <= set(KEYPOINTS)


def test_limbs_make_one_tree_over_all_joints() -> None:
    assert len(LIMBS) == NUM_JOINTS - 1
    reached = {INDEX["pelvis"]}
    for _ in LIMBS:
        reached |= {joint for limb in LIMBS if reached & set(limb) for joint in limb}
    assert reached == set(range(NUM_JOINTS))


def test_limbs_follow_the_body() -> None:
    chain = ("ankle", "knee", "hip")
    for which in ("left", "right"):
        names = [f"{which}_{part}" for part in chain] + ["pelvis"]
        assert all(pair in LIMBS_BY_NAME for pair in pairwise(names))
        arm = ["thorax"] + [f"{which}_{part}" for part in ("shoulder", "elbow", "wrist")]
        assert all(pair in LIMBS_BY_NAME for pair in pairwise(arm))
    assert {("pelvis", "thorax"), ("thorax", "upper_neck"), ("upper_neck", "head_top")} <= set(LIMBS_BY_NAME)


def test_limbs_map_onto_limbs_in_the_mirror() -> None:
    mirrored = {frozenset((FLIP_ORDER[a], FLIP_ORDER[b])) for a, b in LIMBS}
    assert mirrored == {frozenset(limb) for limb in LIMBS}


def test_flipping_twice_is_nothing_and_swaps_each_pair() -> None:
    assert [FLIP_ORDER[i] for i in FLIP_ORDER] == list(range(NUM_KEYPOINTS))
    assert len(FLIP_PAIRS) == 8
    for right, left in FLIP_PAIRS:
        assert (side(right), side(left)) == ("right", "left")
        assert plain_name(right) == plain_name(left)
        assert FLIP_ORDER[right] == left


def test_middle_joints_stay_in_the_mirror() -> None:
    middle = [i for i in range(NUM_KEYPOINTS) if side(i) == "middle"]
    assert [KEYPOINTS[i] for i in middle] == ["pelvis", "thorax", "upper_neck", "head_top", "nose"]
    assert all(FLIP_ORDER[i] == i for i in middle)


def test_every_side_has_a_colour_of_its_own_hue_and_lightness() -> None:
    left, right, middle = (COLOURS_RGB[which] for which in ("left", "right", "middle"))
    assert left[0] > left[1] > left[2]  # warm
    assert right[2] > right[1] > right[0]  # cool
    assert luminance(middle) > 2 * max(luminance(left), luminance(right))
