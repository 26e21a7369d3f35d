"""What cameras and networks do to photos, in batches, compared with OpenCV's and worked by hand."""

import cv2
import numpy as np
import pytest
import torch
from train.figures import stick_figure

from hpe.train.augment.chance import Chance
from hpe.train.augment.degrade import blur, cover, degrade, jpeg_like, low_resolution, motion_blur, recolour
from hpe.train.config import Augmentation

CPU = torch.device("cpu")
NOTHING = Augmentation(colour=0, grey_p=0, blur_p=0, motion_p=0, low_resolution_p=0, jpeg_p=0, occlude_p=0)


def batch(count: int, side: int = 64) -> torch.Tensor:
    pictures = np.stack([stick_figure(seed, side)[0] for seed in range(count)])
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float()


def test_recolouring_by_hand() -> None:
    grey, gain = torch.full((1, 3, 2, 2), 127.5), torch.tensor([[1.0, 0.5, 3.0]])
    out = recolour(grey, torch.tensor([2.0]), gain, torch.tensor([0.1]))
    np.testing.assert_allclose(out[0, :, 0, 0], [0.35 * 255, 0.225 * 255, 0.85 * 255], rtol=1e-5)


def test_blur_is_opencvs() -> None:
    image = stick_figure(1, 64)[0]
    twice = torch.from_numpy(image).permute(2, 0, 1).float()[None].repeat(2, 1, 1, 1)
    for sigma, ours in zip((0.7, 1.4), blur(twice, torch.tensor([0.7, 1.4])), strict=True):
        theirs = cv2.GaussianBlur(image.astype(np.float32), (11, 11), sigma, borderType=cv2.BORDER_REFLECT_101)
        np.testing.assert_allclose(ours.permute(1, 2, 0), theirs, atol=0.05)


@pytest.mark.parametrize(("angle", "axis"), [(0.0, 1), (np.pi / 2, 0)])
def test_motion_blur_smears_along_its_line_alone(angle: float, axis: int) -> None:
    dot = torch.zeros(1, 3, 21, 21)
    dot[:, :, 10, 10] = 100.0
    out = motion_blur(dot, torch.tensor([4.0]), torch.tensor([angle]))[0, 0].numpy()
    assert out.sum() == pytest.approx(100, rel=1e-4)
    extents = [int(np.ptp(out.max(axis=1 - a).nonzero()[0])) + 1 for a in (0, 1)]
    assert extents[axis] == 5
    assert out.max(axis=axis).nonzero()[0].size <= 3
    assert out[10, 10] < 30


def test_low_resolution_loses_what_is_finer() -> None:
    board = torch.from_numpy((np.indices((32, 32)).sum(axis=0) % 2 * 200).astype(np.float32))[None, None]
    board = board.expand(1, 3, 32, 32)
    assert (low_resolution(board, 2.0) - 100).abs().max() < 1


def test_jpeg_like_loss_is_near_jpegs_on_grey() -> None:
    grey = cv2.cvtColor(stick_figure(1, 64)[0], cv2.COLOR_RGB2GRAY)
    picture = torch.from_numpy(grey).float().expand(1, 3, 64, 64)
    errors = {}
    for quality in (15, 60):
        ours = jpeg_like(picture, torch.tensor([float(quality)]))[0, 0].numpy()
        data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        theirs = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(float)
        errors[quality] = np.abs(ours - grey).mean()
        assert np.abs(ours - theirs).mean() < 0.6
    assert errors[15] > errors[60] > 1


def test_covered_is_one_rectangle_of_a_flat_colour_or_of_another_picture() -> None:
    pictures = torch.arange(8.0).view(8, 1, 1, 1).expand(8, 3, 64, 48) * 10
    out = cover(pictures, 1.0, Chance(1, 0, 8, CPU))
    sources = set()
    for k in range(8):
        changed = (out[k] != pictures[k]).any(dim=0)
        ys, xs = changed.nonzero(as_tuple=True)
        assert changed[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1].all()
        assert 4 <= ys.max() - ys.min() + 1 <= 17
        inside = out[k][:, changed]
        assert (inside == inside[:, :1]).all()
        sources.add(torch.equal(inside[:, 0], pictures[k - 1, :, 0, 0]))
    assert sources == {True, False}
    assert torch.equal(cover(pictures, 0.0, Chance(1, 0, 8, CPU)), pictures)


def test_grey_pictures_have_one_level_for_all_colours() -> None:
    out = degrade(batch(2), Augmentation(**{**vars(NOTHING), "grey_p": 1.0}), Chance(1, 0, 2, CPU))
    torch.testing.assert_close(out[:, 0], out[:, 2])


def test_degrading_is_a_function_of_seed_and_step_and_stays_in_range() -> None:
    often = Augmentation(grey_p=0.5, blur_p=0.5, motion_p=0.5, low_resolution_p=0.5, jpeg_p=0.5, occlude_p=1.0)
    pictures = batch(4)
    before = pictures.clone()
    first, same, later = (degrade(pictures, often, Chance(3, step, 4, CPU)) for step in (5, 5, 6))
    assert torch.equal(first, same)
    assert not torch.equal(first, later)
    assert torch.equal(pictures, before)
    assert first.min() >= 0
    assert first.max() <= 255
    assert ((first - pictures).abs().amax(dim=(1, 2, 3)) > 20).all()


def test_without_settings_nothing_changes() -> None:
    torch.testing.assert_close(degrade(batch(2), NOTHING, Chance(3, 0, 2, CPU)), batch(2), atol=0.01, rtol=0)
