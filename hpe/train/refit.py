"""What channel pruning took away, made up for by the channels that are left, by least squares on examples.

After He, Zhang, Sun (ICCV 2017, arXiv 1707.06168), who do so layer by layer, with the inputs that the pruned layers
before give.
"""

import math
from collections.abc import Sequence
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hpe.train.network import BasicBlock, PoseResNet

# Of each batch so many cells count: more changed little.
CELLS: Final[int] = 6000
# A share of the mean square of the inputs: in directions that the examples leave open, weights stay what they are.
RIDGE: Final[float] = 1e-4


@torch.no_grad()
def refit(small: PoseResNet, whole: PoseResNet, batches: Sequence[Tensor]) -> None:
    """Changes the last convolution of each block of `small`, first to last, so that the block answers as in `whole`.

    Then the final layer. batches: (N, 3, H, W) float32 normalised pictures. Both are ResNet-18 or 34, in eval mode.
    """
    small.eval()
    wanted = [_stem(whole, images) for images in batches]
    given = [_stem(small, images) for images in batches]
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for block, target in zip(getattr(small, stage), getattr(whole, stage), strict=True):
            _refit_block(block, target, given, wanted)
    sums, last = _LeastSquares(), small.final_layer
    for x, y in zip(given, wanted, strict=True):
        seen = small.deconv_layers(x)
        sums.add(seen.flatten(2), (whole.final_layer(whole.deconv_layers(y)) - last(seen)).flatten(2))
    weight, bias = sums.solve()
    last.weight += weight.T[..., None, None]
    cast(Tensor, last.bias).add_(bias)


def _stem(network: PoseResNet, images: Tensor) -> Tensor:
    return cast(Tensor, network.maxpool(network.relu(network.bn1(network.conv1(images)))))


def _refit_block(block: BasicBlock, target: BasicBlock, given: list[Tensor], wanted: list[Tensor]) -> None:
    """The inputs of both blocks become their outputs, in place: all of them at once would not fit into memory twice."""
    _fold(block.conv2, block.bn2)
    sums = _LeastSquares()
    for i, (x, y) in enumerate(zip(given, wanted, strict=True)):
        inner = block.relu(block.bn1(block.conv1(x)))
        now = block.bn2(block.conv2(inner)) + _shortcut(block, x)
        goal = target.bn2(target.conv2(target.relu(target.bn1(target.conv1(y))))) + _shortcut(target, y)
        sums.add(functional.unfold(inner, 3, padding=1), (goal - now).flatten(2))
        wanted[i] = goal.relu()
    weight, bias = sums.solve()
    block.conv2.weight += weight.T.reshape(block.conv2.weight.shape)
    block.bn2.bias.add_(bias)
    given[:] = [block(x) for x in given]


def _shortcut(block: BasicBlock, x: Tensor) -> Tensor:
    return x if block.downsample is None else cast(Tensor, block.downsample(x))


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """The same answers, with all of the batch norm but its bias in the convolution."""
    mean, var = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    scale = norm.weight / (var + norm.eps).sqrt()
    convolution.weight *= scale[:, None, None, None]
    norm.bias.sub_(mean * scale)
    mean.zero_()
    var.fill_(1.0)
    norm.weight.fill_(math.sqrt(1 + norm.eps))


class _LeastSquares:
    """Y = X W + b from the sums X'X and X'Y."""

    def __init__(self) -> None:
        self._xx, self._xy = torch.zeros(()), torch.zeros(())
        self._generator = torch.Generator().manual_seed(0)

    def add(self, x: Tensor, y: Tensor) -> None:
        """(N, inputs, cells), (N, outputs, cells): at most `CELLS` of all cells count."""
        x, y = x.transpose(1, 2).flatten(0, 1), y.transpose(1, 2).flatten(0, 1)
        if len(x) > CELLS:
            some = torch.randperm(len(x), generator=self._generator)[:CELLS]
            x, y = x[some], y[some]
        x = torch.cat([x, torch.ones(len(x), 1)], dim=1)
        self._xx, self._xy = self._xx + x.T @ x, self._xy + x.T @ y

    def solve(self) -> tuple[Tensor, Tensor]:
        """-> W (inputs, outputs), b (outputs,)"""
        ridge = RIDGE * self._xx.diagonal()[:-1].mean() * torch.eye(len(self._xx))
        ridge[-1, -1] = 0
        both = torch.linalg.solve((self._xx + ridge).double(), self._xy.double()).float()
        return both[:-1], both[-1]
