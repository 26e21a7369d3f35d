"""Locating, cropping, suppressing, thresholds, flips and input kinds, with networks whose answers are known."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from engine.stand_ins import CARD, HEIGHT, WIDTH, BoxSession, DotSession, box_of, estimator_of, person, scene
from PIL import Image

from hpe import PoseEstimator
from hpe.engine.card import Calibration, CoarseLook, FineLook, PersonCalibration
from hpe.engine.detector import together
from hpe.engine.networks import compose
from hpe.engine.pose_network import BATCH
from hpe.engine.scores import person_score, sizes_in
from hpe.errors import BadModel, BadRequest, BadSettings, UnsupportedImage
from hpe.pose.skeleton import INDEX, JOINTS

SIZE = (400, 300)
ONE = person(150, 90, 40)
IMAGE = scene(*SIZE, [ONE], 8)


@pytest.fixture
def estimator() -> PoseEstimator:
    return estimator_of([ONE], SIZE)


def crowd(count: int) -> list[np.ndarray]:
    return [person(30 + 150 * (n % 5), 40 + 180 * (n // 5), 26) for n in range(count)]


# --- who is found, and where


def test_joints_and_box_are_in_image_pixels(estimator: PoseEstimator) -> None:
    (pose,) = estimator(IMAGE)
    assert np.abs(pose.points - ONE).max() < 1.5
    assert pose.confident.all()
    assert np.allclose(pose.box, box_of(ONE), atol=1.5)


def test_a_large_picture_is_analysed_smaller_and_answered_in_its_own_pixels() -> None:
    session, whole = DotSession(), 8 * ONE
    estimator, picture = estimator_of([ONE], SIZE, session), scene(3200, 2400, [whole], 64)
    for poses in (estimator(picture), estimator(picture, boxes=[box_of(whole, 80)])):
        (pose,) = poses
        assert np.abs(pose.points - whole).max() < 12
        assert np.allclose(pose.box, box_of(whole, 80), atol=12)
    half = cv2.resize(picture, (1600, 1200), interpolation=cv2.INTER_AREA)
    assert [2 * pose.points for pose in estimator(half)] == [
        pytest.approx(pose.points, abs=2) for pose in estimator(picture)
    ]


@pytest.mark.parametrize("count", [2, 5, 20])
def test_everybody_is_found_best_first(count: int) -> None:
    people = crowd(count)
    poses = estimator_of(people, (800, 760))(scene(800, 760, people, 5))
    assert len(poses) == count
    assert [pose.score for pose in poses] == sorted((pose.score for pose in poses), reverse=True)
    for points in people:
        assert min(np.abs(pose.points - points).max() for pose in poses) < 2


def test_at_most_as_many_as_asked_for_are_found() -> None:
    people = crowd(5)
    estimator = estimator_of(people, (800, 760), max_people=4)
    image = scene(800, 760, people, 5)
    assert len(estimator(image)) == 4
    assert len(estimator(image, max_people=2)) == 2
    assert len(estimator(image, max_people=20)) == 5


@pytest.mark.parametrize("count", [0, 21, -1, 2.5, "3", True, None])
def test_a_number_of_people_that_cannot_be_is_refused(count: object) -> None:
    if count is not None:
        with pytest.raises(BadSettings, match=r"max_people=.*from 1 to 20"):
            estimator_of([ONE], SIZE)(IMAGE, max_people=count)  # type: ignore[arg-type]
    with pytest.raises(BadSettings, match=r"max_people=.*from 1 to 20"):
        estimator_of([ONE], SIZE, max_people=count)


def test_crops_go_through_the_network_in_batches() -> None:
    people, session = crowd(10), DotSession()
    estimator_of(people, (800, 760), session)(scene(800, 760, people, 5))
    assert [batch.shape for batch in session.batches] == [
        (count, HEIGHT, WIDTH, 3) for count in (BATCH, BATCH, 10 - 2 * BATCH)
    ]


def test_a_picture_without_people_costs_one_small_inference() -> None:
    session = DotSession()
    assert estimator_of([], SIZE, session)(np.full((300, 400, 3), 80, np.uint8)) == []
    assert session.batches == []


@pytest.mark.parametrize(
    ("size", "frame"),
    [((400, 300), (320, 416)), ((300, 400), (416, 320)), ((2000, 500), (128, 416)), ((9, 9), (32, 32))],
)
def test_the_locator_sees_the_whole_picture_never_squashed(size: tuple[int, int], frame: tuple[int, int]) -> None:
    locator = BoxSession(np.zeros((0, 4)))
    PoseEstimator(compose(locator, DotSession(), CARD))(np.zeros((*size[::-1], 3), np.uint8))
    assert locator.frames == [frame]


COARSE = dataclasses.replace(CARD, locate=dataclasses.replace(CARD.locate, coarse=CoarseLook(50_176, 60, 0.5)))


@pytest.mark.parametrize(("side", "looks"), [(59, 2), (62, 1)])
def test_a_picture_is_looked_at_again_where_somebody_is_small(side: int, looks: int) -> None:
    coarse, fine = (
        np.array([[10, 10, 30, 10 + side]]),
        np.array([[20, 20, 40, 120], [60, 20, 80, 120], [90, 9, 120, 99]]),
    )
    locator = BoxSession(coarse, {416: fine})
    estimator = PoseEstimator(compose(locator, DotSession(), COARSE))
    boxes, scores = estimator.detector(np.zeros((600, 800, 3), np.uint8))
    assert locator.frames == [(192, 256), (320, 416)][:looks]
    scale = 800 / 256 if looks == 1 else 800 / 416
    seen = coarse if looks == 1 else fine
    np.testing.assert_allclose(np.sort(boxes, axis=0), np.sort((seen + 0.5) * scale - 0.5, axis=0), atol=4)
    assert len(estimator.detector(np.zeros((600, 800, 3), np.uint8), 1)[0]) == 1
    assert (np.diff(scores) <= 0).all()


def test_small_people_who_are_unsure_or_cannot_be_shown_larger_need_no_second_look() -> None:
    small = np.array([[10.0, 10.0, 30.0, 50.0]])
    for size, score in (((240, 180), 0.5), ((800, 600), 1.0)):
        locate = dataclasses.replace(COARSE.locate, coarse=CoarseLook(50_176, 60, score))
        locator = BoxSession(small)
        estimator = PoseEstimator(compose(locator, DotSession(), dataclasses.replace(COARSE, locate=locate)))
        assert len(estimator.detector(np.zeros((*size[::-1], 3), np.uint8))[0]) == 1
        assert len(locator.frames) == 1


@pytest.mark.parametrize(
    ("picture", "longer", "frame"),
    [
        ((3000, 4000), 30, (544, 704)),  # 80 px in a frame of 683
        ((3000, 4000), 20, (576, 768)),
        ((3000, 4000), 58, (320, 416)),
        ((360, 480), 20, (384, 480)),
    ],
)
def test_the_second_look_is_as_large_as_the_smallest_person_needs(
    picture: tuple[int, int], longer: int, frame: tuple[int, int]
) -> None:
    people = np.array([[10.0, 10.0, 30.0, 10 + longer], [60.0, 10.0, 120.0, 150.0]])
    locator = BoxSession(people)
    locate = dataclasses.replace(COARSE.locate, fine=FineLook(80, 768))
    PoseEstimator(compose(locator, DotSession(), dataclasses.replace(COARSE, locate=locate))).detector(
        np.zeros((*picture, 3), np.uint8)
    )
    assert locator.frames == [(192, 256), frame]


def test_nobody_is_looked_for_where_the_best_box_is_unlikely() -> None:
    boxes = np.array([[10.0, 10.0, 60.0, 150.0], [90.0, 10.0, 140.0, 150.0]])
    picture = np.zeros((300, 400, 3), np.uint8)
    first = PoseEstimator(compose(BoxSession(boxes), DotSession(), CARD)).detector(picture)[1].max()
    for least, found in ((first - 0.01, 2), (first + 0.01, 0)):
        card = dataclasses.replace(CARD, locate=dataclasses.replace(CARD.locate, photo_threshold=float(least)))
        estimator = PoseEstimator(compose(BoxSession(boxes), DotSession(), card))
        boxes_of, scores = estimator.detector(picture)
        assert (boxes_of.shape, scores.shape) == ((found, 4), (found,))


def test_a_person_whom_both_looks_see_has_the_mean_of_both_logits() -> None:
    first, second, third = ([10.0, 10, 50, 90], [60.0, 10, 90, 90], [200.0, 10, 230, 90])
    fine = np.array([first, second]), np.array([0.9, 0.8])
    coarse = np.array([third, [12.0, 10, 50, 88]]), np.array([0.7, 0.5])
    boxes, scores = together(fine, coarse)
    assert boxes.tolist() == [second, first]  # the second look's boxes alone, best first
    np.testing.assert_allclose(scores, [0.8, 0.75])  # logits of log(9) and 0: log(3)
    nothing = np.zeros((0, 4)), np.zeros(0)
    assert together(nothing, coarse)[0].shape == (0, 4)
    np.testing.assert_array_equal(together(fine, nothing)[1], fine[1])


def test_of_two_poses_on_one_person_the_better_stays() -> None:
    # two boxes that overlap by half: both crops show the same dots
    boxes = np.array([box_of(ONE), box_of(ONE) + np.array([70, 0, 0, 0])])
    locator = BoxSession((boxes + 0.5) * 416 / 400 - 0.5)
    estimator = PoseEstimator(compose(locator, DotSession(), CARD))
    assert len(estimator.detector(IMAGE)[0]) == 2
    (pose,) = estimator(IMAGE)
    assert np.allclose(pose.box, boxes[0], atol=1.5)


def test_a_person_below_the_person_threshold_is_nobody() -> None:
    locator = BoxSession(box_of(ONE)[None])
    low, high = (PoseEstimator(compose(locator, DotSession(peak), CARD))(IMAGE) for peak in (0.05, 0.2))
    assert low == []
    assert len(high) == 1


def test_less_sure_people_count_beside_a_sure_one_and_nobody_does_without() -> None:
    people = crowd(5)
    estimator, image = estimator_of(people, (800, 760)), scene(800, 760, people, 5)
    best, second = (pose.score for pose in estimator(image)[:2])
    assert best > second
    assert len(PoseEstimator(estimator.networks.with_card(photo_threshold=(best + second) / 2))(image)) == 5
    assert PoseEstimator(estimator.networks.with_card(photo_threshold=(best + 1) / 2))(image) == []


def test_without_a_locator_the_one_person_is_the_photos_best() -> None:
    (pose,) = PoseEstimator(compose(None, DotSession(0.5), dataclasses.replace(CARD, locate=None)))(IMAGE)
    stern = dataclasses.replace(CARD, locate=None, photo_threshold=(pose.score + 1) / 2)
    assert PoseEstimator(compose(None, DotSession(0.5), stern))(IMAGE) == []


def test_the_score_is_surer_the_better_the_joints_and_the_locator() -> None:
    joints = np.linspace(0.1, 0.9, 16)
    assert person_score(0.9, joints) > person_score(0.9, joints - 0.1) > person_score(0.5, joints - 0.1) > 0
    assert 0 <= person_score(None, np.zeros(16)) < person_score(None, joints) <= 1


def test_a_given_box_counts_as_one_that_the_locator_is_sure_of() -> None:
    weights = PersonCalibration(0.9, 0.5, -0.4, limbs=(0.1, 0.1, 0.2, 0.3), size=0.3)
    joints = np.linspace(0.1, 0.9, 16)
    assert person_score(None, joints, weights, 0.2) == person_score(0.9, joints, weights, 0.2)
    calibrated = PoseEstimator(
        compose(BoxSession(np.zeros((0, 4))), DotSession(), dataclasses.replace(CARD, person=weights))
    )
    poses = calibrated(IMAGE, boxes=[box_of(ONE), (0, 0, 45, 30)])
    for pose, size in zip(poses, sizes_in(np.array([pose.box for pose in poses]), IMAGE.shape), strict=True):
        assert pose.score == pytest.approx(person_score(0.9, pose.scores, weights, float(size)), abs=1e-6)
    assert poses[0].score > poses[1].score


def test_calibrations_turn_values_into_scores() -> None:
    people = [ONE]
    locate = dataclasses.replace(CARD.locate, calibration=Calibration(4.0, -3.0))
    card = dataclasses.replace(CARD, calibration=Calibration(10.0, -5.0), locate=locate)
    locator = BoxSession(box_of(ONE)[None])
    estimator = PoseEstimator(compose(locator, DotSession(), card))
    _, located = estimator.detector(IMAGE)
    assert located[0] == pytest.approx(1 / (1 + np.exp(-1)), abs=0.02)
    (pose,) = estimator(scene(*SIZE, people, 8))
    assert pose.scores == pytest.approx(np.full(16, 1 / (1 + np.exp(-4))), abs=0.03)


# --- joints


def test_a_joint_outside_the_picture_is_never_confident() -> None:
    class LowCorner(DotSession):
        def heatmaps(self, picture: np.ndarray) -> np.ndarray:
            maps = np.zeros((16, HEIGHT // 4, WIDTH // 4), np.float32)
            maps[:, 20, 12] = 0.9
            maps[INDEX["left_ankle"]] = 0
            maps[INDEX["left_ankle"], -2, 12] = 0.9
            return maps

    # the crop's margin reaches below the picture's edge
    estimator = PoseEstimator(compose(None, LowCorner(), dataclasses.replace(CARD, locate=None)))
    (pose,) = estimator(IMAGE, boxes=[[100, 100, 200, 299.5]], threshold=0.0)
    outside = INDEX["left_ankle"]
    assert pose.points[outside, 1] > 300
    assert pose.scores[outside] == 0
    assert not pose.confident[outside]
    assert pose.confident.sum() == 15


def test_threshold_marks_joints_unsure_but_keeps_them(estimator: PoseEstimator) -> None:
    (pose,) = estimator(IMAGE, threshold=0.99)
    assert not pose.confident.any()
    assert pose.points.shape == (16, 2)
    (pose,) = estimator(IMAGE)
    assert pose.confident.all()


@pytest.mark.parametrize("threshold", [30, -0.1, float("nan")])
def test_a_threshold_that_is_not_a_score_is_refused(estimator: PoseEstimator, threshold: float) -> None:
    with pytest.raises(BadSettings, match="from 0 to 1"):
        estimator(IMAGE, threshold=threshold)
    with pytest.raises(BadSettings, match="from 0 to 1"):
        estimator_of([ONE], SIZE, threshold=threshold)


def test_a_missing_joint_is_unsure(estimator: PoseEstimator) -> None:
    image = IMAGE.copy()
    x, y = (int(v) for v in ONE[INDEX["left_wrist"]])
    image[y - 9 : y + 10, x - 9 : x + 10] = (10, 20, 30)
    (pose,) = estimator(image)
    assert [name for name, sure in zip(JOINTS, pose.confident, strict=True) if not sure] == ["left_wrist"]


def test_flip_runs_the_mirrored_picture_too() -> None:
    session = DotSession()
    estimator_of([ONE], SIZE, session)(IMAGE, flip=True)
    seen, mirrored = session.batches
    assert np.array_equal(seen[0], mirrored[0][:, ::-1])


# --- boxes given by the caller


def test_given_boxes_skip_the_locator_and_keep_their_order() -> None:
    people = crowd(6)
    locator = BoxSession(np.zeros((0, 4)))
    estimator = PoseEstimator(compose(locator, DotSession(), CARD))
    boxes = [box_of(points) for points in reversed(people)]
    poses = estimator(scene(800, 760, people, 5), boxes=boxes)
    assert locator.frames == []
    for pose, points, box in zip(poses, reversed(people), boxes, strict=True):
        assert np.abs(pose.points - points).max() < 2
        assert np.array_equal(pose.box, box.astype(np.float32))


def test_a_given_box_has_its_pose_even_if_nobody_is_in_it(estimator: PoseEstimator) -> None:
    (pose,) = estimator(np.full((300, 400, 3), 80, np.uint8), boxes=[[0, 0, 50, 50]])
    assert pose.score < 0.01
    assert not pose.confident.any()
    assert estimator(IMAGE, boxes=np.zeros((0, 4))) == []


@pytest.mark.parametrize(
    ("boxes", "why"),
    [
        ([1, 2, 3, 4], r"boxes of shape \(4,\): give \(K, 4\) numbers"),
        ([[1, 2, 3]], r"boxes of shape \(1, 3\)"),
        ([[1, 2, 3, 4], [5]], "not numbers in rows of four"),
        ("all", "not numbers in rows of four"),
        ([["a", 0, 1, 2]], "not numbers in rows of four"),
        ([[0, 0, float("nan"), 10]], "box 0,0,nan,10 is not finite"),
        ([[0, 0, float("inf"), 10]], "is not finite"),
        ([[10, 10, 10, 20]], "box 10,10,10,20 is not a px wide and high"),
        ([[50, 50, 20, 80]], "x1 and y1 being the far corner, not the size"),
        ([[0, 0, 5, 5], [400, 10, 500, 100]], "box 400,10,500,100 lies outside the photo, which is 400x300 px"),
        ([[-50, 10, -1, 100]], "lies outside the photo"),
        ([[0, 0, 5, 5]] * 21, "21 boxes; the limit is 20"),
    ],
)
def test_boxes_that_cannot_be_are_refused_by_name(estimator: PoseEstimator, boxes: object, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        estimator(IMAGE, boxes=boxes)  # type: ignore[arg-type]


# --- a model without a locator


def test_without_a_locator_the_whole_picture_is_the_one_box() -> None:
    estimator = PoseEstimator(compose(None, DotSession(), dataclasses.replace(CARD, locate=None)))
    (pose,) = estimator(IMAGE)
    assert np.abs(pose.points - ONE).max() < 2.5
    assert np.allclose(pose.box, [150, 90, 270, 210], atol=2.5), "round the confident joints"
    assert estimator(np.full((300, 400, 3), 80, np.uint8)) == []
    boxes, scores = estimator.detector(IMAGE)
    assert boxes.tolist() == [[-0.5, -0.5, 399.5, 299.5]]
    assert scores.tolist() == [1]


def test_a_locator_and_its_card_come_together() -> None:
    with pytest.raises(BadModel, match="a locator comes with a card"):
        PoseEstimator(compose(None, DotSession(), CARD))
    with pytest.raises(BadModel, match="a locator comes with a card"):
        PoseEstimator(compose(BoxSession(np.zeros((0, 4))), DotSession(), dataclasses.replace(CARD, locate=None)))


# --- pictures


def test_array_bytes_path_and_pillow_image_give_the_same_joints(estimator: PoseEstimator, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(IMAGE).save(path)
    expected = estimator(IMAGE)
    for form in (path, str(path), path.read_bytes(), Image.fromarray(IMAGE), Image.open(path)):
        assert estimator(form) == expected


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
        "no/such/file.jpg",
        42,
        None,
    ],
)
def test_what_is_not_an_image_is_refused_by_name(estimator: PoseEstimator, bad: object) -> None:
    with pytest.raises(UnsupportedImage, match=r"expected|path"):
        estimator(bad)  # type: ignore[arg-type]


def test_the_picture_is_left_alone(estimator: PoseEstimator) -> None:
    image = IMAGE.copy()
    estimator(image, flip=True)
    assert np.array_equal(image, IMAGE)
