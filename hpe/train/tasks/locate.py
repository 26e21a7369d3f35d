"""Everybody in a whole photo: the locator's examples, loss and validation.

After "Objects as Points" (Zhou, Wang, Krähenbühl 2019, arXiv 1904.07850): one heatmap of box centres and two maps of
width and height. `hpe.pose.boxes` says how they are scaled.

Letters: N examples, h and w the maps in cells.
"""

from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hpe.errors import BadData
from hpe.pose.boxes import LOGIT_INTERCEPT, LOGIT_SLOPE, decode_boxes
from hpe.pose.crops import SMOOTH, fit_affine, warp
from hpe.pose.skeleton import NUM_KEYPOINTS
from hpe.score.box_ap import box_ap
from hpe.train.augment.chance import Chance
from hpe.train.augment.mosaic import Photos, mosaics
from hpe.train.augment.pixels import Draw
from hpe.train.config import Source, Stage, TrainConfig
from hpe.train.data.labels import count_agreed
from hpe.train.data.people import photos_of, read_photos
from hpe.train.data.readers import read_source
from hpe.train.data.samples import Photo, Sample
from hpe.train.network import PoseResNet, normalise
from hpe.train.tasks.centres import encode_boxes
from hpe.train.tasks.task import Targets

OUTPUTS: Final[int] = 3
# Of the validation: worse boxes, and more of them, change AP no more.
THRESHOLD: Final[float] = 0.01
MOST_BOXES: Final[int] = 60
BATCH: Final[int] = 51
# Of a student: a size wrong by a fifth costs as much as a logit wrong by 0.9.
SIZE_WEIGHT: Final[float] = 20.0


class LocateTask:
    """A heatmap of people's centres by the focal loss, and their sizes by L1."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        photos: list[Photo] = []
        weights: list[float] = []
        for source in config.train:
            found = read_whole_photos(source)
            photos += found
            weights += [source.weight] * len(found)
        self.unit = config.size_unit or max(max(stage.height, stage.width) for stage in config.stages)
        self._val = [photo for source in config.val for photo in read_whole_photos(source)]
        self.photos = Photos(photos, device)
        self._draw = Draw(weights, device)

    def network(self) -> PoseResNet:
        network = PoseResNet(self.config.depth, OUTPUTS, self.config.deconv_channels, self.config.width)
        # a score of 0.03 everywhere to begin with, and people of a fifth
        nn.init.constant_(cast(Tensor, network.final_layer.bias), 0.2)
        return network

    def facts(self) -> dict[str, Any]:
        return {"task": "locate", "size_unit": self.unit}

    def batch(self, step: int, stage: Stage) -> tuple[Tensor, Targets]:
        """-> pictures, and (centres, background weight, size (N, 2, h, w), size weight) float32, (N, h, w) else."""
        chance = Chance(self.config.seed, step, stage.batch, self.device)
        with torch.no_grad():
            pictures, boxes, kind = mosaics(
                self.photos, self._draw, stage.height, stage.width, self.config.augmentation, chance
            )
            return pictures, encode_boxes(boxes, kind, stage.height, stage.width, self.unit)

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Penalty-reduced focal loss of the centres (their equation 1) + relative L1 of the sizes, per person."""
        centres, background, size, size_weight = targets
        logit = LOGIT_SLOPE * outputs[:, 0] + LOGIT_INTERCEPT
        score = torch.sigmoid(logit)
        found = centres >= 1
        people = found.sum().clamp(min=1)
        positive = (1 - score) ** 2 * functional.logsigmoid(logit) * found
        negative = (1 - centres) ** 4 * score**2 * functional.logsigmoid(-logit) * background * ~found
        centre = -(positive.sum() + negative.sum()) / people
        relative = (outputs[:, 1:] - size).abs() / (size + 0.05)
        sizes = (relative * size_weight[:, None]).sum() / people
        return centre + sizes

    def weight(self, outputs: Tensor) -> Tensor:
        """Of squared errors in logits, and relative ones of sizes: what may be a person counts, by its score."""
        score = torch.sigmoid(LOGIT_SLOPE * outputs[:, :1] + LOGIT_INTERCEPT)
        sizes = score / (outputs[:, 1:].clamp(min=0) + 0.05) ** 2
        return torch.cat([LOGIT_SLOPE**2 * (score + 0.02), SIZE_WEIGHT * sizes], dim=1)

    @torch.no_grad()
    def validate(self, network: PoseResNet, stage: Stage) -> dict[str, float]:
        """Box AP50 on the validation photos, of people from 32 and 96 px up, and of all."""
        network.eval()
        longer = max(stage.height, stage.width)
        found = []
        for start in range(0, len(self._val), BATCH):
            images = [photo.image() for photo in self._val[start : start + BATCH]]
            affines = [fit_affine(image.shape[1], image.shape[0], longer)[0] for image in images]
            # square, unlike in use, so that they go through the network together
            frames = np.stack(
                [warp(image, affine, longer, SMOOTH) for image, affine in zip(images, affines, strict=True)]
            )
            maps = network(normalise(torch.from_numpy(frames).to(self.device))).float().cpu().numpy()
            for image, affine, outputs in zip(images, affines, maps, strict=True):
                boxes, scores = decode_boxes(outputs, affine, image.shape[:2], self.unit, THRESHOLD, MOST_BOXES)
                found.append(np.concatenate([boxes, scores[:, None]], axis=1))
        return {f"ap50_{px}": box_ap(found, self._val, 0.5, least_px=px) for px in (32, 96, 0)}


def read_whole_photos(source: Source) -> list[Photo]:
    """A config's Source -> whole photos. A set of single people does not say who else is there. Raises BadData."""
    if source.kind != "people":
        return [_photo_of(sample) for sample in read_source(source)]
    everything = read_photos(Path(source.path).expanduser())
    if source.labels:
        count_agreed(everything, Path(source.labels).expanduser())
    part = str(source.options.get("part", "all"))
    photos = [p for p in photos_of(everything, part) if p.id.startswith(source.match)]
    if not photos:
        raise BadData(f"{source.path}: no photos (match={source.match!r})")
    return photos


def _photo_of(sample: Sample) -> Photo:
    """One person, and nothing known of what lies outside their box; or nobody at all."""
    joints = np.zeros((1, NUM_KEYPOINTS, 3), np.float32)
    if sample.empty:
        return Photo(sample.id, sample.encoded, np.zeros((0, 4), np.float32), np.zeros(0, np.bool_), joints[:0])
    x0, y0, x1, y1 = (float(v) for v in sample.box)
    far = 1e5
    boxes = np.array(
        [[x0, y0, x1, y1], [-far, -far, far, y0], [-far, y1, far, far], [-far, y0, x0, y1], [x1, y0, far, y1]],
        np.float32,
    )
    return Photo(sample.id, sample.encoded, boxes, np.array([False, True, True, True, True]), joints.repeat(5, axis=0))
