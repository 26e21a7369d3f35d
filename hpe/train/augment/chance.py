"""Random numbers of one training step, on the device: a function of the seed and the step alone."""

import random

import torch
from torch import Tensor


class Chance:
    """Draws for a batch of `count`, from a generator seeded by (seed, step)."""

    def __init__(self, seed: int, step: int, count: int, device: torch.device) -> None:
        self.generator = torch.Generator(device).manual_seed(seed * 1_000_003 + step)
        # for what decides shapes: a GPU need not be waited for
        self.host = random.Random(seed * 1_000_003 + step)  # nosec B311
        self.count, self.device = count, device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """(count, *shape) float32 in low..high."""
        return torch.rand(self.count, *shape, generator=self.generator, device=self.device) * (high - low) + low

    def normal(self, deviation: float, *shape: int, limit: float = 2.0) -> Tensor:
        """(count, *shape) float32 of that standard deviation, cut off at `limit` of them."""
        drawn = torch.randn(self.count, *shape, generator=self.generator, device=self.device)
        return drawn.clamp(-limit, limit) * deviation

    def chosen(self, share: float) -> Tensor:
        """(count,) bool, each true with that probability."""
        return self.uniform(0, 1) < share

    def some(self, share: float) -> Tensor:
        """int64 indices of about `share` of the batch: what costs time is done on these alone."""
        order = torch.randperm(self.count, generator=self.generator, device=self.device)
        wanted = share * self.count
        return order[: int(wanted) + int(self.host.random() < wanted % 1)]
