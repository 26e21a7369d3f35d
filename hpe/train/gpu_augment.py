"""Training examples made on the GPU in batches, from uint8 pictures that stay in its memory.

The geometry comes from the same plans as on the CPU; only pixels and targets are made here. Everything is a
pure function of the step number on a given device. It runs on a CPU device too, which is how it is tested.
"""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hpe.pose.crops import PAD_RGB, Affine
from hpe.pose.heatmaps import STRIDE
from hpe.train.batches import Batch, SamplePool, plan_step, step_rng
from hpe.train.config import TrainConfig
from hpe.train.gpu_degrade import degrade_batch
from hpe.train.plan import Plan
from hpe.train.samples import Sample

UNPADDED: Final[Affine] = np.hstack([np.eye(2), np.zeros((2, 1))])


class DeviceImages:
    """Samples' pictures, each in the corner of a (3, K, K) uint8 canvas; larger ones scaled down to fit.

    pixels: (M, 3, K, K) uint8 on the device. to_canvas: (M, 2, 3) float64 maps sample px -> canvas px.
    extent: (M, 2) float32 width and height of each picture on its canvas, px.
    """

    def __init__(self, samples: list[Sample], canvas: int, device: torch.device) -> None:
        self.canvas = canvas
        self.pixels = torch.zeros(len(samples), 3, canvas, canvas, dtype=torch.uint8, device=device)
        self.to_canvas = np.tile(UNPADDED, (len(samples), 1, 1))
        self.extent = torch.zeros(len(samples), 2, device=device)
        for i, sample in enumerate(samples):
            picture, self.to_canvas[i] = _fitted(sample.image(), canvas)
            height, width = picture.shape[:2]
            self.pixels[i, :, :height, :width] = torch.from_numpy(picture).permute(2, 0, 1).to(device)
            self.extent[i] = torch.tensor([width, height])

    def warp(self, indices: list[int], affines: NDArray[np.float64], size: int) -> tuple[Tensor, Tensor]:
        """(N,) pictures through (N, 2, 3) maps sample px -> network px.

        -> (N, 3, S, S) float32 RGB 0..255, each picture's edge carried on outside it; (N, 1, S, S) bool inside.
        """
        device = self.pixels.device
        to_network = _square(affines) @ np.linalg.inv(_square(self.to_canvas[indices]))
        # grid_sample wants the way back, in coordinates where -1 and 1 are the outer edges (align_corners=False).
        # affine_grid multiplies matrices: in TF32, which torch leaves off unless asked, it would be off by 0.1 px.
        theta = _px_to_unit(self.canvas) @ np.linalg.inv(to_network) @ np.linalg.inv(_px_to_unit(size))
        grid = functional.affine_grid(
            torch.from_numpy(theta[:, :2]).float().to(device), [len(indices), 3, size, size], align_corners=False
        )
        picked = torch.tensor(indices, device=device)
        source = ((grid + 1) * self.canvas - 1) / 2
        last = self.extent[picked][:, None, None] - 1
        inside = ((source >= 0) & (source <= last)).all(dim=3)
        # the rest of the canvas is no part of the picture
        grid = (2 * torch.minimum(source.clamp(min=0), last) + 1) / self.canvas - 1
        out = functional.grid_sample(self.pixels[picked].float(), grid, mode="bilinear", align_corners=False)
        return out, inside[:, None]


def _fitted(picture: NDArray[np.uint8], canvas: int) -> tuple[NDArray[np.uint8], Affine]:
    height, width = picture.shape[:2]
    factor = canvas / max(height, width)
    if factor >= 1:
        return picture, UNPADDED
    w, h = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA).astype(np.uint8)
    sx, sy = w / width, h / height  # pixel centres at integers on both sides
    return small, np.array([[sx, 0.0, sx / 2 - 0.5], [0.0, sy, sy / 2 - 0.5]])


def _square(affines: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2, 3) -> (N, 3, 3)."""
    last = np.tile(np.array([[[0.0, 0.0, 1.0]]]), (len(affines), 1, 1))
    return np.concatenate([affines, last], axis=1)


def _px_to_unit(side: int) -> NDArray[np.float64]:
    scale = 2 / side
    return np.array([[scale, 0, 1 / side - 1], [0, scale, 1 / side - 1], [0, 0, 1]])


def draw_plans(images: DeviceImages, planned: list[tuple[int, int | None, Plan]], size: int) -> Tensor:
    """`hpe.train.augment.draw_plan` for a batch -> (N, 3, S, S) float32 RGB 0..255."""
    pad = torch.tensor(PAD_RGB, dtype=torch.float32, device=images.pixels.device)
    canvas = pad[None, :, None, None].expand(len(planned), 3, size, size).clone()
    rows = [(row, behind, plan.behind) for row, (_, behind, plan) in enumerate(planned)]
    backed = [(row, behind, affine) for row, behind, affine in rows if behind is not None and affine is not None]
    if backed:
        chosen, scenery, affines = (list(column) for column in zip(*backed, strict=True))
        canvas[chosen] = images.warp(scenery, np.stack(affines), size)[0]
    people, inside = images.warp([i for i, _, _ in planned], np.stack([p.affine for _, _, p in planned]), size)
    return torch.where(inside, people, canvas)


def encode_batch(
    plans: list[Plan], size: int, sigma: float, device: torch.device, empty_outside: bool = False
) -> tuple[Tensor, Tensor]:
    """`hpe.pose.heatmaps.encode_joints` for a batch -> (N, 16, S/4, S/4) float32 targets, (N, 16) float32 weights.

    empty_outside: joints outside the frame keep their weight.
    """
    cells = size // STRIDE
    centres = torch.from_numpy(np.stack([plan.points for plan in plans])).float().to(device) / STRIDE
    weights = torch.from_numpy(np.stack([plan.weights for plan in plans])).to(device)
    present = torch.tensor([not plan.empty for plan in plans], device=device)[:, None]
    inside = ((centres > -3 * sigma) & (centres < cells - 1 + 3 * sigma)).all(dim=2)
    seen = weights * (inside | ~present)
    grid = torch.arange(cells, dtype=torch.float32, device=device)
    along = torch.exp(-((grid - centres[..., None]) ** 2) / (2 * sigma**2))  # (N, 16, 2, cells)
    targets = along[:, :, 1, :, None] * along[:, :, 0, None, :]
    return targets * ((seen > 0) & present)[..., None, None], weights if empty_outside else seen


class DeviceBatches:
    """Augmentation on the device that trains."""

    def __init__(self, config: TrainConfig, pool: SamplePool, device: torch.device) -> None:
        self.config, self.pool, self.device = config, pool, device
        self.images = DeviceImages(pool.samples, config.canvas, device)

    def since(self, step: int, size: int, batch: int) -> Iterator[Batch]:
        """Endless batches from `step` on."""
        while True:
            yield self.batch_of(step, size, batch)
            step += 1

    def batch_of(self, step: int, size: int, batch: int) -> Batch:
        planned = plan_step(self.config, self.pool, size, batch, step_rng(self.config, step))
        generator = torch.Generator(self.device).manual_seed(self.config.seed * 1_000_003 + step)
        with torch.no_grad():
            pictures = degrade_batch(draw_plans(self.images, planned, size), self.config.augmentation, generator)
            plans, outside = [p for _, _, p in planned], self.config.augmentation.empty_outside
            targets, weights = encode_batch(plans, size, self.config.sigma, self.device, outside)
        return pictures.round().to(torch.uint8).permute(0, 2, 3, 1), targets, weights
