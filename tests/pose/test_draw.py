"""What a drawn pose looks like, told by its pixels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hpe.errors import HpeError, UnsupportedImage
from hpe.pose.draw import DrawStyle, draw_pose, drawing_order, drawn_stature, limb_side
from hpe.pose.result import Pose
from hpe.pose.skeleton import COLOURS_RGB, FLIP_ORDER, INDEX, JOINTS, KEYPOINTS, LIMBS, NUM_JOINTS
from hpe.pose.stature import stature

Image = NDArray[np.uint8]

# A person seen from the front, 1 tall, arms and legs apart so that no limb crosses another.
FIGURE = {
    "head_top": (0.0, 0.0),
    "upper_neck": (0.0, 0.14),
    "thorax": (0.0, 0.2),
    "pelvis": (0.0, 0.5),
    "right_shoulder": (-0.12, 0.2),
    "right_elbow": (-0.26, 0.32),
    "right_wrist": (-0.36, 0.43),
    "left_shoulder": (0.12, 0.2),
    "left_elbow": (0.26, 0.31),
    "left_wrist": (0.37, 0.4),
    "right_hip": (-0.07, 0.5),
    "right_knee": (-0.14, 0.74),
    "right_ankle": (-0.18, 0.98),
    "left_hip": (0.07, 0.5),
    "left_knee": (0.15, 0.74),
    "left_ankle": (0.2, 0.97),
}
MIDDLE_GREY = 118


def person(height_px: float, centre_x: float, top_y: float, sure: float = 0.9) -> Pose:
    """The figure above as a Pose, `height_px` tall, with its head's top at (centre_x, top_y)."""
    unit = np.array([FIGURE[name] for name in JOINTS])
    points = (unit * height_px + (centre_x, top_y)).astype(np.float32)
    scores = np.full(NUM_JOINTS, sure, dtype=np.float32)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    return Pose(points, scores, box.astype(np.float32), sure, 0.3)


def without(pose: Pose, *names: str) -> Pose:
    """The same pose with those joints unsure."""
    scores = pose.scores.copy()
    scores[[INDEX[name] for name in names]] = 0.1
    return replace(pose, scores=scores)


def plain(height: int, width: int, value: int = MIDDLE_GREY) -> Image:
    return np.full((height, width, 3), value, dtype=np.uint8)


def pixel(image: Image, xy: NDArray[np.floating]) -> NDArray[np.int64]:
    x, y = np.rint(xy).astype(int)
    return image[y, x].astype(np.int64)


def luminance(rgb: NDArray[np.integer]) -> NDArray[np.float64]:
    """(..., 3) sRGB 0..255 -> (...,) relative luminance (WCAG 2), 0..1."""
    c = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722))


def contrast(a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.float64]:
    """WCAG 2 contrast ratio, 1..21."""
    one, other = luminance(a), luminance(b)
    return (np.maximum(one, other) + 0.05) / (np.minimum(one, other) + 0.05)


def across(image: Image, pose: Pose, limb: tuple[int, int], reach_px: int = 14) -> Image:
    """(N, 3): the pixels on a line straight across a limb's middle, from inside to outside and past the edge."""
    a, b = pose.points[limb[0]], pose.points[limb[1]]
    normal = np.array([-(b - a)[1], (b - a)[0]]) / np.linalg.norm(b - a)
    return np.array([pixel(image, (a + b) / 2 + normal * step) for step in range(reach_px)])


@pytest.mark.parametrize("ground", [0, MIDDLE_GREY, 255])
def test_the_middle_of_each_limb_has_its_sides_colour(ground: int) -> None:
    pose = person(700, 400, 60)
    # Near the pelvis the dots are close: ask of the limbs alone.
    drawn = draw_pose(plain(800, 800, ground), [pose], DrawStyle(joints=False))
    for limb in LIMBS:
        middle = pixel(drawn, (pose.points[limb[0]] + pose.points[limb[1]]) / 2)
        # a tenth of the picture shines through
        assert abs(middle - COLOURS_RGB[limb_side(limb)]).max() <= 26, [JOINTS[j] for j in limb]


def test_left_and_right_limbs_take_the_persons_own_sides() -> None:
    pose = person(700, 400, 60)
    drawn = draw_pose(plain(800, 800), [pose])
    for which in ("left", "right"):
        thigh = (pose.points[INDEX[f"{which}_knee"]] + pose.points[INDEX[f"{which}_hip"]]) / 2
        nearest = min(COLOURS_RGB, key=lambda name: np.abs(pixel(drawn, thigh) - COLOURS_RGB[name]).sum())
        assert nearest == which


def test_unjoined_joints_have_nothing_between_them() -> None:
    pose = person(700, 400, 60)
    drawn = draw_pose(plain(800, 800), [pose])
    for a, b in (("right_wrist", "right_hip"), ("left_knee", "right_knee"), ("head_top", "left_shoulder")):
        between = (pose.points[INDEX[a]] + pose.points[INDEX[b]]) / 2
        assert pixel(drawn, between).tolist() == [MIDDLE_GREY] * 3


def test_a_mirrored_picture_gets_the_mirrored_drawing_with_the_sides_swapped() -> None:
    pose = person(500, 300.0, 40)
    mirrored_points = pose.points[list(FLIP_ORDER[:NUM_JOINTS])].copy()
    mirrored_points[:, 0] = 599 - mirrored_points[:, 0]
    drawn = draw_pose(plain(600, 600), [pose]).astype(int)
    mirrored = draw_pose(plain(600, 600), [replace(pose, points=mirrored_points)])[:, ::-1].astype(int)
    left, right = (np.abs(drawn - COLOURS_RGB[which]).sum(axis=2) < 60 for which in ("left", "right"))
    mirrored_left, mirrored_right = (
        np.abs(mirrored - COLOURS_RGB[which]).sum(axis=2) < 60 for which in ("left", "right")
    )
    assert left.sum() > 3000
    assert right.sum() > 3000
    # The rasteriser itself is not symmetric to the last edge pixel.
    for one, other in ((left, mirrored_right), (right, mirrored_left)):
        assert (one & other).sum() / (one | other).sum() > 0.97


def test_unsure_joints_and_their_limbs_are_not_drawn() -> None:
    pose = person(700, 400, 60)
    ground = plain(800, 800)
    whole, partly = draw_pose(ground, [pose]), draw_pose(ground, [without(pose, "left_elbow")])
    elbow, wrist, shoulder = (pose.points[INDEX[f"left_{part}"]] for part in ("elbow", "wrist", "shoulder"))
    for gone in (elbow, (elbow + wrist) / 2, (elbow + shoulder) / 2):
        assert pixel(whole, gone).tolist() != [MIDDLE_GREY] * 3
        assert pixel(partly, gone).tolist() == [MIDDLE_GREY] * 3
    assert pixel(partly, wrist).tolist() != [MIDDLE_GREY] * 3  # the wrist itself is sure: its dot stays


def test_nobody_leaves_the_picture_as_it_is() -> None:
    ground = plain(50, 60)
    drawn = draw_pose(ground, [])
    np.testing.assert_array_equal(drawn, ground)
    assert drawn is not ground
    assert not np.shares_memory(drawn, ground)


def test_someone_with_no_sure_joint_is_not_drawn() -> None:
    ground = plain(300, 300)
    np.testing.assert_array_equal(draw_pose(ground, [person(250, 150, 20, sure=0.2)]), ground)


def test_the_input_is_left_untouched_even_when_read_only_or_strided() -> None:
    wide = np.random.default_rng(0).integers(0, 256, (300, 600, 3)).astype(np.uint8)
    strided = wide[:, ::-2]
    strided.setflags(write=False)
    before, pose = strided.copy(), person(250, 150, 20)
    points = pose.points.copy()
    drawn = draw_pose(strided, [pose])
    np.testing.assert_array_equal(strided, before)
    np.testing.assert_array_equal(pose.points, points)
    assert drawn.shape == strided.shape
    assert drawn.dtype == np.uint8
    assert drawn.flags.c_contiguous
    np.testing.assert_array_equal(drawn, draw_pose(before, [pose]))


def test_a_larger_drawing_shrunk_is_the_smaller_drawing() -> None:
    small = draw_pose(plain(400, 400), [person(300, 200, 50)])
    large = draw_pose(plain(1600, 1600), [person(300, 200, 50).scaled(4, 4)])
    shrunk = cv2.resize(large, (400, 400), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small).mean() < 0.5
    moved = np.roll(small, 1, axis=1)  # the measure is fine enough to see a shift of one pixel
    assert np.abs(shrunk.astype(int) - moved).mean() > 1.0


def test_strokes_follow_the_person_and_not_the_picture() -> None:
    def width_of_thigh(height_px: float) -> int:
        pose = person(height_px, 1000, 50)
        drawn = draw_pose(plain(2000, 2000), [pose], DrawStyle(joints=False, outline=0))
        line = across(drawn, pose, (INDEX["left_knee"], INDEX["left_hip"]), 60)
        return int((np.abs(line - MIDDLE_GREY).max(axis=1) > 20).sum())

    assert 2.5 < width_of_thigh(1200) / width_of_thigh(400) < 3.5


def test_a_person_of_forty_pixels_is_thin_but_seen_in_a_small_and_in_a_large_picture() -> None:
    for size in (60, 4000):
        pose = person(40, size / 2, size / 2 - 20)
        drawn = draw_pose(plain(size, size), [pose])
        x0, y0, x1, y1 = np.rint(pose.box).astype(int)
        inside = drawn[y0 - 3 : y1 + 4, x0 - 3 : x1 + 4]
        share = (np.abs(inside.astype(int) - MIDDLE_GREY).max(axis=2) > 20).mean()
        assert 0.1 < share < 0.4  # neither a hair nor a blob
        for which in ("left", "right"):
            near = np.abs(inside.astype(int) - COLOURS_RGB[which]).sum(axis=2) < 120
            assert near.sum() >= 10


def test_one_misplaced_joint_does_not_blow_up_the_strokes() -> None:
    pose = person(300, 500, 100)
    points = pose.points.copy()
    points[INDEX["left_wrist"]] = (990, 990)
    sure = pose.confident
    assert stature(points, sure) == pytest.approx(stature(pose.points, sure), rel=0.1)


def test_a_person_cut_off_at_the_waist_gets_the_strokes_of_the_whole() -> None:
    pose = person(500, 300, 50)
    legs = ("knee", "ankle")
    half = without(pose, *(f"{which}_{part}" for which in ("left", "right") for part in legs))
    whole, cut = stature(pose.points, pose.confident), stature(half.points, half.confident)
    assert whole == pytest.approx(500, rel=0.1)
    assert cut == pytest.approx(whole, rel=0.15)


def test_stature_is_unknown_without_a_limb_and_strokes_then_suit_the_picture() -> None:
    lone = without(person(500, 300, 50), *(name for name in JOINTS if name != "head_top"))
    assert stature(lone.points, lone.confident) is None
    assert drawn_stature(lone.points, lone.confident, 600, 800) == pytest.approx(0.12 * 1000)
    drawn = draw_pose(plain(800, 600), [lone])
    assert 20 < (drawn != MIDDLE_GREY).any(axis=2).sum() < 1000


@pytest.mark.parametrize("ground", [0, 51, 102, 150, 204, 255])
def test_every_stroke_carries_its_own_contrast_whatever_the_ground(ground: int) -> None:
    pose = person(700, 400, 60)
    drawn = draw_pose(plain(800, 800, ground), [pose], DrawStyle(joints=False))
    for limb in LIMBS:
        bright = luminance(across(drawn, pose, limb))
        # WCAG 2's ratio for graphics; measured over all greys, the least is 3.57, on 150
        assert (bright.max() + 0.05) / (bright.min() + 0.05) >= 3.5


def test_the_dark_edge_parts_strokes_from_a_ground_of_their_own_colour() -> None:
    pose = person(700, 400, 60)
    for which, colour in COLOURS_RGB.items():
        ground = np.tile(np.array(colour, dtype=np.uint8), (800, 800, 1))
        drawn = draw_pose(ground, [pose], DrawStyle(joints=False))
        for limb in LIMBS:
            if limb_side(limb) == which:
                assert contrast(across(drawn, pose, limb), np.array(colour)).max() >= 3


def test_dots_have_a_light_rim_round_their_sides_colour() -> None:
    pose = person(900, 500, 50)
    drawn = draw_pose(plain(1000, 1000), [pose])
    knee = pose.points[INDEX["left_knee"]]
    assert np.abs(pixel(drawn, knee) - COLOURS_RGB["left"]).max() <= 26
    # sideways, off the limb: from the core through the rim and the dark edge to the ground
    line = np.array([pixel(drawn, knee + np.array([step, 0])) for step in range(30)])
    lightest, darkest = luminance(line).argmax(), luminance(line).argmin()
    assert line[lightest].min() >= 225
    assert line[darkest].max() <= 70
    assert 0 < lightest < darkest
    assert line[-1].tolist() == [MIDDLE_GREY] * 3


def test_style_can_leave_out_dots_and_edges_and_widen_strokes() -> None:
    pose, ground = person(700, 400, 60), plain(800, 800)

    def covered(style: DrawStyle) -> int:
        return int((np.abs(draw_pose(ground, [pose], style).astype(int) - ground).max(axis=2) > 20).sum())

    bare = DrawStyle(joints=False, outline=0.0)
    assert covered(bare) < covered(replace(bare, outline=0.6)) < covered(DrawStyle())
    assert covered(replace(bare, stroke=2.0)) == pytest.approx(2 * covered(bare), rel=0.1)
    assert covered(DrawStyle(opacity=0.0, outline=0.0)) == 0


def test_the_photo_shines_through_a_little() -> None:
    pose = person(700, 400, 60)
    thigh = (pose.points[INDEX["left_knee"]] + pose.points[INDEX["left_hip"]]) / 2
    on_black, on_white = (pixel(draw_pose(plain(800, 800, v), [pose]), thigh) for v in (0, 255))
    assert ((on_white - on_black) > 3).all()
    assert ((on_white - on_black) < 30).all()


def test_the_surer_arm_lies_on_top_where_arms_cross() -> None:
    pose = person(700, 400, 60)
    points = pose.points.copy()
    for which, x in (("left", 360), ("right", 440)):  # both forearms through (400, 400)
        points[INDEX[f"{which}_elbow"]], points[INDEX[f"{which}_wrist"]] = (800 - x, 360), (x, 440)
    arms = {which: [INDEX[f"{which}_{part}"] for part in ("shoulder", "elbow", "wrist")] for which in ("left", "right")}
    trunkless = without(replace(pose, points=points), "pelvis", "thorax")
    for on_top, below in (("left", "right"), ("right", "left")):
        scores = trunkless.scores.copy()
        scores[arms[below]] = 0.5
        drawn = draw_pose(plain(800, 800), [replace(trunkless, scores=scores)])
        assert np.abs(pixel(drawn, np.array([400, 400])) - COLOURS_RGB[on_top]).max() <= 26


def test_drawing_order_has_each_limb_once_with_the_trunk_lowest() -> None:
    order = drawing_order(np.linspace(0, 1, NUM_JOINTS))
    assert sorted(i for group in order for i in group) == list(range(len(LIMBS)))
    assert {JOINTS[LIMBS[i][1]] for i in order[0]} <= {"pelvis", "thorax", "left_shoulder", "right_shoulder"}


def test_the_larger_of_two_people_lies_on_top_whatever_their_order() -> None:
    near, far = person(700, 400, 60), person(300, 400, 200)
    ground = plain(800, 800)
    both = draw_pose(ground, [near, far])
    np.testing.assert_array_equal(both, draw_pose(ground, [far, near]))
    np.testing.assert_array_equal(both, draw_pose(draw_pose(ground, [far]), [near]))


def test_only_the_surroundings_of_the_person_change() -> None:
    ground = np.random.default_rng(1).integers(0, 256, (600, 900, 3)).astype(np.uint8)
    pose = person(200, 450, 200)
    changed = (draw_pose(ground, [pose]) != ground).any(axis=2)
    ys, xs = np.nonzero(changed)
    x0, y0, x1, y1 = pose.box
    assert xs.min() > x0 - 12
    assert xs.max() < x1 + 12
    assert ys.min() > y0 - 12
    assert ys.max() < y1 + 12


@pytest.mark.parametrize("shift", [(-250, 0), (250, 0), (0, -300), (0, 300), (-150, 250)])
def test_someone_half_outside_is_cut_at_the_edge(shift: tuple[int, int]) -> None:
    pose = person(300, 200, 50)
    # The same on a picture with a wide margin, then cut: nothing else may differ.
    moved = replace(pose, points=pose.points + np.array(shift, dtype=np.float32))
    drawn = draw_pose(plain(400, 400), [moved])
    points = moved.points + np.array([400, 400], dtype=np.float32)
    # The picture's own diagonal bounds the strokes, so give both the same by keeping the person in bounds.
    wide = draw_pose(plain(1200, 1200), [replace(moved, points=points)], DrawStyle())[400:800, 400:800]
    assert (np.abs(drawn.astype(int) - wide).max(axis=2) > 12).mean() < 0.001
    assert (drawn != MIDDLE_GREY).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e30, 3e9])
def test_impossible_coordinates_are_left_out_like_unsure_joints(bad: float) -> None:
    pose, ground = person(250, 150, 20), plain(300, 300)
    points = pose.points.copy()
    points[INDEX["left_knee"], 0] = bad
    drawn = draw_pose(ground, [replace(pose, points=points)])
    np.testing.assert_array_equal(drawn, draw_pose(ground, [without(pose, "left_knee")]))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), min_size=32, max_size=32),
    st.lists(st.floats(0, 1, width=32) | st.just(float("nan")), min_size=16, max_size=16),
    st.integers(1, 40),
    st.integers(1, 40),
)
def test_no_numbers_break_the_drawing(points: list[float], scores: list[float], height: int, width: int) -> None:
    xy = np.array(points, dtype=np.float32).reshape(16, 2)
    pose = Pose(xy, np.array(scores, dtype=np.float32), np.zeros(4, dtype=np.float32), 0.5, 0.3)
    assert draw_pose(plain(height, width), [pose]).shape == (height, width, 3)


def test_all_joints_in_one_point_make_one_dot() -> None:
    pose = person(300, 200, 50)
    drawn = draw_pose(plain(400, 400), [replace(pose, points=np.full((16, 2), 200, dtype=np.float32))])
    ys, xs = np.nonzero((drawn != MIDDLE_GREY).any(axis=2))
    assert len(xs) > 0
    assert max(np.ptp(xs), np.ptp(ys)) < 40


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((20, 20), dtype=np.uint8),
        np.zeros((20, 20, 1), dtype=np.uint8),
        np.zeros((20, 20, 4), dtype=np.uint8),
        np.zeros((20, 20, 3), dtype=np.float32),
        np.zeros((0, 20, 3), dtype=np.uint8),
        [[0, 0, 0]],
        None,
    ],
    ids=["grey", "one channel", "alpha", "float", "empty", "list", "none"],
)
def test_anything_but_rgb_is_refused_with_the_remedy(image: object) -> None:
    with pytest.raises(UnsupportedImage, match=r"pass .*\(H, W, 3\) uint8 RGB") as error:
        draw_pose(image, [])  # type: ignore[arg-type]
    assert isinstance(error.value, HpeError)


FACE = {
    "nose": (0.0, 0.08),
    "left_eye": (0.02, 0.06),
    "right_eye": (-0.02, 0.06),
    **dict.fromkeys(KEYPOINTS[-2:], (0.0, 0.07)),
}


def with_face(pose: Pose, height_px: float) -> Pose:
    """The figure with the five points of the face as well."""
    top = pose.points[INDEX["head_top"]]
    face = np.array([FACE[name] for name in KEYPOINTS[NUM_JOINTS:]]) * height_px + top
    scores = np.full(len(KEYPOINTS), pose.score, np.float32)
    return replace(pose, points=np.concatenate([pose.points, face]).astype(np.float32), scores=scores)


def test_eyes_are_small_dots_on_a_large_face_and_nothing_on_a_small_one() -> None:
    for height_px, changed in ((600, True), (120, False)):
        image, pose = plain(700, 500), person(height_px, 250, 40)
        both = draw_pose(image, [pose]), draw_pose(image, [with_face(pose, height_px)])
        differ = (both[0] != both[1]).any(axis=2)
        assert differ.any() == changed
        if changed:
            ys, xs = np.nonzero(differ)
            x, y = np.array(FACE["left_eye"]) * height_px + (250, 40)
            assert differ[round(y), round(x)]
            assert (xs.max() - xs.min(), ys.max() - ys.min()) < (0.07 * height_px, 0.07 * height_px)
