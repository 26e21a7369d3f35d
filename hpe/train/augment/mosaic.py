"""Frames of one to nine whole photos each, scaled, cropped, mirrored and degraded, and where everybody is in them.

Letters: N frames, M photos, S slots of a frame, K people of a photo, H and W the frame in px.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from hpe.train.augment.chance import Chance
from hpe.train.augment.degrade import degrade
from hpe.train.augment.pixels import Draw, Pixels
from hpe.train.config import Augmentation
from hpe.train.data.samples import Photo

SLOTS: Final[int] = 9
LEAST_PX: Final[float] = 8.0  # longer side, of the network's frame; smaller people are ignored
LEAST_SHARE: Final[float] = 0.3  # of a box that a crop leaves visible; of less one cannot say that somebody is there
MOST: Final[int] = 64  # boxes of a photo
NOBODY: Final[int] = 0
PERSON: Final[int] = 1
IGNORE: Final[int] = 2


class Photos:
    """Photos' boxes as tensors beside their pixels. boxes: (M, K, 4) px; kind: (M, K) NOBODY, PERSON or IGNORE."""

    def __init__(self, photos: list[Photo], device: torch.device) -> None:
        self.pixels = Pixels([p.encoded for p in photos], device)
        boxes = np.zeros((len(photos), MOST, 4), np.float32)
        kind = np.zeros((len(photos), MOST), np.int64)
        for i, photo in enumerate(photos):
            area = np.prod(photo.boxes[:, 2:] - photo.boxes[:, :2], axis=1)
            order = np.lexsort((-area, photo.ignore))[:MOST]  # people first, the largest first
            boxes[i, : len(order)] = photo.boxes[order]
            kind[i, : len(order)] = np.where(photo.ignore[order], IGNORE, PERSON)
        self.boxes, self.kind = torch.from_numpy(boxes).to(device), torch.from_numpy(kind).to(device)
        self.squashed = torch.tensor([p.squashed for p in photos], device=device)


@dataclass(frozen=True)
class Layout:
    """Which photo lies in each slot, and how: a point p of it at (p + 0.5) * scale - 0.5 + corner of the frame.

    x_lines, y_lines: (N, 4) px where columns and rows begin and the last ends. low, high: (N, S, 2) the slots' corners.
    which: (N, S) photos. size: (N, S, 2) their width and height. scale, corner: (N, S, 2). flip: (N, S) bool.
    sharpness: (N, S), 0.5 to 1, by which `scale` counts as smaller when a level of the pyramid is chosen.
    """

    x_lines: Tensor
    y_lines: Tensor
    low: Tensor
    high: Tensor
    which: Tensor
    size: Tensor
    scale: Tensor
    corner: Tensor
    flip: Tensor
    sharpness: Tensor


def mosaics(
    photos: Photos, draw: Draw, height: int, width: int, settings: Augmentation, chance: Chance
) -> tuple[Tensor, Tensor, Tensor]:
    """-> (N, H, W, 3) uint8 RGB, (N, S * K, 4) float32 boxes in px of the frame, and (N, S * K) what they are."""
    layout = _layout(photos, draw, height, width, settings, chance)
    angle = _angles(settings, chance)
    pictures = _pictures(photos.pixels, layout, angle, height, width)
    pictures = degrade(pictures.permute(0, 3, 1, 2), settings, chance)
    boxes, kind = _boxes(photos, layout)
    boxes, kind = turned(boxes.flatten(1, 2), kind.flatten(1), angle, height, width)
    return pictures.round().to(torch.uint8).permute(0, 2, 3, 1), boxes, kind


def _layout(photos: Photos, draw: Draw, height: int, width: int, settings: Augmentation, chance: Chance) -> Layout:
    n, device = chance.count, photos.boxes.device
    drawn = chance.uniform(0, 1)
    one, four = settings.mosaic
    grid = 1 + (drawn > one).long() + (drawn > one + four).long()
    x_lines, y_lines = _lines(grid, width, chance), _lines(grid, height, chance)
    slot = torch.arange(SLOTS, device=device)
    col, row = slot % 3, slot // 3
    low = torch.stack([x_lines[:, col], y_lines[:, row]], dim=2)
    high = torch.stack([x_lines[:, col + 1], y_lines[:, row + 1]], dim=2)
    which = draw(chance.generator, n, SLOTS)
    size = photos.pixels.size[photos.pixels.index[which]]
    room = high - low
    # alone in the frame a photo fills it as in use; among others it may be larger than its slot
    fit = (room / size).min(dim=2).values
    jitter = torch.exp(chance.uniform(float(np.log(settings.zoom[0])), float(np.log(settings.zoom[1])), SLOTS))
    jitter = torch.where((grid > 1)[:, None], jitter * 1.2, jitter)
    wide = torch.where(photos.squashed[which], 0.32, 0.12)
    stretch = torch.exp(chance.uniform(-1, 1, SLOTS) * wide)
    scale = (fit * jitter)[..., None] * torch.stack([stretch.sqrt(), 1 / stretch.sqrt()], dim=2)
    corner = low + chance.uniform(0, 1, SLOTS, 2) * (room - size * scale)
    flip = chance.uniform(0, 1, SLOTS) < settings.flip_p
    # in use pictures are smoothed before they shrink: some are halved early here, and look as soft
    sharpness = 2 ** chance.uniform(-1, 0, SLOTS)
    return Layout(x_lines, y_lines, low, high, which, size, scale, corner, flip, sharpness)


def _angles(settings: Augmentation, chance: Chance) -> Tensor:
    """(N,) radians by which frames are turned: half of them by quarters, the others by up to 40 degrees."""
    quarters = (1 + (3 * chance.uniform(0, 1)).long().clamp(max=2)) * (torch.pi / 2)
    tilt = chance.normal(20 * torch.pi / 180)
    angle = torch.where(chance.chosen(0.5), quarters, tilt)
    return torch.where(chance.chosen(settings.turn_p), angle, 0.0)


def turned(boxes: Tensor, kind: Tensor, angle: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """(N, K, 4) px, (N, K), (N,) radians -> boxes and kinds of frames turned about their middle, cut to the frame.

    A person fills a box about as an ellipse does, so theirs becomes the box of the turned ellipse; an area to ignore
    keeps all of its corners.
    """
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=boxes.device)
    cos, sin = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
    centre, half = (boxes[..., :2] + boxes[..., 2:]) / 2 - middle, (boxes[..., 2:] - boxes[..., :2]) / 2
    x = cos * centre[..., 0] - sin * centre[..., 1] + middle[0]
    y = sin * centre[..., 0] + cos * centre[..., 1] + middle[1]
    a, b = half[..., 0], half[..., 1]
    along, across = torch.hypot(a * cos, b * sin), torch.hypot(a * sin, b * cos)
    ignored = kind == IGNORE
    along = torch.where(ignored, (a * cos).abs() + (b * sin).abs(), along)
    across = torch.where(ignored, (a * sin).abs() + (b * cos).abs(), across)
    whole = torch.stack([x - along, y - across, x + along, y + across], dim=2)
    last = torch.tensor([width - 0.5, height - 0.5], device=boxes.device)
    seen = torch.cat([whole[..., :2].clamp(min=-0.5), whole[..., 2:].minimum(last)], dim=2)
    share = (seen[..., 2:] - seen[..., :2]).clamp(min=0).prod(dim=2) / (4 * along * across).clamp(min=1e-6)
    kind = torch.where((kind == PERSON) & (share < LEAST_SHARE), IGNORE, kind)
    kind = torch.where((seen[..., 2:] - seen[..., :2]).min(dim=2).values <= 1, NOBODY, kind)
    return seen, kind


def _lines(grid: Tensor, side: int, chance: Chance) -> Tensor:
    """(N,) 1, 2 or 3 slots -> (N, 4) px where slots begin and the last ends; unused ones are empty."""
    inner = chance.uniform(-0.15, 0.15, 2)
    first = torch.where(grid == 2, 0.5 + inner[:, 0], 1 / 3 + inner[:, 0] / 2)
    second = torch.where(grid == 2, torch.ones_like(first), 2 / 3 + inner[:, 1] / 2)
    first = torch.where(grid == 1, torch.ones_like(first), first)
    second = torch.where(grid == 1, torch.ones_like(second), second)
    ends = torch.stack([torch.zeros_like(first), first, second, torch.ones_like(first)], dim=1)
    return (ends * side).round()


def _pictures(pixels: Pixels, layout: Layout, angle: Tensor, height: int, width: int) -> Tensor:
    """-> (N, H, W, 3) float32: each px from its slot's photo, black where that does not reach."""
    n, device = len(layout.which), layout.scale.device
    right = torch.arange(width, dtype=torch.float32, device=device) - (width - 1) / 2
    down = torch.arange(height, dtype=torch.float32, device=device) - (height - 1) / 2
    cos, sin = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None]
    x = cos * right + sin * down[:, None] + (width - 1) / 2  # (N, H, W), turned back
    y = cos * down[:, None] - sin * right + (height - 1) / 2
    lines_x, lines_y = layout.x_lines[:, None, None], layout.y_lines[:, None, None]
    col = (x >= lines_x[..., 1]).long() + (x >= lines_x[..., 2]).long()
    row = (y >= lines_y[..., 1]).long() + (y >= lines_y[..., 2]).long()
    slot = (row * 3 + col).flatten(1)  # (N, H * W)

    def at(values: Tensor) -> Tensor:
        """(N, S) of each slot -> (N, H, W)"""
        return values.gather(1, slot).view(n, height, width)

    px = (x - at(layout.corner[..., 0]) + 0.5) / at(layout.scale[..., 0]) - 0.5
    py = (y - at(layout.corner[..., 1]) + 0.5) / at(layout.scale[..., 1]) - 0.5
    w, h = at(layout.size[..., 0]), at(layout.size[..., 1])
    inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
    inside &= (px >= -0.5) & (px <= w - 0.5) & (py >= -0.5) & (py <= h - 0.5)
    px = torch.where(at(layout.flip.float()) > 0, w - 1 - px, px)
    level = pixels.level_for(layout.scale.prod(dim=2).sqrt() * layout.sharpness)
    return pixels.sample(at(pixels.index[layout.which]), at(level), px, py) * inside.unsqueeze(-1)


def _boxes(photos: Photos, layout: Layout) -> tuple[Tensor, Tensor]:
    """-> (N, S, K, 4) px of the frame, what is visible of each, and (N, S, K) what they are."""
    low, high = layout.low[:, :, None], layout.high[:, :, None]
    boxes = photos.boxes[layout.which]
    used = (layout.high - layout.low).min(dim=2).values > 1
    kind = torch.where(used[..., None], photos.kind[layout.which], NOBODY)
    last = layout.size[..., 0, None] - 1
    x0, y0, x1, y1 = boxes.unbind(dim=3)
    turned = torch.stack([last - x1, y0, last - x0, y1], dim=3)
    boxes = torch.where(layout.flip[..., None, None], turned, boxes)
    scale, corner = layout.scale.repeat(1, 1, 2)[:, :, None], layout.corner.repeat(1, 1, 2)[:, :, None]
    boxes = (boxes + 0.5) * scale - 0.5 + corner
    visible = torch.cat([torch.maximum(boxes[..., :2], low - 0.5), torch.minimum(boxes[..., 2:], high - 0.5)], dim=3)
    sides, whole = visible[..., 2:] - visible[..., :2], boxes[..., 2:] - boxes[..., :2]
    share = sides.clamp(min=0).prod(dim=3) / whole.prod(dim=3).clamp(min=1e-6)
    gone = (sides.min(dim=3).values <= 1) | ((share < 0.02) & (kind == PERSON))
    kind = torch.where(gone, NOBODY, kind)
    doubtful = (share < LEAST_SHARE) | (sides.max(dim=3).values < LEAST_PX)
    return visible, torch.where((kind == PERSON) & doubtful, IGNORE, kind)
