"""Quick validation while training: PCK@0.2 on crops round the labelled box."""

from typing import Any

import numpy as np
import torch

from hpe.pose.heatmaps import decode_joints
from hpe.pose.metrics import pck, torso_px
from hpe.pose.preprocess import undo_affine
from hpe.pose.skeleton import LSP_JOINTS
from hpe.train.augment import plain_crop
from hpe.train.config import Source
from hpe.train.network import PoseResNet
from hpe.train.readers import read_source
from hpe.train.samples import ImageCache


class CropValidator:
    """PCK@0.2 over the 14 LSP joints. `hpe eval` gives the product's own number; this one picks checkpoints."""

    def __init__(self, source: Source) -> None:
        self.samples = read_source(source)
        self.cache = ImageCache(self.samples)
        self.points = np.stack([s.points for s in self.samples])
        self.labelled = np.stack([s.labelled for s in self.samples])

    def pck(self, model: PoseResNet, size: int, device: Any, batch: int = 50) -> float:
        """-> percent."""
        from hpe.train.loop import normalise

        predicted: list[np.ndarray[Any, Any]] = []
        model.eval()
        for start in range(0, len(self.samples), batch):
            rows = range(start, min(start + batch, len(self.samples)))
            pairs = [plain_crop(self.samples[i], self.cache[i], size) for i in rows]
            with torch.no_grad():
                images = torch.from_numpy(np.stack([crop for crop, _ in pairs])).to(device)
                maps = model(normalise(images)).float().cpu().numpy()
            for heatmaps, (_, affine) in zip(maps, pairs, strict=True):
                predicted.append(undo_affine(decode_joints(heatmaps, "quarter")[0], affine))
        score, _ = pck(np.stack(predicted), self.points, self.labelled, torso_px(self.points), 0.2, LSP_JOINTS)
        return score
