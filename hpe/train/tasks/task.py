"""What the training loop needs to know of a network's purpose, and nothing more."""

from typing import Any, Protocol

from torch import Tensor

from hpe.train.config import Stage
from hpe.train.network import PoseResNet

Targets = tuple[Tensor, ...]


class Task(Protocol):
    """One kind of network: its outputs, its examples, its loss and its validation."""

    def network(self) -> PoseResNet:
        """A new network with random weights."""
        ...

    def batch(self, step: int, stage: Stage) -> tuple[Tensor, Targets]:
        """-> (N, H, W, 3) uint8 RGB on the device, and what `loss` compares with: a function of the step alone."""
        ...

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """(N, C, h, w) float32 -> scalar."""
        ...

    def weight(self, outputs: Tensor) -> Tensor:
        """(N, C, h, w) of a whole network -> (N, C, h, w): how much each of these values matters to a pruned one."""
        ...

    def validate(self, network: PoseResNet, stage: Stage) -> dict[str, float]:
        """Measures on the validation data; the first, the higher the better, chooses the weights that are kept."""
        ...

    def facts(self) -> dict[str, Any]:
        """What a checkpoint must say beside its weights, for export."""
        ...
