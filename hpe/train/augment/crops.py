"""Crops round people on the device, in batches: boxes that err as a locator does, rotation, edges that cut people off.

Letters: N crops, J joints, H and W the network's frame in px. Boxes are x0, y0, x1, y1 px, pixel centres at integers.
"""

from typing import Final

import torch
from torch import Tensor

from hpe.pose.crops import MARGIN
from hpe.train.augment.chance import Chance
from hpe.train.augment.pixels import Pixels
from hpe.train.config import Augmentation

# Of a picture resized to a square: the deviation of the logarithm of its aspect; most photos are 4:3 or 3:2.
SQUASHED: Final[float] = 0.2


def crop_affine(box: Tensor, height: int, width: int, margin: float = MARGIN) -> Tensor:
    """(N, 4) px -> (N, 2, 3) picture px -> network px: `hpe.pose.crops.crop_affine` in batches."""
    centre, extent = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]).clamp(min=1.0)
    scale = torch.minimum(width / extent[:, 0], height / extent[:, 1]) / margin
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=box.device)
    shift = middle - scale[:, None] * centre
    linear = torch.eye(2, device=box.device) * scale[:, None, None]
    return torch.cat([linear, shift[..., None]], dim=2)


def cut_off(
    frame: Tensor, box: Tensor, points: Tensor, labelled: Tensor, settings: Augmentation, chance: Chance
) -> Tensor:
    """The part of the picture that is shown, (N, 4): for `cut_p` of the people its edge cuts them off.

    Mostly from below, as in portraits and at tables; a cut that would leave fewer than three labelled joints is not
    made.
    """
    extent = box[:, 2:] - box[:, :2]
    side = torch.tensor([3, 3, 3, 3, 3, 3, 0, 2, 1, 3], device=box.device)[chance.uniform(0, 10).long().clamp(max=9)]
    share = chance.uniform(0.2, 0.9)
    cut = frame.clone()
    x_left, y_top = box[:, 0] + (1 - share) * extent[:, 0], box[:, 1] + (1 - share) * extent[:, 1]
    x_right, y_bottom = box[:, 0] + share * extent[:, 0], box[:, 1] + share * extent[:, 1]
    places = torch.stack([x_left, y_top, x_right, y_bottom], dim=1)
    inward = torch.cat([torch.maximum(frame[:, :2], places[:, :2]), torch.minimum(frame[:, 2:], places[:, 2:])], dim=1)
    hit = torch.arange(4, device=box.device)[None] == side[:, None]
    cut = torch.where(hit & chance.chosen(settings.cut_p)[:, None], inward, frame)
    left = ((points >= cut[:, None, :2]) & (points <= cut[:, None, 2:])).all(dim=2) & labelled
    return torch.where((left.sum(dim=1) >= 3)[:, None], cut, frame)


def random_affine(
    box: Tensor, squashed: Tensor, height: int, width: int, settings: Augmentation, chance: Chance
) -> Tensor:
    """The crop round a box that errs as a locator does, then rotated, scaled and stretched: (N, 2, 3).

    squashed: (N,) bool, pictures that were resized to a square: by how much is not known, so they are stretched more.
    """
    centre, extent = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]).clamp(min=1.0)
    extent_seen = extent * torch.exp(chance.normal(settings.box_size, 2))
    centre = centre + chance.normal(settings.box_shift, 2) * extent
    affine = crop_affine(torch.cat([centre - extent_seen / 2, centre + extent_seen / 2], dim=1), height, width)
    scale = torch.exp(chance.normal(settings.scale))
    stretch = torch.exp(chance.normal(1.0) * torch.where(squashed, SQUASHED, settings.aspect) / 2)
    angle = chance.normal(settings.rotation_deg) * torch.pi / 180 * chance.chosen(settings.rotation_p)
    angle = torch.where(chance.chosen(settings.turn_p), chance.uniform(-torch.pi, torch.pi), angle)
    cos, sin = torch.cos(angle), torch.sin(angle)
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    linear = turn * torch.stack([scale * stretch, scale / stretch], 1)[:, None, :]  # stretched first, then turned
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=box.device)
    shift = (linear @ (affine[:, :, 2] - middle)[..., None]).squeeze(-1) + middle
    return torch.cat([linear @ affine[:, :, :2], shift[..., None]], dim=2)


def mirrored(affine: Tensor, width: int) -> Tensor:
    """x -> width - 1 - x after the map."""
    sign = torch.tensor([[-1.0], [1.0]], device=affine.device)
    shift = torch.tensor([[0, 0, width - 1.0], [0, 0, 0]], device=affine.device)
    return affine * sign + shift


def back(affine: Tensor, height: int, width: int, step: int = 1) -> tuple[Tensor, Tensor]:
    """Every `step`-th network px -> x, y in picture px, (N, H/step, W/step) each."""
    inverse = torch.linalg.inv(affine[:, :, :2])
    x = torch.arange(0, width, step, dtype=torch.float32, device=affine.device)[None, None, :]
    y = torch.arange(0, height, step, dtype=torch.float32, device=affine.device)[None, :, None]
    dx, dy = x - affine[:, 0, 2, None, None], y - affine[:, 1, 2, None, None]
    i = inverse[..., None, None]
    return i[:, 0, 0] * dx + i[:, 0, 1] * dy, i[:, 1, 0] * dx + i[:, 1, 1] * dy


def within(x: Tensor, y: Tensor, box: Tensor) -> Tensor:
    b = box[:, None, None]
    return (x >= b[..., 0]) & (x <= b[..., 2]) & (y >= b[..., 1]) & (y <= b[..., 3])


def seen(pixels: Pixels, picture: Tensor, affine: Tensor, visible: Tensor, height: int, width: int) -> Tensor:
    """-> (N, H, W, 3) float32 RGB, black outside the visible part."""
    x, y = back(affine, height, width)
    level = pixels.level_for(torch.linalg.det(affine[:, :, :2]).abs().sqrt())
    out = pixels.sample(picture[:, None, None], level[:, None, None], x, y)
    return out * within(x, y, visible).unsqueeze(-1)


def clipped(box: Tensor, visible: Tensor) -> Tensor:
    low = torch.maximum(box[:, :2], visible[:, :2])
    high = torch.minimum(box[:, 2:], visible[:, 2:])
    return torch.cat([low, torch.maximum(high, low + 1)], dim=1)


def windows(frame: Tensor, chance: Chance, rows: Tensor | None = None) -> Tensor:
    """Random parts of pictures, of a person's usual shapes: (N, 4) px."""
    shares, aspect = chance.uniform(0.2, 1.0), torch.exp(chance.uniform(-0.9, 0.5))
    places = chance.uniform(0, 1, 2)
    if rows is not None:
        frame, shares, aspect, places = frame[rows], shares[: len(rows)], aspect[: len(rows)], places[: len(rows)]
    extent = frame[:, 2:] - frame[:, :2]
    longer = extent.min(dim=1).values * shares
    size = torch.stack([longer * aspect.clamp(max=1), longer / aspect.clamp(min=1)], dim=1)
    corner = frame[:, :2] + places * (extent - size).clamp(min=0)
    return torch.cat([corner, corner + size], dim=1)
