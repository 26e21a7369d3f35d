"""Everybody in a whole photo: the locator's examples, loss and validation.

After "Objects as Points" (Zhou, Wang, Krähenbühl 2019, arXiv 1904.07850): one heatmap of box centres and two maps of
width and height. Sizes are shares of the frame's longer side, and the centre's score is sigmoid(12 (v - 0.5)) of the
output v, so that all three outputs span about 0..1: int8 has one scale for the three of them.

Letters: N examples, H and W the frame in px, h and w the maps in cells, K people of a photo, S slots of a mosaic.
"""

from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hpe.train.augment.chance import Chance
from hpe.train.augment.degrade import degrade
from hpe.train.augment.pixels import Draw, Pixels
from hpe.train.config import Stage, TrainConfig
from hpe.train.data.people import Photo, read_photos
from hpe.train.data.readers import read_empty
from hpe.train.network import PoseResNet, normalise
from hpe.train.tasks.task import Targets

STRIDE: Final[int] = 4
OUTPUTS: Final[int] = 3
SHARPNESS: Final[float] = 12.0
SPREAD: Final[float] = 0.12  # standard deviation of a centre's Gaussian, in sides of the box
SLOTS: Final[int] = 9
LEAST_PX: Final[float] = 8.0  # longer side, of the network's frame; smaller people are ignored
LEAST_SHARE: Final[float] = 0.3  # of a box that a crop leaves visible; of less one cannot say that somebody is there
MOST: Final[int] = 64  # boxes of a photo


class Photos:
    """Photos' boxes as tensors beside their pixels. boxes: (M, K, 4) px, kind: (M, K) 0 none, 1 person, 2 ignore."""

    def __init__(self, photos: list[Photo], device: torch.device, workers: int) -> None:
        self.pixels = Pixels([p.encoded for p in photos], device, workers)
        boxes = np.zeros((len(photos), MOST, 4), np.float32)
        kind = np.zeros((len(photos), MOST), np.int64)
        for i, photo in enumerate(photos):
            area = np.prod(photo.boxes[:, 2:] - photo.boxes[:, :2], axis=1)
            order = np.lexsort((-area, photo.ignore))[:MOST]  # people first, the largest first
            boxes[i, : len(order)] = photo.boxes[order]
            kind[i, : len(order)] = 1 + photo.ignore[order]
        self.boxes, self.kind = torch.from_numpy(boxes).to(device), torch.from_numpy(kind).to(device)
        self.squashed = torch.tensor([p.squashed for p in photos], device=device)


class LocateTask:
    """A heatmap of people's centres by the focal loss, and their sizes by L1."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        photos: list[Photo] = []
        weights: list[float] = []
        for source in config.train:
            found = _read(source)
            photos += found
            weights += [source.weight] * len(found)
        self.photos = Photos(photos, device, config.workers)
        self._draw = Draw(weights, device)
        self._val = [photo for source in config.val for photo in _read(source)]

    def network(self) -> PoseResNet:
        network = PoseResNet(self.config.depth, OUTPUTS, self.config.deconv_channels, self.config.width)
        # a score of 0.03 everywhere to begin with, and people of a fifth
        nn.init.constant_(cast(Tensor, network.final_layer.bias), 0.2)
        return network

    def facts(self) -> dict[str, Any]:
        return {"task": "locate"}

    def batch(self, step: int, stage: Stage) -> tuple[Tensor, Targets]:
        """-> pictures, and (centres, background weight, size (N, 2, h, w), size weight) float32, (N, h, w) else."""
        chance = Chance(self.config.seed, step, stage.batch, self.device)
        with torch.no_grad():
            return self._mosaics(stage.height, stage.width, chance)

    def _mosaics(self, height: int, width: int, chance: Chance) -> tuple[Tensor, Targets]:
        n, device, settings = chance.count, self.device, self.config.augmentation
        # 1. the grid: rows and columns of slots by three inner and outer lines
        drawn = chance.uniform(0, 1)
        one, four = settings.mosaic
        grid = 1 + (drawn > one).long() + (drawn > one + four).long()
        x_lines, y_lines = _lines(grid, width, chance), _lines(grid, height, chance)  # (N, 4) px
        slot = torch.arange(SLOTS, device=device)
        col, row = slot % 3, slot // 3
        low = torch.stack([x_lines[:, col], y_lines[:, row]], dim=2)  # (N, S, 2)
        high = torch.stack([x_lines[:, col + 1], y_lines[:, row + 1]], dim=2)
        # 2. a photo for each slot, its scale and place
        which = self._draw(chance.generator, n, SLOTS)
        size = self.photos.pixels.size[self.photos.pixels.index[which]]  # (N, S, 2) px w, h
        room = high - low
        # alone in the frame a photo fills it as in use; among others it may be larger than its slot
        fit = (room / size).min(dim=2).values
        jitter = torch.exp(chance.uniform(float(np.log(settings.zoom[0])), float(np.log(settings.zoom[1])), SLOTS))
        jitter = torch.where((grid > 1)[:, None], jitter * 1.2, jitter)
        wide = torch.where(self.photos.squashed[which], 0.32, 0.12)
        stretch = torch.exp(chance.uniform(-1, 1, SLOTS) * wide)
        scale = (fit * jitter)[..., None] * torch.stack([stretch.sqrt(), 1 / stretch.sqrt()], dim=2)  # (N, S, 2)
        shown = size * scale
        corner = low + chance.uniform(0, 1, SLOTS, 2) * (room - shown)
        flip = chance.uniform(0, 1, SLOTS) < settings.flip_p
        # 3. pixels
        pictures = self._pictures(which, low, high, x_lines, y_lines, scale, corner, size, flip, height, width)
        pictures = degrade(pictures.permute(0, 3, 1, 2), settings, chance)
        # 4. boxes
        boxes = self.photos.boxes[which]  # (N, S, K, 4)
        kind = torch.where((room.min(dim=2).values > 1)[..., None], self.photos.kind[which], 0)
        turned = torch.stack(
            [
                size[..., 0, None] - 1 - boxes[..., 2],
                boxes[..., 1],
                size[..., 0, None] - 1 - boxes[..., 0],
                boxes[..., 3],
            ],
            dim=3,
        )
        boxes = torch.where(flip[..., None, None], turned, boxes)
        two = scale.repeat(1, 1, 2)[:, :, None]
        boxes = (boxes + 0.5) * two - 0.5 + corner.repeat(1, 1, 2)[:, :, None]
        clipped = torch.cat(
            [
                torch.maximum(boxes[..., :2], low[:, :, None] - 0.5),
                torch.minimum(boxes[..., 2:], high[:, :, None] - 0.5),
            ],
            dim=3,
        )
        sides, whole = clipped[..., 2:] - clipped[..., :2], boxes[..., 2:] - boxes[..., :2]
        area = sides.clamp(min=0).prod(dim=3)
        share = area / whole.prod(dim=3).clamp(min=1e-6)
        kind = torch.where((sides.min(dim=3).values <= 1) | (share < 0.02), 0, kind)
        doubtful = (share < LEAST_SHARE) | (sides.max(dim=3).values < LEAST_PX)
        kind = torch.where((kind == 1) & doubtful, 2, kind)
        targets = encode_boxes(clipped.flatten(1, 2), kind.flatten(1), height, width)
        return pictures.round().to(torch.uint8).permute(0, 2, 3, 1), targets

    def _pictures(
        self,
        which: Tensor,
        low: Tensor,
        high: Tensor,
        x_lines: Tensor,
        y_lines: Tensor,
        scale: Tensor,
        corner: Tensor,
        size: Tensor,
        flip: Tensor,
        height: int,
        width: int,
    ) -> Tensor:
        """-> (N, H, W, 3) float32: each px from its slot's photo, black where that does not reach."""
        n, device = len(which), self.device
        x = torch.arange(width, dtype=torch.float32, device=device)
        y = torch.arange(height, dtype=torch.float32, device=device)
        col = (x[None] >= x_lines[:, 1:2]).long() + (x[None] >= x_lines[:, 2:3]).long()  # (N, W)
        row = (y[None] >= y_lines[:, 1:2]).long() + (y[None] >= y_lines[:, 2:3]).long()
        slot = row[:, :, None] * 3 + col[:, None, :]  # (N, H, W)
        flat = slot.flatten(1)

        def at(values: Tensor) -> Tensor:
            return values.gather(1, flat).view(n, height, width)

        px = (x[None, None, :] - at(corner[..., 0]) + 0.5) / at(scale[..., 0]) - 0.5
        py = (y[None, :, None] - at(corner[..., 1]) + 0.5) / at(scale[..., 1]) - 0.5
        w, h = at(size[..., 0]), at(size[..., 1])
        inside = (px >= -0.5) & (px <= w - 0.5) & (py >= -0.5) & (py <= h - 0.5)
        px = torch.where(at(flip.float()) > 0, w - 1 - px, px)
        index = self.photos.pixels.index[which]
        level = self.photos.pixels.level_for(scale.prod(dim=2).sqrt())
        out = self.photos.pixels.sample(at(index), at(level), px, py)
        return out * inside.unsqueeze(-1)

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Penalty-reduced focal loss of the centres (their equation 1) + relative L1 of the sizes, per person."""
        centres, background, size, size_weight = targets
        logit = SHARPNESS * (outputs[:, 0] - 0.5)
        score = torch.sigmoid(logit)
        found = centres >= 1
        people = found.sum().clamp(min=1)
        positive = (1 - score) ** 2 * functional.logsigmoid(logit) * found
        negative = (1 - centres) ** 4 * score**2 * functional.logsigmoid(-logit) * background * ~found
        centre = -(positive.sum() + negative.sum()) / people
        relative = (outputs[:, 1:] - size).abs() / (size + 0.05)
        sizes = (relative * size_weight[:, None]).sum() / people
        return centre + self.config.size_loss * sizes

    @torch.no_grad()
    def validate(self, network: PoseResNet, stage: Stage) -> dict[str, float]:
        """Box AP50 on the validation photos, over all and from 32 and 96 px up, each photo as in use."""
        from hpe.measure.box_ap import box_ap

        network.eval()
        longer = max(stage.height, stage.width)
        found = []
        for start in range(0, len(self._val), 51):
            frames, scales = zip(*(framed(p.image(), longer) for p in self._val[start : start + 51]), strict=True)
            pictures = torch.from_numpy(np.stack(frames)).to(self.device)
            outputs = network(normalise(pictures)).float()
            found += [simple_boxes(o, longer, s) for o, s in zip(outputs, scales, strict=True)]
        return {f"ap50_{px}": box_ap(found, self._val, 0.5, least_px=px) for px in (32, 96, 0)}


def _read(source: Any) -> list[Photo]:
    from pathlib import Path

    path = Path(source.path).expanduser()
    if source.kind == "people":
        photos = read_photos(path)
    else:
        nobody = np.zeros((0, 4), np.float32), np.zeros(0, np.bool_), np.zeros((0, 16, 3), np.float32)
        photos = [Photo(s.id, s.encoded, *nobody) for s in read_empty(path, **source.options)]
    return [p for p in photos if p.id.startswith(source.match)]


def _lines(grid: Tensor, side: int, chance: Chance) -> Tensor:
    """(N,) 1, 2 or 3 slots -> (N, 4) px where slots begin and the last ends; unused ones are empty."""
    inner = chance.uniform(-0.15, 0.15, 2)
    first = torch.where(grid == 2, 0.5 + inner[:, 0], 1 / 3 + inner[:, 0] / 2)
    second = torch.where(grid == 2, torch.ones_like(first), 2 / 3 + inner[:, 1] / 2)
    first = torch.where(grid == 1, torch.ones_like(first), first)
    second = torch.where(grid == 1, torch.ones_like(second), second)
    ends = torch.stack([torch.zeros_like(first), first, second, torch.ones_like(first)], dim=1)
    return (ends * side).round()


def encode_boxes(boxes: Tensor, kind: Tensor, height: int, width: int) -> Targets:
    """(N, K, 4) network px, (N, K) 0 none, 1 person, 2 ignore -> the targets of `LocateTask.loss`.

    Of overlapping Gaussians the higher one counts, with the sizes of its box; smaller people come last and win a tie.
    """
    n, device = len(boxes), boxes.device
    h, w = height // STRIDE, width // STRIDE
    longer = float(max(height, width))
    gx, gy = torch.arange(w, device=device).float(), torch.arange(h, device=device).float()
    centres = torch.zeros(n, h, w, device=device)
    size = torch.full((n, 2, h, w), 0.2, device=device)
    weight = torch.zeros(n, h, w, device=device)
    sides = boxes[..., 2:] - boxes[..., :2]
    area = torch.where(kind == 1, sides.prod(dim=2), -1.0)
    order = area.argsort(dim=1, descending=True)
    count = int((kind == 1).sum(dim=1).max())
    for k in range(count):
        pick = order[:, k]
        rows = torch.arange(n, device=device)
        valid = (kind[rows, pick] == 1)[:, None, None]
        box, side = boxes[rows, pick], sides[rows, pick]
        middle = (box[:, :2] + box[:, 2:]) / 2 / STRIDE
        sigma = (SPREAD * side / STRIDE).clamp(min=1.0)
        across = torch.exp(-((gx - middle[:, :1]) ** 2) / (2 * sigma[:, :1] ** 2))
        down = torch.exp(-((gy - middle[:, 1:]) ** 2) / (2 * sigma[:, 1:] ** 2))
        bump = down[:, :, None] * across[:, None, :] * valid
        nearest = middle.round().long()
        nx, ny = nearest[:, 0].clamp(0, w - 1), nearest[:, 1].clamp(0, h - 1)
        bump = bump.clamp(max=0.999)
        bump[rows, ny, nx] = torch.where(valid[:, 0, 0], torch.ones(n, device=device), bump[rows, ny, nx])
        higher = bump > torch.clamp(centres, max=0.9995)
        centres = torch.where(higher, bump, centres)
        # each person counts alike, however many cells they cover
        each = torch.where(bump > 0.3, bump / (2 * torch.pi * sigma.prod(dim=1))[:, None, None], torch.zeros_like(bump))
        weight = torch.where(higher, each, weight)
        size = torch.where(higher[:, None], (side / longer)[:, :, None, None], size)
    ignored = (kind == 2)[..., None]
    in_x = ((gx * STRIDE >= boxes[..., :1]) & (gx * STRIDE <= boxes[..., 2:3]) & ignored).float()
    in_y = ((gy * STRIDE >= boxes[..., 1:2]) & (gy * STRIDE <= boxes[..., 3:4]) & ignored).float()
    background = (torch.einsum("nkh,nkw->nhw", in_y, in_x) == 0).float()
    return centres, background, size, weight


def framed(rgb: "np.typing.NDArray[np.uint8]", longer: int) -> tuple["np.typing.NDArray[np.uint8]", float]:
    """(H, W, 3) uint8 RGB -> the picture with its longer side `longer` px in the corner of a black square of that side,
    and px of the square per px of the picture."""
    import cv2

    height, width = rgb.shape[:2]
    scale = longer / max(height, width)
    fit = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(rgb, fit, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    frame = np.zeros((longer, longer, 3), np.uint8)
    frame[: fit[1], : fit[0]] = small
    return frame, scale


def simple_boxes(outputs: Tensor, longer: int, scale: float, most: int = 60) -> "np.typing.NDArray[np.float64]":
    """(3, h, w) -> (K, 5) x0, y0, x1, y1 in picture px and score: peaks of 3 x 3 cells, then NMS at IoU 0.55."""
    v = outputs[0]
    top = functional.max_pool2d(v[None, None], 3, 1, 1)[0, 0]
    peak = torch.where(v == top, torch.sigmoid(SHARPNESS * (v - 0.5)), torch.zeros_like(v))
    score, at = peak.flatten().topk(min(most, peak.numel()))
    y, x = (at // v.shape[1]).float() * STRIDE, (at % v.shape[1]).float() * STRIDE
    w, h = outputs[1].flatten()[at] * longer, outputs[2].flatten()[at] * longer
    table = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dim=1)
    boxes = ((table + 0.5) / scale - 0.5).double().cpu().numpy()
    scores = score.double().cpu().numpy()
    kept: list[int] = []
    for i in range(len(boxes)):
        if scores[i] < 0.01:
            break
        if all(_iou(boxes[i], boxes[j]) < 0.55 for j in kept):
            kept.append(i)
    return np.concatenate([boxes[kept], scores[kept, None]], axis=1)


def _iou(a: "np.typing.NDArray[np.float64]", b: "np.typing.NDArray[np.float64]") -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    both = w * h
    return float(both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both))
