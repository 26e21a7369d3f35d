"""All training pictures decoded once into one uint8 tensor on the device, sampled at any place and scale in batches.

Letters: M pictures, N outputs, H and W their height and width.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hpe.cores import usable_cores
from hpe.train.data.files import decode_rgb

LEVELS: Final[int] = 4  # halvings kept beside each picture, itself included
# Bilinear sampling reads two by two px: of a picture that is finer than this it would skip some, and alias.
FINEST: Final[float] = 0.5  # output px per picture px


class Pixels:
    """Pictures and their halvings (a mip pyramid), flat in memory, so that they may all differ in size.

    encoded: image files, as bytes or paths; the same object twice is stored once. index: (len(encoded),) int64, the
    picture of each. size: (M, 2) float32 width and height in px. About 4 bytes per px of the pictures.
    """

    def __init__(self, encoded: Sequence[bytes | Path], device: torch.device) -> None:
        unique: dict[int, int] = {}
        files: list[bytes | Path] = []
        for file in encoded:
            if id(file) not in unique:
                unique[id(file)] = len(files)
                files.append(file)
        self.device = device
        self.index = torch.tensor([unique[id(file)] for file in encoded], dtype=torch.int64, device=device)
        with ThreadPoolExecutor(usable_cores()) as pool:  # OpenCV lets other threads run while it decodes
            pyramids = list(pool.map(_pyramid, files))
        shapes = np.array([[level.shape[:2] for level in levels] for levels in pyramids])  # (M, LEVELS, 2) h, w
        counts = shapes.prod(axis=2).ravel()
        starts = np.concatenate([[0], np.cumsum(counts)])
        self._data = torch.empty(int(starts[-1]), 3, dtype=torch.uint8)
        flat = self._data.numpy()
        for i, levels in enumerate(pyramids):
            for k, level in enumerate(levels):
                at = starts[i * LEVELS + k]
                flat[at : at + counts[i * LEVELS + k]] = level.reshape(-1, 3)
            pyramids[i] = []  # not held twice
        self._data = self._data.to(device)
        self._start = torch.from_numpy(starts[:-1].reshape(-1, LEVELS)).to(device)
        self._shape = torch.from_numpy(shapes).to(device)
        self.size = self._shape[:, 0].flip(1).float()

    def level_for(self, scale: Tensor) -> Tensor:
        """(...) output px per picture px -> (...) int64 level: halved until at most two px fall on one."""
        return torch.ceil(torch.log2(FINEST / scale)).clamp(0, LEVELS - 1).long()

    def sample(self, picture: Tensor, level: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Bilinear samples at px of the whole picture -> (N, H, W, 3) float32 RGB 0..255, edges carried on outside.

        picture, level: int64 and x, y: float32, all broadcastable to (N, H, W); pixel centres at integers.
        """
        shape = self._shape[picture, level]
        full = self._shape[picture, 0]
        height, width = shape[..., 0], shape[..., 1]
        x = ((x + 0.5) * (width / full[..., 1]) - 0.5).clamp(min=0).minimum((width - 1).float())
        y = ((y + 0.5) * (height / full[..., 0]) - 0.5).clamp(min=0).minimum((height - 1).float())
        left, top = x.long(), y.long()
        dx, dy = (x - left).unsqueeze(-1), (y - top).unsqueeze(-1)
        right, bottom = (left + 1).minimum(width - 1), (top + 1).minimum(height - 1)
        start = self._start[picture, level]
        upper, lower = start + top * width, start + bottom * width
        above = torch.lerp(self._data[upper + left].float(), self._data[upper + right].float(), dx)
        below = torch.lerp(self._data[lower + left].float(), self._data[lower + right].float(), dx)
        return torch.lerp(above, below, dy)


def _pyramid(encoded: bytes | Path) -> list[NDArray[np.uint8]]:
    levels = [decode_rgb(encoded, str(encoded) if isinstance(encoded, Path) else "a training picture")]
    for _ in range(LEVELS - 1):
        height, width = levels[-1].shape[:2]
        half = max(1, math.ceil(width / 2)), max(1, math.ceil(height / 2))
        levels.append(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False))
    return levels


class Draw:
    """Weighted draws with replacement. weights: one per item, relative."""

    def __init__(self, weights: Sequence[float], device: torch.device) -> None:
        total = np.cumsum(np.asarray(weights, np.float64))
        self._cumulative = torch.from_numpy(total / total[-1]).to(device)

    def __call__(self, generator: torch.Generator, *shape: int) -> Tensor:
        """-> int64 indices of that shape."""
        device = self._cumulative.device
        picks = torch.rand(shape, generator=generator, device=device, dtype=torch.float64)
        return torch.searchsorted(self._cumulative, picks, right=True).clamp(max=len(self._cumulative) - 1)
