"""Joints of the person in the middle of a crop: the pose network's examples, loss and validation.

Letters: N examples, J joints, H and W the network's frame in px, h and w its heatmaps in cells.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from hpe.pose.heatmaps import STRIDE
from hpe.pose.skeleton import FLIP_ORDER, INDEX, LIMB_JOINTS, LSP_JOINTS, NUM_JOINTS, NUM_KEYPOINTS
from hpe.train.augment.chance import Chance
from hpe.train.augment.crops import (
    back,
    clipped,
    crop_affine,
    cut_off,
    mirrored,
    random_affine,
    seen,
    windows,
    within,
)
from hpe.train.augment.degrade import degrade
from hpe.train.augment.pixels import Draw, Pixels
from hpe.train.config import Stage, TrainConfig
from hpe.train.data.samples import Sample
from hpe.train.data.shards import training_samples
from hpe.train.network import PoseResNet, normalise
from hpe.train.tasks.task import Targets

# An unlabelled joint is looked for no further outside a person's box than this share of it.
OUTSIDE: Final[float] = 0.05
# The face's points weigh more in the loss: COCO's tolerances for them are a third of those for limbs, and the network
# knew none of them before it saw people's labels.
FACE_WEIGHT: Final[float] = 2.0


class People:
    """N samples as tensors on the device, beside their pixels."""

    def __init__(self, samples: list[Sample], device: torch.device) -> None:
        self.pixels = Pixels([s.encoded for s in samples], device)
        self.points = torch.from_numpy(np.stack([s.points for s in samples]).astype(np.float32)).to(device)
        self.labelled = torch.from_numpy(np.stack([s.labelled for s in samples])).to(device)
        self.box = torch.from_numpy(np.stack([s.box for s in samples]).astype(np.float32)).to(device)
        self.known = self.labelled | torch.from_numpy(np.stack([s.absent for s in samples])).to(device)
        self.squashed = torch.tensor([s.squashed for s in samples], device=device)
        self.empty = torch.tensor([s.empty for s in samples], device=device)
        # photos without people that are cropped at random; lookalikes are cropped round their box
        self.anywhere = torch.tensor([s.empty and not s.lookalike for s in samples], device=device)
        self.whole_box = torch.tensor([s.whole_box for s in samples], device=device)
        size = self.pixels.size[self.pixels.index]
        # the picture's outer edges, pixel centres at integers
        self.frame = torch.cat([torch.full_like(size, -0.5), size - 0.5], dim=1)


class PoseTask:
    """Heatmaps of 21 keypoints by mean squared error (Xiao, Wu, Wei 2018)."""

    def __init__(self, config: TrainConfig, cache: Path, device: torch.device) -> None:
        self.config, self.device = config, device
        samples: list[Sample] = []
        weights: list[float] = []
        for source in config.train:
            found = training_samples(source, cache)
            samples += found
            weights += [source.weight] * len(found)
        self.people = People(samples, device)
        self._draw = Draw(weights, device)
        self._empty = self.people.anywhere.nonzero()[:, 0]
        self._flip = torch.tensor(FLIP_ORDER, device=device)
        self._joints = torch.ones(NUM_KEYPOINTS, 1, 1, device=device)
        self._joints[NUM_JOINTS:] = FACE_WEIGHT
        self._validation = [
            (Path(s.path).stem, People(v, device), v[0].whole_box)
            for s in config.val
            if (v := training_samples(s, cache))
        ]

    def network(self) -> PoseResNet:
        return PoseResNet(self.config.depth, NUM_KEYPOINTS, self.config.deconv_channels, self.config.width)

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
        points, labelled, known = self.people.points[who], self.people.labelled[who], self.people.known[who]
        visible = cut_off(
            self.people.frame[who], self.people.box[who], points, labelled & ~empty[:, None], settings, chance
        )
        box = clipped(self.people.box[who], visible)
        anywhere = self.people.anywhere[who]
        box = torch.where(anywhere[:, None], windows(self.people.frame[who], chance), box)
        affine = random_affine(box, self.people.squashed[who], height, width, settings, chance)
        flip = chance.chosen(settings.flip_p)
        affine = torch.where(flip[:, None, None], mirrored(affine, width), affine)
        points = torch.where(flip[:, None, None], points[:, self._flip], points)
        labelled = torch.where(flip[:, None], labelled[:, self._flip], labelled)
        known = torch.where(flip[:, None], known[:, self._flip], known)
        there = ((points >= visible[:, None, :2]) & (points <= visible[:, None, 2:])).all(dim=2)
        pictures = self._pictures(who, affine, visible, height, width, chance)
        placed = (affine[:, None, :2, :2] @ points[..., None]).squeeze(-1) + affine[:, None, :2, 2]
        targets, inside = heatmaps(placed, height, width, self.config.sigma)
        shown = labelled & there & inside & ~empty[:, None]
        targets = targets * shown[..., None, None]
        weights = known.float()[..., None, None].expand_as(targets)
        # Of a joint that nobody labelled it is known all the same where it is not: outside the person's own box.
        reach = OUTSIDE * (box[:, 2:] - box[:, :2])
        near = torch.cat([box[:, :2] - reach, box[:, 2:] + reach], dim=1)
        x, y = back(affine, height, width, STRIDE)
        outside = ~(
            (x >= near[:, None, None, 0])
            & (x <= near[:, None, None, 2])
            & (y >= near[:, None, None, 1])
            & (y <= near[:, None, None, 3])
        )
        elsewhere = outside & self.people.whole_box[who][:, None, None]
        weights = torch.maximum(weights, elsewhere[:, None].float().expand_as(weights)) * self._joints
        return pictures, (targets, weights)

    def _pictures(
        self, who: Tensor, affine: Tensor, visible: Tensor, height: int, width: int, chance: Chance
    ) -> Tensor:
        people, settings = self.people, self.config.augmentation
        out = seen(people.pixels, people.pixels.index[who], affine, visible, height, width)
        if len(self._empty):  # cut-outs end near the person: a frame of black would give the place away
            rows = chance.some(settings.scenery_p)
            pick = torch.randint(len(self._empty), (len(rows),), generator=chance.generator, device=self.device)
            behind = self._empty[pick]
            box = windows(people.frame, chance, behind)
            view = crop_affine(box, height, width, 1.0)
            scene = seen(people.pixels, people.pixels.index[behind], view, people.frame[behind], height, width)
            x, y = back(affine[rows], height, width)
            # a whole photo ends where it ends
            kept = within(x, y, visible[rows]) | people.whole_box[who[rows]][:, None, None]
            out[rows] = torch.where(kept.unsqueeze(-1), out[rows], scene)
        out = degrade(out.permute(0, 3, 1, 2), settings, chance)
        return out.round().to(torch.uint8).permute(0, 2, 3, 1)

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """1/2 mean of w (p - t)^2 over everything: the paper's loss with a weight for each cell."""
        maps, weights = targets
        return 0.5 * (weights * (outputs - maps).square()).mean()

    def weight(self, outputs: Tensor) -> Tensor:
        """Peaks six times as much as where nothing is: their place and height are what is read."""
        return 0.2 + outputs.clamp(0, 1)

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
            error = (points - people.points[:, : points.shape[1]]).norm(dim=2)
            if whole:
                longer = (people.box[:, 2:] - people.box[:, :2]).max(dim=1).values
                limit, joints = 0.1 * longer[:, None], list(LIMB_JOINTS)
            else:
                torso = people.points[:, INDEX["left_shoulder"]] - people.points[:, INDEX["right_hip"]]
                limit = 0.2 * torso.norm(dim=1)[:, None]
                joints = list(LSP_JOINTS)
            counted = people.labelled[:, joints]
            measures[name] = 100 * float((error[:, joints] <= limit)[counted].float().mean())
        return measures

    @torch.no_grad()
    def _predict(self, network: PoseResNet, people: People, rows: Tensor, stage: Stage) -> Tensor:
        """-> (N, J, 2) px of the pictures."""
        affine = crop_affine(people.box[rows], stage.height, stage.width)
        view = seen(people.pixels, people.pixels.index[rows], affine, people.frame[rows], stage.height, stage.width)
        maps = network(normalise(view.round().to(torch.uint8))).float()
        placed = peaks(maps) * STRIDE
        inverse: Tensor = torch.linalg.inv(affine[:, :2, :2])
        return (placed - affine[:, None, :2, 2]) @ inverse.mT


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
