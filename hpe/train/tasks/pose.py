"""Joints of the person in the middle of a crop: the pose network's examples, loss and validation.

Letters: N examples, J joints, H and W the network's frame in px, h and w its heatmaps in cells.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from hpe.pose.skeleton import FLIP_ORDER, INDEX, LIMB_JOINTS, LSP_JOINTS, NUM_JOINTS
from hpe.train.augment.chance import Chance
from hpe.train.augment.degrade import degrade
from hpe.train.augment.pixels import Draw, Pixels
from hpe.train.config import Augmentation, Stage, TrainConfig
from hpe.train.data.samples import Sample
from hpe.train.data.shards import training_samples
from hpe.train.network import PoseResNet, normalise
from hpe.train.tasks.task import Targets

STRIDE: Final[int] = 4
MARGIN: Final[float] = 1.25
# An unlabelled joint is looked for no further outside a person's box than this share of it.
OUTSIDE: Final[float] = 0.05


class People:
    """N samples as tensors on the device, beside their pixels."""

    def __init__(self, samples: list[Sample], device: torch.device, workers: int) -> None:
        self.pixels = Pixels([s.encoded for s in samples], device, workers)
        self.points = torch.from_numpy(np.stack([s.points for s in samples]).astype(np.float32)).to(device)
        self.labelled = torch.from_numpy(np.stack([s.labelled for s in samples])).to(device)
        self.box = torch.from_numpy(np.stack([s.box for s in samples]).astype(np.float32)).to(device)
        self.empty = torch.tensor([s.empty for s in samples], device=device)
        self.whole_box = torch.tensor([s.whole_box for s in samples], device=device)
        size = self.pixels.size[self.pixels.index]
        # the picture's outer edges, pixel centres at integers
        self.frame = torch.cat([torch.full_like(size, -0.5), size - 0.5], dim=1)


class PoseTask:
    """Heatmaps of 16 joints by mean squared error (Xiao, Wu, Wei 2018)."""

    def __init__(self, config: TrainConfig, cache: Path, device: torch.device) -> None:
        self.config, self.device = config, device
        samples: list[Sample] = []
        weights: list[float] = []
        for source in config.train:
            found = training_samples(source, cache)
            samples += found
            weights += [source.weight] * len(found)
        self.people = People(samples, device, config.workers)
        self._draw = Draw(weights, device)
        self._empty = torch.tensor([i for i, s in enumerate(samples) if s.empty], dtype=torch.int64, device=device)
        self._flip = torch.tensor(FLIP_ORDER, device=device)
        self._validation = [
            (Path(s.path).stem, People(v, device, config.workers), v[0].whole_box)
            for s in config.val
            if (v := training_samples(s, cache))
        ]

    def network(self) -> PoseResNet:
        return PoseResNet(self.config.depth, NUM_JOINTS, self.config.deconv_channels, self.config.width)

    def facts(self) -> dict[str, Any]:
        return {"task": "pose", "sigma": self.config.sigma}

    def batch(self, step: int, stage: Stage) -> tuple[Tensor, Targets]:
        """-> pictures, and (targets (N, J, h, w), weights (N, J, h, w)) float32."""
        chance = Chance(self.config.seed, step, stage.batch, self.device)
        with torch.no_grad():
            return self._examples(stage.height, stage.width, chance)

    def _examples(self, height: int, width: int, chance: Chance) -> tuple[Tensor, Targets]:
        settings = self.config.augmentation
        who = self._draw(chance.generator, chance.count)
        empty = self.people.empty[who]
        points, labelled = self.people.points[who], self.people.labelled[who]
        visible = cut_off(
            self.people.frame[who], self.people.box[who], points, labelled & ~empty[:, None], settings, chance
        )
        box = _clipped(self.people.box[who], visible)
        box = torch.where(empty[:, None], _windows(self.people.frame[who], chance), box)
        affine = random_affine(box, height, width, settings, chance)
        flip = chance.chosen(settings.flip_p)
        affine = torch.where(flip[:, None, None], _mirrored(affine, width), affine)
        mirrored = flip[:, None]
        points = torch.where(mirrored[..., None], points[:, self._flip], points)
        labelled = torch.where(mirrored, labelled[:, self._flip], labelled)
        there = ((points >= visible[:, None, :2]) & (points <= visible[:, None, 2:])).all(dim=2)
        pictures = self._pictures(who, affine, visible, height, width, chance)
        placed = (affine[:, None, :2, :2] @ points[..., None]).squeeze(-1) + affine[:, None, :2, 2]
        targets, inside = heatmaps(placed, height, width, self.config.sigma)
        shown = labelled & there & inside & ~empty[:, None]
        targets = targets * shown[..., None, None]
        weights = labelled.float()[..., None, None].expand_as(targets)
        # Of a joint that nobody labelled it is known all the same where it is not: outside the person's own box.
        reach = OUTSIDE * (box[:, 2:] - box[:, :2])
        near = torch.cat([box[:, :2] - reach, box[:, 2:] + reach], dim=1)
        x, y = _back(affine, height, width, STRIDE)
        outside = ~(
            (x >= near[:, None, None, 0])
            & (x <= near[:, None, None, 2])
            & (y >= near[:, None, None, 1])
            & (y <= near[:, None, None, 3])
        )
        known = outside & self.people.whole_box[who][:, None, None]
        weights = torch.maximum(weights, known[:, None].float().expand_as(weights))
        return pictures, (targets, weights)

    def _pictures(
        self, who: Tensor, affine: Tensor, visible: Tensor, height: int, width: int, chance: Chance
    ) -> Tensor:
        people, settings = self.people, self.config.augmentation
        out = _seen(people.pixels, people.pixels.index[who], affine, visible, height, width)
        if len(self._empty):  # cut-outs end near the person: a frame of black would give the place away
            rows = chance.some(settings.scenery_p)
            pick = torch.randint(len(self._empty), (len(rows),), generator=chance.generator, device=self.device)
            behind = self._empty[pick]
            box = _windows(people.frame, chance, behind)
            view = crop_affine(box, height, width, 1.0)
            scene = _seen(people.pixels, people.pixels.index[behind], view, people.frame[behind], height, width)
            x, y = _back(affine[rows], height, width)
            # a whole photo ends where it ends
            kept = _within(x, y, visible[rows]) | people.whole_box[who[rows]][:, None, None]
            out[rows] = torch.where(kept.unsqueeze(-1), out[rows], scene)
        out = degrade(out.permute(0, 3, 1, 2), settings, chance)
        return out.round().to(torch.uint8).permute(0, 2, 3, 1)

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """1/2 mean of w (p - t)^2 over everything: the paper's loss with a weight for each cell."""
        maps, weights = targets
        return 0.5 * (weights * (outputs - maps).square()).mean()

    def validate(self, network: PoseResNet, stage: Stage) -> dict[str, float]:
        """PCK on crops round the given boxes: @0.2 of the torso for LSP, @0.1 of the box's longer side elsewhere.

        Peaks are refined by a quarter of a cell; `hpe eval` measures the product's own decoding.
        """
        measures = {}
        for name, people, whole in self._validation:
            points = torch.cat(
                [
                    self._predict(network, people, rows, stage)
                    for rows in torch.split(torch.arange(len(people.box), device=self.device), 64)
                ]
            )
            error = (points - people.points).norm(dim=2)
            if whole:
                longer = (people.box[:, 2:] - people.box[:, :2]).max(dim=1).values
                limit, joints = 0.1 * longer[:, None], list(LIMB_JOINTS)
            else:
                torso = people.points[:, INDEX["left_shoulder"]] - people.points[:, INDEX["right_hip"]]
                limit = 0.2 * torso.norm(dim=1)[:, None]
                joints = list(LSP_JOINTS)
            counted = people.labelled[:, joints]
            measures[name] = 100 * float((error <= limit)[:, joints][counted].float().mean())
        return measures

    @torch.no_grad()
    def _predict(self, network: PoseResNet, people: People, rows: Tensor, stage: Stage) -> Tensor:
        """-> (N, J, 2) px of the pictures."""
        affine = crop_affine(people.box[rows], stage.height, stage.width)
        view = _seen(people.pixels, people.pixels.index[rows], affine, people.frame[rows], stage.height, stage.width)
        maps = network(normalise(view.round().to(torch.uint8))).float()
        placed = peaks(maps) * STRIDE
        back: Tensor = torch.linalg.inv(affine[:, :2, :2])
        return (placed - affine[:, None, :2, 2]) @ back.mT


def peaks(maps: Tensor) -> Tensor:
    """(N, J, h, w) -> (N, J, 2) float32 cells x, y, a quarter of a cell towards the higher neighbour."""
    height, width = maps.shape[-2:]
    flat = maps.flatten(2)
    at = flat.argmax(dim=2)
    x, y = at % width, at // width

    def value(dx: int, dy: int) -> Tensor:
        place = (y + dy).clamp(0, height - 1) * width + (x + dx).clamp(0, width - 1)
        return flat.gather(2, place[..., None]).squeeze(-1)

    dx, dy = torch.sign(value(1, 0) - value(-1, 0)), torch.sign(value(0, 1) - value(0, -1))
    return torch.stack([x + 0.25 * dx, y + 0.25 * dy], dim=2)


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


def random_affine(box: Tensor, height: int, width: int, settings: Augmentation, chance: Chance) -> Tensor:
    """The crop round a box that errs as a locator does, then rotated, scaled and stretched: (N, 2, 3)."""
    centre, extent = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]).clamp(min=1.0)
    extent_seen = extent * torch.exp(chance.normal(settings.box_size, 2))
    centre = centre + chance.normal(settings.box_shift, 2) * extent
    affine = crop_affine(torch.cat([centre - extent_seen / 2, centre + extent_seen / 2], dim=1), height, width)
    scale = torch.exp(chance.normal(settings.scale))
    stretch = torch.exp(chance.normal(settings.aspect) / 2)
    angle = chance.normal(settings.rotation_deg) * torch.pi / 180 * chance.chosen(settings.rotation_p)
    cos, sin = torch.cos(angle), torch.sin(angle)
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    linear = turn * torch.stack([scale * stretch, scale / stretch], 1)[:, None, :]  # stretched first, then turned
    middle = torch.tensor([(width - 1) / 2, (height - 1) / 2], device=box.device)
    shift = (linear @ (affine[:, :, 2] - middle)[..., None]).squeeze(-1) + middle
    return torch.cat([linear @ affine[:, :, :2], shift[..., None]], dim=2)


def heatmaps(points: Tensor, height: int, width: int, sigma: float) -> tuple[Tensor, Tensor]:
    """(N, J, 2) network px -> (N, J, H/4, W/4) Gaussians, not rounded to cells, and (N, J) bool inside the frame."""
    cells = points / STRIDE
    x = torch.arange(width // STRIDE, dtype=torch.float32, device=points.device)
    y = torch.arange(height // STRIDE, dtype=torch.float32, device=points.device)
    across = torch.exp(-((x - cells[..., :1]) ** 2) / (2 * sigma**2))
    down = torch.exp(-((y - cells[..., 1:]) ** 2) / (2 * sigma**2))
    last = torch.tensor([width // STRIDE - 0.5, height // STRIDE - 0.5], device=points.device)
    inside = ((cells >= -0.5) & (cells <= last)).all(dim=2)
    return down[..., :, None] * across[..., None, :], inside


def _mirrored(affine: Tensor, width: int) -> Tensor:
    """x -> width - 1 - x after the map."""
    sign = torch.tensor([[-1.0], [1.0]], device=affine.device)
    shift = torch.tensor([[0, 0, width - 1.0], [0, 0, 0]], device=affine.device)
    return affine * sign + shift


def _back(affine: Tensor, height: int, width: int, step: int = 1) -> tuple[Tensor, Tensor]:
    """Every `step`-th network px -> x, y in picture px, (N, H/step, W/step) each."""
    inverse = torch.linalg.inv(affine[:, :, :2])
    x = torch.arange(0, width, step, dtype=torch.float32, device=affine.device)[None, None, :]
    y = torch.arange(0, height, step, dtype=torch.float32, device=affine.device)[None, :, None]
    dx, dy = x - affine[:, 0, 2, None, None], y - affine[:, 1, 2, None, None]
    i = inverse[..., None, None]
    return i[:, 0, 0] * dx + i[:, 0, 1] * dy, i[:, 1, 0] * dx + i[:, 1, 1] * dy


def _within(x: Tensor, y: Tensor, box: Tensor) -> Tensor:
    b = box[:, None, None]
    return (x >= b[..., 0]) & (x <= b[..., 2]) & (y >= b[..., 1]) & (y <= b[..., 3])


def _seen(pixels: Pixels, picture: Tensor, affine: Tensor, visible: Tensor, height: int, width: int) -> Tensor:
    """-> (N, H, W, 3) float32 RGB, black outside the visible part."""
    x, y = _back(affine, height, width)
    level = pixels.level_for(torch.linalg.det(affine[:, :, :2]).abs().sqrt())
    out = pixels.sample(picture[:, None, None], level[:, None, None], x, y)
    return out * _within(x, y, visible).unsqueeze(-1)


def _clipped(box: Tensor, visible: Tensor) -> Tensor:
    low = torch.maximum(box[:, :2], visible[:, :2])
    high = torch.minimum(box[:, 2:], visible[:, 2:])
    return torch.cat([low, torch.maximum(high, low + 1)], dim=1)


def _windows(frame: Tensor, chance: Chance, rows: Tensor | None = None) -> Tensor:
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
