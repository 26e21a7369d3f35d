"""Picture to network frame and back."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpe.pose.crops import (
    MARGIN,
    PAD_RGB,
    SMOOTH,
    apply_affine,
    crop_affine,
    fit_affine,
    fit_pixels,
    undo_affine,
    warp,
    whole_image_box,
)

coordinates = st.floats(-500, 2000)


@given(coordinates, coordinates, st.floats(1, 900), st.floats(1, 900), st.sampled_from([128, 192, 256]))
@settings(max_examples=60, deadline=None)
def test_undoing_an_affine_is_its_inverse(x, y, width, height, size):
    affine = crop_affine(np.array([x, y, x + width, y + height]), size)
    points = np.array([[x, y], [x + width, y + height], [0.0, 0.0]])
    np.testing.assert_allclose(undo_affine(apply_affine(points, affine), affine), points, atol=1e-6)


@given(coordinates, coordinates, st.floats(1, 900), st.floats(1, 900))
@settings(max_examples=60, deadline=None)
def test_the_crop_is_centred_keeps_the_aspect_and_leaves_the_margin(x, y, width, height):
    affine = crop_affine(np.array([x, y, x + width, y + height]), 256)
    centre = apply_affine(np.array([x + width / 2, y + height / 2]), affine)
    np.testing.assert_allclose(centre, [127.5, 127.5], atol=1e-6)
    low, high = apply_affine(np.array([[x, y], [x + width, y + height]]), affine)
    extent = high - low
    assert max(extent) == pytest.approx(256 / MARGIN)
    assert extent[0] / extent[1] == pytest.approx(width / height)


def test_a_square_picture_fills_its_frame_pixel_by_pixel():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    affine = crop_affine(whole_image_box(64, 64), 64, 1.0)
    np.testing.assert_allclose(affine, [[1, 0, 0], [0, 1, 0]], atol=1e-9)
    np.testing.assert_array_equal(warp(image, affine, 64), image)


def test_what_lies_outside_the_picture_is_padding():
    image = np.full((50, 100, 3), 200, np.uint8)
    out = warp(image, crop_affine(whole_image_box(100, 50), 64, 1.0), 64)
    assert out.shape == (64, 64, 3)
    assert (out[:14] == PAD_RGB).all()
    assert (out[-14:] == PAD_RGB).all()
    assert (out[20:44] == 200).all()


@pytest.mark.parametrize("scale", [0.05, 0.11, 0.3, 0.49, 0.51, 1.0, 3.0])
def test_a_dot_lands_where_the_affine_says_at_any_scale(scale):
    side = round(64 / scale)
    image = np.zeros((side, side, 3), np.uint8)
    spot = np.array([side * 0.3, side * 0.6])
    radius = max(1, round(3 / scale))
    cv2.circle(image, (round(spot[0]), round(spot[1])), radius, (255, 255, 255), -1)
    affine = crop_affine(whole_image_box(side, side), 64, 1.0)
    light = warp(image, affine, 64)[..., 0].astype(float)
    ys, xs = np.mgrid[:64, :64]
    seen = np.array([(xs * light).sum(), (ys * light).sum()]) / light.sum()
    expected = apply_affine(np.round(spot), affine)
    np.testing.assert_allclose(seen, expected, atol=0.15)


def test_shrinking_averages_instead_of_skipping_pixels():
    # a fine checkerboard is grey from afar; bilinear sampling alone would show black or white patches
    image = np.indices((600, 600)).sum(axis=0) % 2 * 255
    image = np.repeat(image[..., None], 3, axis=2).astype(np.uint8)
    out = warp(image, crop_affine(whole_image_box(600, 600), 64, 1.0), 64)
    assert np.abs(out.astype(int) - 127).max() < 16


def test_warping_leaves_the_picture_alone():
    image = np.random.default_rng(0).integers(0, 256, (300, 200, 3), dtype=np.uint8)
    before = image.copy()
    warp(image, crop_affine(np.array([10, 20, 150, 290.0]), 64), 64)
    np.testing.assert_array_equal(image, before)


def test_a_box_without_extent_still_gives_a_crop():
    affine = crop_affine(np.array([5.0, 5.0, 5.0, 5.0]), 64)
    assert np.isfinite(affine).all()
    assert affine[0, 0] == pytest.approx(64 / MARGIN)


@pytest.mark.parametrize("box", [[620, 300, 980, 900.0], [-200, -100, 500, 700.0], [1100, 600, 1500, 1100.0]])
def test_what_a_frame_shows_does_not_depend_on_the_picture_around_it(box):
    rng = np.random.default_rng(3)
    image = cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (1280, 960), interpolation=cv2.INTER_CUBIC)
    box = np.array(box)
    affine = crop_affine(box, 64)
    # averaged down as a whole, and sampled by hand
    scale = affine[0, 0]
    small = cv2.resize(image, None, fx=1.5 * scale, fy=1.5 * scale, interpolation=cv2.INTER_AREA)
    rx, ry = 1280 / small.shape[1], 960 / small.shape[0]
    up = np.array([[rx, 0, rx / 2 - 0.5], [0, ry, ry / 2 - 0.5], [0, 0, 1]])
    expected = cv2.warpAffine(small, affine @ up, (64, 64), borderValue=PAD_RGB)
    inside = cv2.erode(cv2.warpAffine(np.full((960, 1280), 255, np.uint8), affine, (64, 64)), np.ones((5, 5))) == 255
    difference = np.abs(warp(image, affine, 64).astype(int) - expected)[inside]
    assert inside.any()
    assert difference.mean() < 2.5  # averaged by halves, rounded each time
    assert difference.max() < 16


@given(coordinates, coordinates, st.floats(1, 900), st.floats(1, 900))
@settings(max_examples=60, deadline=None)
def test_a_frame_taller_than_wide_holds_the_box_with_its_margin(x, y, width, height):
    affine = crop_affine(np.array([x, y, x + width, y + height]), (256, 192))
    low, high = apply_affine(np.array([[x, y], [x + width, y + height]]), affine)
    np.testing.assert_allclose((low + high) / 2, [95.5, 127.5], atol=1e-6)
    assert affine[0, 0] == affine[1, 1]
    assert max((high - low) / [192, 256]) == pytest.approx(1 / MARGIN)


def test_a_picture_of_the_frames_shape_fills_it_pixel_by_pixel():
    image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    np.testing.assert_array_equal(warp(image, crop_affine(whole_image_box(48, 64), (64, 48), 1.0), (64, 48)), image)


@pytest.mark.parametrize(
    ("width", "height", "frame"),
    [(416, 416, (416, 416)), (1000, 1000, (416, 416)), (640, 480, (320, 416)), (416, 257, (288, 416)),
     (1, 4000, (416, 32)), (300, 600, (416, 224)), (77, 77, (96, 96)), (1, 1, (32, 32))],
)  # fmt: skip
def test_a_fitted_picture_lies_at_the_top_left_of_a_frame_of_multiples_of_32(width, height, frame):
    affine, found = fit_affine(width, height, 416)
    assert found == frame
    corners = np.array([[-0.5, -0.5], [width - 0.5, height - 0.5]])
    low, high = apply_affine(corners, affine)
    np.testing.assert_allclose(low, [-0.5, -0.5], atol=1e-9)
    assert max(high) == pytest.approx(min(416, -(-max(width, height) // 32) * 32) - 0.5)
    assert (high < np.array(frame[::-1])).all()
    assert (high > np.array(frame[::-1]) - 33).all()


@pytest.mark.parametrize(
    ("width", "height", "longer", "frame"),
    [(4000, 3000, 256, (192, 256)), (3000, 4000, 256, (256, 192)), (500, 500, 224, (224, 224)),
     (1500, 1000, 288, (192, 288)), (200, 100, 224, (128, 224)), (5000, 40, 1792, (32, 1792)), (1, 1, 32, (32, 32)),
     (60_000, 1, 1792, (32, 1792))],
)  # fmt: skip
def test_of_the_frames_with_few_pixels_the_one_that_shows_most_is_taken(width, height, longer, frame):
    affine, found = fit_pixels(width, height, 57_344)
    assert found == frame
    assert affine[0, 0] * max(width, height) == pytest.approx(longer)
    one_more = -(-(longer + 1) // 32) * 32, -(-min(width, height) * (longer + 1) // (max(width, height) * 32)) * 32
    assert one_more[0] * one_more[1] > 57_344 or longer == frame[1]


def test_a_smoothed_picture_changes_less_when_it_is_moved():
    image = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    affine, frame = fit_affine(399, 300, 270)

    def change(smooth):
        return np.abs(
            np.subtract(*(warp(i, affine, frame, smooth).astype(int) for i in (image[:, :-1], image[:, 1:])))
        ).mean()

    assert change(SMOOTH) < 0.9 * change(0)
    flat = np.full((300, 399, 3), 77, np.uint8)
    assert (warp(flat, affine, frame, SMOOTH)[:200, :265] == 77).all()


@pytest.mark.parametrize("longer", [400, 416])
def test_a_picture_that_does_not_shrink_stays_sharp(longer):
    image = np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    affine, frame = fit_affine(400, 300, longer)
    np.testing.assert_array_equal(warp(image, affine, frame, SMOOTH), warp(image, affine, frame))


def test_a_fitted_picture_is_padded_on_the_right_or_below_alone():
    image = np.full((1000, 1720, 3), 200, np.uint8)
    affine, frame = fit_affine(1720, 1000, 416)
    out = warp(image, affine, frame)
    assert out.shape == (256, 416, 3)
    assert (out[:241, 1:415] == 200).all()
    assert (out[243:] == 0).all()
