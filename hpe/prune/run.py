"""`hpe prune`: a checkpoint -> a smaller one that answers nearly the same, from training pictures alone.

No labels and no steps of training: channels are chosen by importance, and least squares make up for them.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from hpe.errors import BadModel
from hpe.prune.importance import prune
from hpe.prune.least_squares import refit
from hpe.train.checkpoint import frame_of, read_network, same_keypoints
from hpe.train.config import Stage, TrainConfig
from hpe.train.network import PoseResNet, describe, normalise
from hpe.train.tasks import open_task
from hpe.train.tasks.task import Task

# Examples in a batch. The importance of channels needs fewer batches than least squares.
BATCH: Final[int] = 16
IMPORTANCE_BATCHES: Final[int] = 10


class Examples(Sequence[Tensor]):
    """A task's training pictures: (N, 3, H, W) float32 normalised, made when they are asked for."""

    def __init__(self, task: Task, stage: Stage, count: int) -> None:
        self._task, self._stage, self._count = task, stage, count

    def __len__(self) -> int:
        return -(-self._count // BATCH)

    def __getitem__(self, index: int) -> Tensor:  # type: ignore[override]
        return normalise(self._task.batch(index, self._stage)[0]).cpu()


def pruned_checkpoint(config: TrainConfig, path: Path, keep: float, count: int) -> tuple[dict[str, Any], str]:
    """A smaller network of at most the share `keep` of its multiplications, on `count` of the config's examples.

    -> what a checkpoint of it holds, and a summary with the validation before and after. Raises BadModel, BadSettings.
    """
    network, saved = read_network(path)
    task = open_task(config, torch.device("cpu"))
    wanted = task.network().joints
    if not same_keypoints(network.joints, wanted):
        raise BadModel(f"{path} gives {network.joints} maps: the configuration's task {config.task} gives {wanted}")
    height, width = frame_of(saved, config.stages[-1].height)
    stage = Stage(0.0, (height, width), BATCH)
    examples = Examples(task, stage, count)
    few = [examples[i] for i in range(min(IMPORTANCE_BATCHES, len(examples)))]
    small, kept = prune(network, keep, few, task.weight)
    refit(small, network, kept, examples)
    before, after = (_measures(task, one, stage) for one in (network, small))
    state = {k: v.half() if v.is_floating_point() else v for k, v in small.state_dict().items()}
    facts: dict[str, Any] = {key: saved[key] for key in ("task", "sigma", "size_unit", "size") if key in saved}
    lines = [f"{describe(network)} -> {describe(small)}"]
    lines += [f"{name}: {before[name]:.1f} -> {after[name]:.1f}" for name in before]
    return {"state_dict": state, **facts, "measures": after}, "\n".join(lines)


def _measures(task: Task, network: PoseResNet, stage: Stage) -> dict[str, float]:
    with torch.no_grad():
        return {name: round(value, 2) for name, value in task.validate(network.eval(), stage).items()}


def examples_only(config: TrainConfig) -> TrainConfig:
    """The configuration without what only training needs."""
    return dataclasses.replace(config, init="")
