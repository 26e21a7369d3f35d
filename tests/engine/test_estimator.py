"""Two passes, thresholds, flips and input kinds, with a network whose answer is known."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hpe import PoseEstimator
from hpe.engine import estimator as module
from hpe.engine.manifest import ModelCard
from hpe.errors import BadSettings, UnsupportedImage
from hpe.pose.heatmaps import encode_joints
from hpe.pose.skeleton import INDEX, JOINTS

SIZE = 128
CARD = ModelCard("dots", "dots.onnx", "0" * 64, SIZE, "a fake that reads coloured dots", 0.3, 0.3, 2.0)


class DotSession:
    """Sees joint j where the picture's red channel is 100 + 8 j: an exact stand-in for a trained network.

    Like a real one it knows left from right only by position: on a mirrored picture it must be fed mirrored
    joints, which is what the flip test undoes.
    """

    def __init__(self, peak: float = 0.9, any_size: bool = True) -> None:
        self.peak, self.any_size, self.batches = peak, any_size, []

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(batch)
        return np.stack([self._heatmaps(picture) for picture in batch])

    def _heatmaps(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        points, seen = np.zeros((16, 2), np.float32), np.zeros(16, np.float32)
        for j in range(16):
            # green shows that it is not the mixed edge of a brighter dot, which has this one's red
            ys, xs = np.nonzero((np.abs(picture[..., 0].astype(int) - (100 + 8 * j)) <= 2) & (picture[..., 1] > 198))
            if len(xs):
                points[j], seen[j] = (xs.mean(), ys.mean()), 1
        return encode_joints(points, seen, picture.shape[0], 2.0)[0] * self.peak


def scene(width: int, height: int, points: NDArray[np.floating], dot: int) -> NDArray[np.uint8]:
    image = np.full((height, width, 3), (10, 20, 30), np.uint8)
    for j, (x, y) in enumerate(points):
        image[int(y) - dot : int(y) + dot + 1, int(x) - dot : int(x) + dot + 1] = (100 + 8 * j, 200, 30)
    return image


def person(x: float, y: float, scale: float) -> NDArray[np.float64]:
    grid = np.array([(i % 4, i // 4) for i in range(16)], np.float64)
    return np.array([x, y]) + grid * scale


@pytest.fixture
def estimator(monkeypatch: pytest.MonkeyPatch) -> PoseEstimator:
    monkeypatch.setattr(module, "fetch_model", lambda model, cache: (Path("dots.onnx"), CARD))
    monkeypatch.setattr(module, "Session", lambda path, card, threads: DotSession())
    return PoseEstimator()


def test_joints_are_found_in_image_pixels(estimator: PoseEstimator) -> None:
    points = person(150, 90, 40)
    (pose,) = estimator(scene(400, 300, points, 8))
    assert np.abs(pose.points - points).max() < 1.5
    assert pose.confident.all()
    assert np.allclose(pose.box, [150, 90, 270, 210], atol=1.5)


def test_second_pass_is_finer_on_a_small_person_in_a_corner(estimator: PoseEstimator) -> None:
    points = person(560, 60, 22)
    image = scene(900, 700, points, 6)
    (pose,) = estimator(image)
    assert np.abs(pose.points - points).mean() < np.abs(estimator.glance(image).points - points).mean()
    assert np.abs(pose.points - points).max() < 1.5


@pytest.mark.parametrize("any_size", [True, False])
def test_the_first_pass_is_smaller_where_the_model_takes_any_size(
    estimator: PoseEstimator, any_size: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FIRST_SIZE", 96)
    session = estimator._session = DotSession(any_size=any_size)
    (pose,) = estimator(scene(400, 300, person(120, 60, 50), 8))
    assert [batch.shape[1] for batch in session.batches] == [module.FIRST_SIZE if any_size else SIZE, SIZE]
    assert np.abs(pose.points - person(120, 60, 50)).max() < 2  # half a px of the network


def test_somebody_too_small_for_one_look_is_searched_for(estimator: PoseEstimator) -> None:
    points = person(1500, 900, 44)
    image = scene(1900, 1400, points, 12)
    assert estimator.followed(image, estimator.glance(image)).share(image) < module.SMALL
    (pose,) = estimator(image)
    assert np.abs(pose.points - points).max() < 3


def test_only_the_window_that_is_followed_has_its_crop_worked_out(
    estimator: PoseEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = module.person_box
    monkeypatch.setattr(module, "person_box", lambda heatmaps: asked.append(1) or real(heatmaps))
    image = scene(1900, 1400, person(1500, 900, 44), 12)
    assert estimator(image)
    assert len(estimator._session.batches) == 4  # a glance and nine windows, each with its second look
    assert len(asked) == 2


@pytest.mark.parametrize(("height", "width", "count"), [(900, 900, 9), (400, 900, 3), (900, 300, 3), (1, 1, 9)])
def test_windows_cover_the_picture(height: int, width: int, count: int) -> None:
    boxes = np.array(module.windows(height, width))
    assert len(boxes) == count
    assert boxes[:, :2].min() <= 0
    assert (boxes[:, 2:].max(axis=0) >= (width, height)).all()


@pytest.mark.parametrize("shape", [(300, 400), (400, 300), (120, 900)])
def test_aspect_ratio_is_kept(estimator: PoseEstimator, shape: tuple[int, int]) -> None:
    height, width = shape
    points = person(width / 2 - 15, height / 2 - 15, 14)
    (pose,) = estimator(scene(width, height, points, 5))
    spread = np.ptp(pose.points, axis=0)
    assert abs(spread[0] - spread[1]) < 3


def test_nobody_there_is_an_empty_list(estimator: PoseEstimator) -> None:
    assert estimator(np.full((200, 300, 3), 80, np.uint8)) == []


def test_a_person_below_the_person_threshold_is_nobody(estimator: PoseEstimator) -> None:
    estimator._session = DotSession(peak=0.2)
    assert estimator(scene(400, 300, person(150, 90, 40), 8)) == []


def test_threshold_marks_joints_unsure_but_keeps_them(estimator: PoseEstimator) -> None:
    image = scene(400, 300, person(150, 90, 40), 8)
    (pose,) = estimator(image, threshold=0.99)
    assert not pose.confident.any()
    assert pose.points.shape == (16, 2)
    (pose,) = estimator(image)
    assert pose.confident.all()


@pytest.mark.parametrize("threshold", [30, -0.1, float("nan")])
def test_a_threshold_that_is_no_score_is_refused(estimator: PoseEstimator, threshold: float) -> None:
    with pytest.raises(BadSettings, match="from 0 to 1"):
        estimator(np.full((200, 300, 3), 80, np.uint8), threshold=threshold)
    with pytest.raises(BadSettings, match="from 0 to 1"):
        PoseEstimator(threshold=threshold)


def test_a_missing_joint_is_unsure(estimator: PoseEstimator) -> None:
    points = person(150, 90, 40)
    image = scene(400, 300, points, 8)
    x, y = (int(v) for v in points[INDEX["left_wrist"]])
    image[y - 9 : y + 10, x - 9 : x + 10] = (10, 20, 30)
    (pose,) = estimator(image)
    assert [name for name, sure in zip(JOINTS, pose.confident, strict=True) if not sure] == ["left_wrist"]


def test_flip_runs_both_pictures_in_one_batch(estimator: PoseEstimator) -> None:
    estimator(scene(400, 300, person(150, 90, 40), 8), flip=True)
    sizes = {len(batch) for batch in estimator._session.batches}
    assert sizes == {2}  # a big, sure person needs no search
    first = estimator._session.batches[0]
    assert np.array_equal(first[0], first[1][:, ::-1])


def test_array_bytes_path_and_pillow_image_give_the_same_joints(estimator: PoseEstimator, tmp_path: Path) -> None:
    image = scene(400, 300, person(150, 90, 40), 8)
    path = tmp_path / "a.png"
    Image.fromarray(image).save(path)
    expected = estimator(image)[0].points
    for form in (path, str(path), path.read_bytes(), Image.fromarray(image), Image.open(path)):
        assert np.array_equal(estimator(form)[0].points, expected)


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
def test_what_is_no_image_is_refused_by_name(estimator: PoseEstimator, bad: object) -> None:
    with pytest.raises(UnsupportedImage, match=r"expected|path"):
        estimator(bad)  # type: ignore[arg-type]


def test_the_picture_is_left_alone(estimator: PoseEstimator) -> None:
    image = scene(400, 300, person(150, 90, 40), 8)
    before = image.copy()
    estimator(image, flip=True)
    assert np.array_equal(image, before)
