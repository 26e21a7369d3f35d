"""What channel pruning took away, made up for by the channels that are left, by least squares on examples.

After He, Zhang, Sun (ICCV 2017, arXiv 1707.06168), who do so layer by layer, with the inputs that the pruned layers
before give.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hpe.prune.importance import Kept
from hpe.train.network import BasicBlock, PoseResNet, is_trimmed

# Of each batch so many cells count: more changed little.
CELLS: Final[int] = 6000
# Layers with many cells and few weights need no more batches than this. In the middle of the network it is the other
# way round: docs/runs.md, run 14.
FEW: Final[int] = 80
# A share of the mean square of the inputs: in directions that the examples leave open, weights stay what they are.
RIDGE: Final[float] = 1e-4


@torch.no_grad()
def refit(small: PoseResNet, whole: PoseResNet, kept: Kept, batches: Sequence[Tensor]) -> None:
    """Changes the first convolution of `small`, the last one of each block, the transposed ones and the final layer.

    First to last, so that each answers as in `whole`. kept: the channels that `small` has of the layers of
    `whole`. batches: (N, 3, H, W) float32 normalised pictures. Both are ResNet-18 or 34, in eval mode.
    """
    small.eval()
    few = range(min(FEW, len(batches)))
    if not is_trimmed(whole.conv1):  # `small` is, as `prune` leaves it
        _refit_first(small, whole, (batches[i] for i in few))
    given, wanted = [], []
    for i in few:
        images = batches[i]
        given.append(_stem(small, images))
        wanted.append(_stem(whole, images))
    _refit_blocks(("layer1", "layer2"), small, whole, given, wanted)
    for i in range(len(few), len(batches)):
        images = batches[i]
        given.append(small.layer2(small.layer1(_stem(small, images))))
        wanted.append(whole.layer2(whole.layer1(_stem(whole, images))))
    _refit_blocks(("layer3", "layer4"), small, whole, given, wanted)
    for at in (0, 3, 6):
        if at == 6:
            del given[FEW:], wanted[FEW:]
        layers, targets = (cast(nn.Sequential, net.deconv_layers[at : at + 3]) for net in (small, whole))
        _refit_deconvolution(layers, targets, kept[f"deconv_layers.{at}"], given, wanted)
    sums, last = _LeastSquares(), small.final_layer
    for x, y in zip(given, wanted, strict=True):
        sums.add(x.flatten(2), (whole.final_layer(y) - last(x)).flatten(2))
    weight, bias = sums.solve()
    last.weight += weight.T[..., None, None]
    cast(Tensor, last.bias).add_(bias)


def _stem(network: PoseResNet, images: Tensor) -> Tensor:
    return cast(Tensor, network.maxpool(network.relu(network.bn1(network.conv1(images)))))


def _refit_first(small: PoseResNet, whole: PoseResNet, batches: Iterable[Tensor]) -> None:
    sums, first = _LeastSquares(), small.conv1
    taps = torch.ones(first.weight.shape[1:], dtype=torch.bool)
    taps[:, 0], taps[:, :, 0] = False, False
    for images in batches:
        seen = functional.unfold(images, 7, padding=3, stride=2)[:, taps.flatten()]
        sums.add(seen, (whole.conv1(images) - first(images)).flatten(2))
    weight, bias = sums.solve()
    first.weight[:, taps] += weight.T
    cast(Tensor, small.bn1.running_mean).sub_(bias)


def _refit_blocks(
    stages: Iterable[str], small: PoseResNet, whole: PoseResNet, given: list[Tensor], wanted: list[Tensor]
) -> None:
    for stage in stages:
        for block, target in zip(getattr(small, stage), getattr(whole, stage), strict=True):
            _refit_block(block, target, given, wanted)


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
    for i, x in enumerate(given):
        given[i] = block(x)


def _refit_deconvolution(
    small: nn.Sequential, whole: nn.Sequential, rows: Tensor, given: list[Tensor], wanted: list[Tensor]
) -> None:
    """As `_refit_block`, of a transposed convolution with its batch norm and ReLU. rows: the channels that are left.

    Output cell 2 i + a takes input cells i - 1 + a and i + a, by the kernel's taps 3 - a and 1 - a.
    """
    layer, norm = cast(nn.ConvTranspose2d, small[0]), cast(nn.BatchNorm2d, small[1])
    _fold(layer, norm)
    phases = [(a, b) for a in (0, 1) for b in (0, 1)]
    sums = {phase: _LeastSquares(intercept=False) for phase in phases}
    for i, (x, y) in enumerate(zip(given, wanted, strict=True)):
        wanted[i] = whole[1](whole[0](y))
        lacking = wanted[i][:, rows] - norm(layer(x))
        near = functional.unfold(x, 3, padding=1).reshape(*x.shape[:2], 3, 3, -1)
        for a, b in phases:
            sums[a, b].add(near[:, :, a : a + 2, b : b + 2].flatten(1, 3), lacking[:, :, a::2, b::2].flatten(2))
        wanted[i].relu_()
    for a, b in phases:
        weight = sums[a, b].solve()[0].reshape(layer.in_channels, 2, 2, -1).permute(0, 3, 1, 2)
        for row, column in phases:
            layer.weight[:, :, 3 - a - 2 * row, 3 - b - 2 * column] += weight[:, :, row, column]
    for i, x in enumerate(given):
        given[i] = small(x)


def _shortcut(block: BasicBlock, x: Tensor) -> Tensor:
    return x if block.downsample is None else cast(Tensor, block.downsample(x))


def _fold(convolution: nn.Conv2d | nn.ConvTranspose2d, norm: nn.BatchNorm2d) -> None:
    """The same answers, with all of the batch norm but its bias in the convolution."""
    mean, var = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
    scale = norm.weight / (var + norm.eps).sqrt()
    outputs = 1 if isinstance(convolution, nn.ConvTranspose2d) else 0
    convolution.weight *= scale.reshape([-1 if axis == outputs else 1 for axis in range(4)])
    norm.bias.sub_(mean * scale)
    mean.zero_()
    var.fill_(1.0)
    norm.weight.fill_(math.sqrt(1 + norm.eps))


class _LeastSquares:
    """Y = X W + b from the sums X'X and X'Y. Without an intercept b is 0."""

    def __init__(self, intercept: bool = True) -> None:
        self._ones = int(intercept)
        self._xx, self._xy = torch.zeros(()), torch.zeros(())
        self._generator = torch.Generator().manual_seed(0)

    def add(self, x: Tensor, y: Tensor) -> None:
        """(N, inputs, cells), (N, outputs, cells): at most `CELLS` of all cells count."""
        x, y = x.transpose(1, 2).flatten(0, 1), y.transpose(1, 2).flatten(0, 1)
        if len(x) > CELLS:
            some = torch.randperm(len(x), generator=self._generator)[:CELLS]
            x, y = x[some], y[some]
        x = torch.cat([x, torch.ones(len(x), self._ones)], dim=1)
        self._xx, self._xy = self._xx + x.T @ x, self._xy + x.T @ y

    def solve(self) -> tuple[Tensor, Tensor]:
        """-> W (inputs, outputs), b (outputs,)"""
        inputs = len(self._xx) - self._ones
        squares = self._xx.diagonal()[:inputs]
        ridge = torch.zeros(len(self._xx))
        ridge[:inputs] = RIDGE * squares.mean()
        both = torch.linalg.solve((self._xx + ridge.diag()).double(), self._xy.double()).float()
        return both[:inputs], both[inputs:].sum(dim=0)
