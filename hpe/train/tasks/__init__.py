"""What networks are trained for: each task has its own outputs, examples, loss and validation."""

from pathlib import Path

import torch

from hpe.train.config import TrainConfig
from hpe.train.tasks.task import Task


def open_task(config: TrainConfig, device: torch.device) -> Task:
    """The config's task, its data read and decoded. Raises BadData, BadSettings."""
    if config.task == "locate":
        from hpe.train.tasks.locate import LocateTask

        return LocateTask(config, device)
    from hpe.train.tasks.pose import PoseTask

    return PoseTask(config, Path(config.cache), device)
