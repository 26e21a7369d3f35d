"""A photo stored on its side or upside down: how points and boxes come back, and when it is looked at turned."""

import numpy as np
import pytest

from hpe.engine.turned import QUARTERS, boxes_turned_back, likeliest_quarter, turned_back, turned_picture


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
