"""Distillation: a network learns what another answers, instead of labels (Hinton et al. 2015, arXiv 1503.02531)."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hpe.errors import BadModel
from hpe.pose.heatmaps import STRIDE
from hpe.train.tasks.task import Task

# (N, H, W, 3) uint8 RGB -> (N, C, H/4, W/4) float32 maps
Network = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class Teacher:
    """Answers with the mean of what it says of a picture and of its mirror image, which is better than either."""

    def __init__(self, network: Network, task: Task) -> None:
        self._network, self._task = network, task

    def __call__(self, images: Tensor) -> Tensor:
        """(N, H, W, 3) uint8 RGB -> (N, C, H/4, W/4) float32, on the pictures' device."""
        # Cell c lies at px 4 c. Mirrored about the middle of the cells, not of the px, cells fall on cells.
        mirror = images.flip(2).roll(1 - STRIDE, dims=2)
        return (self._maps(images) + self._task.mirrored(self._maps(mirror))) / 2

    def _maps(self, images: Tensor) -> Tensor:
        return torch.from_numpy(self._network(images.cpu().numpy())).to(images.device)


def distance(outputs: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """(N, C, h, w) float32, all three -> the weighted mean squared difference. Raises BadModel if C differs."""
    if outputs.shape[1] != wanted.shape[1]:
        raise BadModel(
            f"the teacher gives {wanted.shape[1]} maps, the student {outputs.shape[1]}: name a teacher with the "
            "student's keypoints"
        )
    return (weight * (outputs - wanted).square()).sum() / weight.sum()
