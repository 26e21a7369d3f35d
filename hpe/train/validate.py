"""Validation while training: PCK@0.2 on crops round the labelled box, by the product's own crop and decoding."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hpe.measure.pck import pck, torso_px
from hpe.pose.crops import undo_affine
from hpe.pose.heatmaps import decode_joints, flip_heatmaps
from hpe.pose.skeleton import FLIP_ORDER, LSP_JOINTS
from hpe.train.augment import plain_crop
from hpe.train.config import Source
from hpe.train.network import PoseResNet, normalise
from hpe.train.samples import ImageCache
from hpe.train.shards import training_samples


class CropValidator:
    """PCK@0.2 over the 14 LSP joints. `hpe eval` measures the product's own files; this picks checkpoints."""

    def __init__(self, source: Source, cache: Path, sigma: float, flip: bool = False) -> None:
        self.samples = training_samples(source, cache)
        self.images = ImageCache(self.samples)
        self.sigma, self.flip = sigma, flip
        self.points = np.stack([s.points for s in self.samples])
        self.labelled = np.stack([s.labelled for s in self.samples])

    def pck(self, model: PoseResNet, size: int, device: torch.device, batch: int = 50) -> float:
        """-> percent."""
        predicted: list[NDArray[np.float64]] = []
        model.eval()
        for start in range(0, len(self.samples), batch):
            rows = range(start, min(start + batch, len(self.samples)))
            pairs = [plain_crop(self.samples[i], self.images[i], size) for i in rows]
            images = torch.from_numpy(np.stack([crop for crop, _ in pairs])).to(device)
            for maps, (_, affine) in zip(self._heatmaps(model, images), pairs, strict=True):
                predicted.append(undo_affine(decode_joints(maps, sigma=self.sigma)[0], affine))
        reference = torso_px(self.points, self.labelled)
        return pck(np.stack(predicted), self.points, self.labelled, reference, 0.2, LSP_JOINTS)[0]

    @torch.no_grad()
    def _heatmaps(self, model: PoseResNet, images: Tensor) -> NDArray[np.float32]:
        maps: NDArray[np.float32] = model(normalise(images)).float().cpu().numpy()
        if not self.flip:
            return maps
        mirrored = model(normalise(images.flip(2))).float().cpu().numpy()
        back = np.stack([flip_heatmaps(m, FLIP_ORDER) for m in mirrored])
        return np.asarray((maps + back) / 2, dtype=np.float32)
