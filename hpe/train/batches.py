"""Batches as a pure function of the step number, so that a resumed run sees exactly what it would have seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hpe.train.augment import training_example
from hpe.train.config import TrainConfig
from hpe.train.plan import Plan, Rng, plan_example
from hpe.train.samples import ImageCache, Sample
from hpe.train.shards import training_samples

# (B, S, S, 3) uint8 RGB, (B, 16, S/4, S/4) float32 targets, (B, 16) float32 weights
Batch = tuple[Tensor, Tensor, Tensor]


class SamplePool:
    """All training samples, drawn with each source's weight."""

    def __init__(self, config: TrainConfig) -> None:
        self.samples: list[Sample] = []
        shares: list[float] = []
        for source in config.train:
            found = training_samples(source, Path(config.cache))
            self.samples += found
            shares += [source.weight] * len(found)
        self._empty = [i for i, sample in enumerate(self.samples) if sample.empty]
        self._cumulative = np.cumsum(np.array(shares) / np.sum(shares))

    def draw(self, count: int, rng: Rng) -> list[int]:
        """-> indices of samples, with replacement."""
        picks = np.searchsorted(self._cumulative, rng.random(count), side="right")
        return [int(i) for i in np.minimum(picks, len(self.samples) - 1)]

    def scenery(self, index: int, share: float, rng: Rng) -> int | None:
        """For `share` of the samples with people, the index of a photo without people to set them in."""
        if self.samples[index].empty or not self._empty or rng.random() >= share:
            return None
        return int(rng.choice(self._empty))


def plan_step(
    config: TrainConfig, pool: SamplePool, size: int, batch: int, rng: Rng
) -> list[tuple[int, int | None, Plan]]:
    """A step's examples: (sample's index, scenery's index or None, plan)."""
    planned = []
    for index in pool.draw(batch, rng):
        behind = pool.scenery(index, config.augmentation.scenery_p, rng)
        scenery = None if behind is None else pool.samples[behind]
        planned.append((index, behind, plan_example(pool.samples[index], size, config.augmentation, rng, scenery)))
    return planned


def step_rng(config: TrainConfig, step: int) -> Rng:
    return np.random.default_rng([config.seed, step])


class StepBatches(Dataset[Batch]):
    """Item k is step k's batch, augmented by OpenCV."""

    def __init__(self, config: TrainConfig, pool: SamplePool, images: ImageCache, size: int, batch: int) -> None:
        self.config, self.pool, self.images, self.size, self.batch = config, pool, images, size, batch

    def __getitem__(self, step: int) -> Batch:
        rng = step_rng(self.config, step)
        examples = [
            training_example(
                plan,
                self.images[index],
                self._scenery(behind),
                self.size,
                self.config.sigma,
                self.config.augmentation,
                rng,
            )
            for index, behind, plan in plan_step(self.config, self.pool, self.size, self.batch, rng)
        ]
        images, targets, weights = (torch.from_numpy(np.stack(column)) for column in zip(*examples, strict=True))
        return images, targets, weights

    def _scenery(self, index: int | None) -> NDArray[np.uint8] | None:
        return None if index is None else self.images[index]


def _single_threaded(_worker: int) -> None:
    cv2.setNumThreads(0)
    torch.set_num_threads(1)


class WorkerBatches:
    """Augmentation by OpenCV in worker processes."""

    def __init__(self, config: TrainConfig, pool: SamplePool) -> None:
        self.config, self.pool, self.images = config, pool, ImageCache(pool.samples)

    def since(self, step: int, size: int, batch: int) -> Iterator[Batch]:
        """Endless batches from `step` on."""
        workers = self.config.workers
        loader = DataLoader(
            StepBatches(self.config, self.pool, self.images, size, batch),
            batch_size=None,
            sampler=range(step, step + 10_000_000),
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            worker_init_fn=_single_threaded if workers else None,
            pin_memory=torch.cuda.is_available(),
        )
        return cast(Iterator[Batch], iter(loader))
