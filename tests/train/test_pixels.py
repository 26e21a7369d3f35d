"""Pictures in one tensor: sampled at any place, and as finely as the product's own crops are."""

import numpy as np
import pytest
import torch
from train.figures import png, scenery

from hpe.pose.crops import crop_affine, warp
from hpe.train.augment.crops import seen
from hpe.train.augment.pixels import LEVELS, Draw, Pixels

CPU = torch.device("cpu")
IMAGE = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def sampled(pixels: Pixels, picture: int, level: int, places: list[tuple[float, float]]) -> np.ndarray:
    """-> (K, 3) at x, y of the whole picture."""
    x, y = torch.tensor(places, dtype=torch.float32).T
    at = torch.tensor([[[picture]]]), torch.tensor([[[level]]])
    return pixels.sample(*at, x[None, None], y[None, None])[0, 0].numpy()


def test_whole_places_are_the_pixels_themselves() -> None:
    pixels = Pixels([png(scenery(1)), png(IMAGE)], CPU)
    places = [(x, y) for y in range(6) for x in range(8)]
    np.testing.assert_array_equal(sampled(pixels, 1, 0, places), IMAGE.reshape(-1, 3))


def test_between_pixels_it_is_bilinear() -> None:
    a, b, c, d = (IMAGE[y, x].astype(float) for y, x in ((3, 2), (3, 3), (4, 2), (4, 3)))
    by_hand = 0.5 * (0.75 * a + 0.25 * b) + 0.5 * (0.75 * c + 0.25 * d)
    np.testing.assert_allclose(sampled(Pixels([png(IMAGE)], CPU), 0, 0, [(2.25, 3.5)])[0], by_hand, atol=1e-3)


def test_outside_the_picture_its_edge_goes_on() -> None:
    out = sampled(Pixels([png(IMAGE)], CPU), 0, 0, [(-5, 2), (7.4, 2), (300, -80)])
    np.testing.assert_array_equal(out, IMAGE[[2, 2, 0], [0, 7, 7]])


def test_a_level_is_the_mean_of_two_by_two_at_the_same_place() -> None:
    out = sampled(Pixels([png(IMAGE)], CPU), 0, 1, [(0.5, 0.5), (4.5, 2.5)])
    means = [IMAGE[:2, :2].mean(axis=(0, 1)), IMAGE[2:4, 4:6].mean(axis=(0, 1))]
    np.testing.assert_allclose(out, means, atol=0.51)  # levels are kept in whole numbers


def test_a_file_given_twice_is_kept_once() -> None:
    first, other = png(IMAGE), png(scenery(2))
    pixels = Pixels([first, other, first], CPU)
    assert pixels.index.tolist() == [0, 1, 0]
    assert pixels.size.tolist() == [[8, 6], [150, 110]]


def test_pictures_are_halved_until_two_px_fall_on_one() -> None:
    scales = torch.tensor([4.0, 1.0, 0.5, 0.49, 0.25, 0.24, 0.125, 0.001])
    assert Pixels([png(IMAGE)], CPU).level_for(scales).tolist() == [0, 0, 0, 1, 1, 2, 2, LEVELS - 1]


@pytest.mark.parametrize("box", [[40, 30, 70, 70], [-100, -50, 400, 300], [-300, -300, 700, 600]])
def test_crops_are_those_of_the_product(box: list[float]) -> None:
    image = scenery(4, 300, 220)
    affine = crop_affine(np.array(box, float), (96, 64))
    pixels = Pixels([png(image)], CPU)
    frame = torch.tensor([[-0.5, -0.5, 299.5, 219.5]])
    given = torch.from_numpy(affine).float()[None]
    ours = seen(pixels, torch.tensor([0]), given, frame, 96, 64)[0].numpy()
    theirs = warp(image, affine, (96, 64)).astype(float)
    difference = np.abs(ours - theirs).max(axis=2)
    # the picture's outermost px fade into black there and end sharply here; elsewhere sampling differs by rounding
    assert np.mean(difference < 6) > 0.93
    assert np.median(difference) < 2


def test_draws_follow_their_weights() -> None:
    drawn = Draw([1.0, 0.0, 3.0], CPU)(torch.Generator().manual_seed(0), 4000)
    shares = np.bincount(drawn.numpy(), minlength=3) / 4000
    assert shares[1] == 0
    assert shares[2] == pytest.approx(0.75, abs=0.05)
