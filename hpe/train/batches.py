"""Batches as a pure function of the step number, so that a resumed run sees exactly what it would have seen."""

from collections.abc import Iterator
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hpe.train.augment import training_example
from hpe.train.config import TrainConfig
from hpe.train.readers import read_source
from hpe.train.samples import ImageCache, Sample

Batch = tuple[Tensor, Tensor, Tensor]


class StepBatches(Dataset[Batch]):
    """Item k is step k's batch: (B, S, S, 3) uint8 RGB, (B, 16, S/4, S/4) float32, (B, 16) float32."""

    def __init__(self, config: TrainConfig, size: int, batch: int, pool: "SamplePool") -> None:
        self.config, self.size, self.batch, self.pool = config, size, batch, pool

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng([self.config.seed, step])
        images, targets, weights = [], [], []
        for index in self.pool.draw(self.batch, rng):
            image, target, weight = training_example(
                self.pool.samples[index],
                self.pool.cache[index],
                self.size,
                self.config.sigma,
                self.config.augmentation,
                rng,
                self.pool.scenery(index, self.config.augmentation.scenery_p, rng),
            )
            images.append(image)
            targets.append(target)
            weights.append(weight)
        return (
            torch.from_numpy(np.stack(images)),
            torch.from_numpy(np.stack(targets)),
            torch.from_numpy(np.stack(weights)),
        )


class SamplePool:
    """All training samples, decoded once, drawn with each source's weight."""

    def __init__(self, config: TrainConfig) -> None:
        self.samples: list[Sample] = []
        shares: list[float] = []
        for source in config.train:
            found = read_source(source)
            self.samples += found
            shares += [source.weight] * len(found)
        self.cache = ImageCache(self.samples)
        self._empty = [i for i, sample in enumerate(self.samples) if sample.empty]
        self._cumulative = np.cumsum(np.array(shares) / np.sum(shares))

    def scenery(self, index: int, share: float, rng: np.random.Generator) -> NDArray[np.uint8] | None:
        """For `share` of the samples with people, a photo without people to set them in."""
        if self.samples[index].empty or not self._empty or rng.random() >= share:
            return None
        return self.cache[int(rng.choice(self._empty))]

    def draw(self, count: int, rng: np.random.Generator) -> list[int]:
        picks = np.searchsorted(self._cumulative, rng.random(count), side="right")
        return [int(i) for i in np.minimum(picks, len(self.samples) - 1)]


def _single_threaded(_worker: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def batches_from(config: TrainConfig, pool: SamplePool, size: int, batch: int, first_step: int) -> Iterator[Batch]:
    """Endless batches from `first_step` on, prepared by worker processes."""
    loader = DataLoader(
        StepBatches(config, size, batch, pool),
        batch_size=None,
        sampler=range(first_step, first_step + 10_000_000),
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        worker_init_fn=_single_threaded,
    )
    return cast(Iterator[Batch], iter(loader))
