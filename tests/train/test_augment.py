"""Random geometry keeps joints on their limbs, and both ways of drawing it agree."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from train.figures import png, scenery, stick_figure, stick_sample

from hpe.pose.crops import PAD_RGB, apply_affine
from hpe.pose.heatmaps import decode_joints, encode_joints
from hpe.pose.skeleton import FLIP_ORDER, INDEX
from hpe.train.augment import degrade, draw_plan, plain_crop, training_example
from hpe.train.config import Augmentation
from hpe.train.gpu_augment import DeviceImages, draw_plans, encode_batch
from hpe.train.gpu_degrade import blur, degrade_batch, jpeg_like, recolour, rectangles
from hpe.train.plan import plan_example, random_affine
from hpe.train.samples import Sample, empty_sample, tight_box

STILL = Augmentation(
    rotation_p=0, scale=(1.0, 1.0), shift=0, flip_p=0, half_body_p=0, small_p=0, scenery_p=0,
    colour=0, grey_p=0, blur_p=0, jpeg_p=0, occlude_p=0,
)  # fmt: skip
CPU = torch.device("cpu")


def dotted(colours: dict[str, tuple[int, int, int]], side: int = 240) -> Sample:
    """A grey picture whose named joints are dots of those colours."""
    _, points = stick_figure(3, side)
    image = np.full((side, side, 3), 60, np.uint8)
    for name, colour in colours.items():
        x, y = points[INDEX[name]]
        cv2.circle(image, (round(float(x)), round(float(y))), 6, colour, -1)
    labelled = np.ones(16, np.bool_)
    return Sample("dotted", png(image), points, labelled, tight_box(points, labelled))


def centre_of(image: np.ndarray, channel: int) -> np.ndarray:
    others = [c for c in range(3) if c != channel]
    mask = image[..., channel].astype(int) - image[..., others].max(axis=2) > 80
    assert mask.sum() > 10
    ys, xs = mask.nonzero()
    return np.array([xs.mean(), ys.mean()])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("flip_p", [0.0, 1.0])
def test_joints_follow_the_picture_and_a_flip_swaps_left_and_right(seed, flip_p):
    sample = dotted({"left_knee": (255, 0, 0), "right_shoulder": (0, 0, 255)})
    settings = dataclasses.replace(STILL, rotation_p=1.0, rotation_deg=30, scale=(0.8, 1.0), flip_p=flip_p)
    rng = np.random.default_rng(seed)
    plan = plan_example(sample, 192, settings, rng)
    image, targets, weights = training_example(plan, sample.image(), None, 192, 2.0, settings, rng)
    # in the mirror the left knee is where a right knee would be
    knee, shoulder = ("right_knee", "left_shoulder") if flip_p else ("left_knee", "right_shoulder")
    decoded, _ = decode_joints(targets)
    for name, channel in ((knee, 0), (shoulder, 2)):
        np.testing.assert_allclose(plan.points[INDEX[name]], centre_of(image, channel), atol=1.0)
        np.testing.assert_allclose(decoded[INDEX[name]], plan.points[INDEX[name]], atol=0.2)
        assert weights[INDEX[name]] == 1


def test_a_flip_carries_each_label_with_its_joint():
    sample = dotted({"left_knee": (255, 0, 0)})
    labelled = np.ones(16, np.bool_)
    labelled[INDEX["left_wrist"]] = False
    sample = dataclasses.replace(sample, labelled=labelled)
    plan = plan_example(sample, 128, dataclasses.replace(STILL, flip_p=1.0), np.random.default_rng(0))
    assert plan.weights[INDEX["right_wrist"]] == 0
    assert plan.weights[INDEX["left_wrist"]] == 1
    straight = plan_example(sample, 128, STILL, np.random.default_rng(0))
    expected = straight.points[list(FLIP_ORDER)] * [-1, 1] + [127, 0]
    np.testing.assert_allclose(plan.points, expected, atol=1e-9)


def test_without_augmentation_the_example_is_the_evaluation_crop():
    sample = stick_sample(2)
    plan = plan_example(sample, 128, STILL, np.random.default_rng(0))
    crop, affine = plain_crop(sample, sample.image(), 128)
    np.testing.assert_allclose(plan.affine, affine)
    drawn = draw_plan(plan, sample.image(), None, 128)
    inside = cv2.erode(cv2.warpAffine(np.ones((120, 120), np.uint8), affine, (128, 128)), np.ones((5, 5)))
    np.testing.assert_array_equal(drawn[inside > 0], crop[inside > 0])


@pytest.mark.parametrize("empty_outside", [False, True])
def test_joints_outside_the_frame_are_empty_and_count_only_where_wanted(empty_outside: bool):
    sample = stick_sample(2)
    settings = dataclasses.replace(STILL, scale=(2.6, 2.6), empty_outside=empty_outside)
    rng = np.random.default_rng(0)
    plan = plan_example(sample, 128, settings, rng)
    _, targets, weights = training_example(plan, sample.image(), None, 128, 2.0, settings, rng)
    reach = 3 * 2.0 * 4
    outside = ((plan.points < -reach) | (plan.points > 127 + reach)).any(axis=1)
    assert outside.any()
    assert set(weights[outside]) == {float(empty_outside)}
    assert targets[outside].max() == 0
    on_device = encode_batch([plan], 128, 2.0, CPU, empty_outside)
    np.testing.assert_allclose(on_device[0][0].numpy(), targets, atol=1e-5)
    np.testing.assert_array_equal(on_device[1][0].numpy(), weights)
    assert weights[INDEX["pelvis"]] == 1


def test_an_empty_photo_teaches_empty_heatmaps():
    sample = empty_sample("street", png(scenery(1)))
    rng = np.random.default_rng(0)
    plan = plan_example(sample, 128, Augmentation(), rng)
    image, targets, weights = training_example(plan, sample.image(), None, 128, 2.0, Augmentation(), rng)
    assert image.shape == (128, 128, 3)
    assert targets.max() == 0
    assert weights.min() == 1


def test_half_bodies_fill_the_frame():
    sample = stick_sample(4)
    settings = dataclasses.replace(STILL, half_body_p=1.0)
    scales = [random_affine(sample, 128, settings, np.random.default_rng(seed))[0, 0] for seed in range(20)]
    whole = random_affine(sample, 128, STILL, np.random.default_rng(0))[0, 0]
    assert min(scales) > 1.3 * whole


def test_portraits_show_head_and_shoulders():
    sample = stick_sample(4)
    settings = dataclasses.replace(STILL, portrait_p=1.0)
    plan = plan_example(sample, 128, settings, np.random.default_rng(0))
    shown = [INDEX[name] for name in ("upper_neck", "head_top", "right_shoulder", "left_shoulder")]
    assert plan.points[shown].min() > 0
    assert plan.points[shown].max() < 127
    assert np.ptp(plan.points[shown], axis=0).max() > 0.5 * 128
    assert plan.points[INDEX["left_ankle"], 1] > 128


def test_portraits_of_unlabelled_heads_leave_room_for_them():
    sample = stick_sample(4)
    head = [INDEX["upper_neck"], INDEX["head_top"]]
    top = sample.points[head[1]].copy()
    labelled = sample.labelled.copy()
    labelled[head] = False
    sample = dataclasses.replace(sample, labelled=labelled)
    settings = dataclasses.replace(STILL, portrait_p=1.0)
    plan = plan_example(sample, 128, settings, np.random.default_rng(0))
    x, y = plan.affine @ [*top, 1.0]
    assert 0 < x < 127
    assert 0 < y < 127


def test_small_people_stay_in_the_frame():
    sample = stick_sample(4)
    settings = dataclasses.replace(STILL, small_p=1.0, small_scale=(0.3, 0.5))
    for seed in range(20):
        points = plan_example(sample, 128, settings, np.random.default_rng(seed)).points
        assert points.min() > 0
        assert points.max() < 127
        assert np.ptp(points, axis=0).max() < 0.5 * 128


def test_scenery_fills_what_the_picture_leaves():
    sample = dotted({"left_knee": (255, 0, 0)})
    settings = dataclasses.replace(STILL, small_p=1.0, small_scale=(0.3, 0.3))
    street = np.full((90, 140, 3), (10, 200, 30), np.uint8)
    place = empty_sample("street", png(street))
    plan = plan_example(sample, 128, settings, np.random.default_rng(0), place)
    filled = draw_plan(plan, sample.image(), street, 128)
    padded = draw_plan(dataclasses.replace(plan, behind=None), sample.image(), None, 128)
    covered = (padded != PAD_RGB).any(axis=2)
    assert covered.mean() < 0.5
    np.testing.assert_array_equal(filled[covered], padded[covered])
    assert (filled[~covered] == (10, 200, 30)).all()


def test_degrading_is_repeatable_and_leaves_its_input_alone():
    image, _ = stick_figure(1)
    before = image.copy()
    often = Augmentation(grey_p=0.5, blur_p=0.5, jpeg_p=0.5, occlude_p=1.0)
    outputs = [degrade(image, often, np.random.default_rng(7)) for _ in range(2)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    np.testing.assert_array_equal(image, before)
    assert (outputs[0] != image).mean() > 0.5
    np.testing.assert_array_equal(degrade(image, STILL, np.random.default_rng(7)), image)


# --- the same in batches on a device


def planned_batch(count: int, size: int, canvas: int):
    """People, some of them in scenery, and empty photos larger than the canvas."""
    samples = [stick_sample(seed, 100 + 30 * seed) for seed in range(count)]
    samples += [empty_sample(f"street{i}", png(cv2.GaussianBlur(scenery(i, 400, 300), (0, 0), 3))) for i in range(2)]
    settings, planned = Augmentation(half_body_p=0.3, small_p=0.4), []
    rng = np.random.default_rng(0)
    for index in [*range(count), *range(count), count, count + 1]:
        behind = None if rng.random() < 0.5 or samples[index].empty else count + index % 2
        place = None if behind is None else samples[behind]
        planned.append((index, behind, plan_example(samples[index], size, settings, rng, place)))
    return samples, DeviceImages(samples, canvas, CPU), planned


def test_the_device_draws_the_pictures_that_opencv_draws():
    samples, images, planned = planned_batch(5, 96, canvas=320)
    drawn = draw_plans(images, planned, 96).permute(0, 2, 3, 1).numpy()
    for (index, behind, plan), ours in zip(planned, drawn, strict=True):
        street = None if behind is None else samples[behind].image()
        theirs = draw_plan(plan, samples[index].image(), street, 96).astype(float)
        # the outermost pixels of the person's picture may fall to either side of its edge, and OpenCV rounds
        # where it samples to a 32nd of a pixel: hence "nearly all, within a few levels"
        difference = np.abs(ours - theirs).max(axis=2)
        assert np.mean(difference <= 8) > 0.95
        assert difference.mean() < 2.5


def test_the_device_encodes_the_targets_that_numpy_encodes():
    _, _, planned = planned_batch(5, 128, canvas=320)
    plans = [plan for _, _, plan in planned]
    targets, weights = encode_batch(plans, 128, 1.5, CPU)
    for plan, ours, our_weights in zip(plans, targets.numpy(), weights.numpy(), strict=True):
        theirs, their_weights = encode_joints(plan.points, plan.weights, 128, 1.5)
        if plan.empty:
            theirs, their_weights = np.zeros_like(theirs), np.ones_like(their_weights)
        np.testing.assert_array_equal(our_weights, their_weights)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert any((plan.weights > 0).sum() > w.sum() for plan, w in zip(plans, weights, strict=True))


def test_pictures_larger_than_the_canvas_keep_their_joints():
    sample = dotted({"left_knee": (255, 0, 0)}, side=480)
    images = DeviceImages([sample], 240, CPU)
    assert images.extent[0].tolist() == [240, 240]
    plan = plan_example(sample, 192, dataclasses.replace(STILL, rotation_p=1.0), np.random.default_rng(1))
    drawn = draw_plans(images, [(0, None, plan)], 192)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(
        centre_of(drawn, 0), apply_affine(sample.points, plan.affine)[INDEX["left_knee"]], atol=1
    )


def test_blur_on_the_device_is_opencvs():
    image = stick_figure(1)[0]
    batch = torch.from_numpy(image).permute(2, 0, 1).float()[None].repeat(2, 1, 1, 1)
    ours = blur(batch, torch.tensor([0.7, 1.4])).permute(0, 2, 3, 1).numpy()
    for sigma, out in zip((0.7, 1.4), ours, strict=True):
        theirs = cv2.GaussianBlur(image.astype(np.float32), (9, 9), sigma, borderType=cv2.BORDER_REFLECT_101)
        np.testing.assert_allclose(out, theirs, atol=0.01)


def test_jpeg_like_loss_is_near_jpegs_on_grey():
    grey = cv2.cvtColor(cv2.cvtColor(stick_figure(1, 128)[0], cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    batch = torch.from_numpy(grey).permute(2, 0, 1).float()[None]
    errors = {}
    for quality in (15, 60):
        ours = jpeg_like(batch, torch.tensor([float(quality)]))[0].permute(1, 2, 0).numpy()
        data = cv2.imencode(".jpg", grey[..., 0], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        theirs = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(float)
        errors[quality] = np.abs(ours[..., 0] - grey[..., 0]).mean()
        assert np.abs(ours[..., 0] - theirs).mean() < 0.5
    assert errors[15] > errors[60] > 1


def test_recolour_and_rectangles_by_hand():
    grey = torch.full((1, 3, 2, 2), 127.5)
    gain = torch.tensor([[1.0, 0.5, 3.0]])
    out = recolour(grey, torch.tensor([2.0]), gain, torch.tensor([0.1]))
    np.testing.assert_allclose(out[0, :, 0, 0], [0.35 * 255, 0.225 * 255, 0.85 * 255], rtol=1e-5)
    covered = rectangles(*(torch.tensor([v]) for v in (1.0, 2.0, 2.0, 1.0)), size=4)
    assert covered[0, 0].nonzero().tolist() == [[1, 2], [2, 2]]


def test_degrading_in_batches_is_repeatable_and_stays_in_range():
    batch = torch.from_numpy(np.stack([stick_figure(s, 128)[0] for s in range(4)])).permute(0, 3, 1, 2).float()
    often = Augmentation(grey_p=0.5, blur_p=0.5, jpeg_p=0.5, occlude_p=1.0)
    outputs = [degrade_batch(batch, often, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert torch.equal(outputs[0], outputs[1])
    assert outputs[0].min() >= 0
    assert outputs[0].max() <= 255
    assert ((outputs[0] - batch).abs().amax(dim=(1, 2, 3)) > 20).all()
    untouched = degrade_batch(batch, STILL, torch.Generator().manual_seed(3))
    torch.testing.assert_close(untouched, batch, atol=0.01, rtol=0)
