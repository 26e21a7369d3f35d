"""A photo stored on its side or upside down: how points and boxes come back, and when it is looked at turned."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from hpe.engine.estimator import PoseEstimator
from hpe.engine.turned import QUARTERS, boxes_turned_back, likeliest_quarter, turned_back, turned_picture
from hpe.pose.boxes import box_iou

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("quarter", QUARTERS)
def test_a_pixel_of_the_turned_picture_comes_back_to_where_it_was(quarter: int) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    turned = turned_picture(picture, quarter)
    ys, xs = np.mgrid[: turned.shape[0], : turned.shape[1]]
    back = turned_back(np.stack([xs, ys], axis=-1), quarter, 5, 7).astype(int)
    assert (picture[back[..., 1], back[..., 0]] == turned).all()


@pytest.mark.parametrize("quarter", QUARTERS)
def test_a_box_comes_back_round_the_same_pixels(quarter: int) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10:20, 30:55] = 255
    ys, xs = np.nonzero(turned_picture(picture, quarter)[..., 0])
    box = np.array([[xs.min(), ys.min(), xs.max(), ys.max()]])
    assert boxes_turned_back(box, quarter, 40, 60).tolist() == [[30, 10, 54, 19]]


def test_the_surest_turn_is_taken_if_it_is_sure_enough() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[0] = 200  # the top row; turned by three quarters it is the right column

    def surest(turned: np.ndarray) -> float:
        return float(turned[:, -1].mean()) / 255

    assert likeliest_quarter(picture, surest, 0.5) == 3
    assert likeliest_quarter(picture, surest, 0.9) == 0


@pytest.mark.real
@pytest.mark.parametrize("quarter", QUARTERS)
def test_people_in_a_photo_on_its_side_are_found_in_its_own_pixels(quarter: int) -> None:
    rgb = cv2.cvtColor(cv2.imread(str(ROOT / "static-site" / "samples" / "people.jpg")), cv2.COLOR_BGR2RGB)
    estimator = PoseEstimator(threads=1)
    upright = estimator(rgb)
    found = estimator(turned_picture(rgb, quarter))
    assert len(found) == len(upright) == 3
    for pose in found:
        box = boxes_turned_back(pose.box[None], quarter, *rgb.shape[:2])
        assert box_iou(box, np.stack([one.box for one in upright])).max() > 0.7
