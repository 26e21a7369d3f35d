"""Channel pruning: a smaller copy of a network, without the channels that its answers depend on least.

Importance after Molchanov et al. (CVPR 2019, arXiv 1906.10771): the squared change of the outputs, to first order, when
a channel is set to zero. Here it is of the outputs themselves rather than of a loss, so that no labels are needed.
Channels inside the residual blocks and between the transposed convolutions can go; the shortcuts keep theirs. Of the
first convolution's 7x7 taps the first row and column go as well: in int8 it then takes half the time, and least squares
(`hpe.prune.least_squares`) leave half a percent of its outputs' variance unexplained.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from hpe.errors import BadSettings
from hpe.train.network import PoseResNet, is_trimmed, trimmed

# Channels go in groups of so many, since int8 convolutions take as long for 17 channels as for 32.
GROUP: Final[int] = 16
# Random directions in the space of the outputs, per batch.
PROBES: Final[int] = 2


# A layer's name -> (C,) int64, the channels of the whole network's layer that are left.
Kept = dict[str, Tensor]


class Cut(NamedTuple):
    """A place where channels can go: the layer that makes them, its batch norm, and the one layer that uses them."""

    made: str
    norm: str
    used: str


def cuts(network: PoseResNet) -> list[Cut]:
    blocks = [f"layer{s}.{b}" for s in (1, 2, 3, 4) for b in range(len(getattr(network, f"layer{s}")))]
    deconv = [f"deconv_layers.{at}" for at in range(9)]
    return [
        *(Cut(f"{block}.conv1", f"{block}.bn1", f"{block}.conv2") for block in blocks),
        Cut(deconv[0], deconv[1], deconv[3]),
        Cut(deconv[3], deconv[4], deconv[6]),
        Cut(deconv[6], deconv[7], "final_layer"),
    ]


def prune(
    network: PoseResNet, keep: float, batches: Sequence[Tensor], weight: Callable[[Tensor], Tensor]
) -> tuple[PoseResNet, Kept]:
    """A copy of the network with at most the share `keep` of its multiplications, and its first convolution trimmed.

    And which channels are left of each layer that lost some, or could have. batches: (N, 3, H, W) float32 normalised
    pictures. weight: the outputs -> how much each of their values matters. Raises BadSettings where that much cannot
    be cut, or for ResNet-50 and deeper.
    """
    if network.depth >= 50:
        raise BadSettings(f"ResNet-{network.depth} cannot be pruned: only ResNet-18 and 34 can")
    network = network.eval()
    places = cuts(network)
    worth = importance(network, places, batches, weight)
    cells = _cells(network, batches[0][:1])
    left = {cut: len(worth[cut]) for cut in places}
    whole = _cost(network, places, left, cells)
    now = _cost(network, places, left, cells, trim=True)
    while now > keep * whole:
        open_ = [cut for cut in places if left[cut] > GROUP]
        if not open_:
            raise BadSettings(f"keep {keep:g}: all that can be cut is cut, and more than that is left: give more")

        def price(cut: Cut, now: float = now) -> float:
            ranked = worth[cut].sort(descending=True).values
            lost = float(ranked[left[cut] - GROUP : left[cut]].sum())
            return lost / (now - _cost(network, places, left | {cut: left[cut] - GROUP}, cells, trim=True))

        least = min(open_, key=price)
        left[least] -= GROUP
        now = _cost(network, places, left, cells, trim=True)
    kept = {cut: worth[cut].argsort(descending=True)[: left[cut]].sort().values for cut in places}
    return _copy(network, kept), {cut.made: rows for cut, rows in kept.items()}


def importance(
    network: PoseResNet, places: Sequence[Cut], batches: Sequence[Tensor], weight: Callable[[Tensor], Tensor]
) -> dict[Cut, Tensor]:
    """-> (C,) float32 for each place: the mean squared change of the weighted outputs without the channel."""
    modules = dict(network.named_modules())
    inputs: dict[Cut, Tensor] = {}

    def remember(cut: Cut) -> Callable[[nn.Module, tuple[Tensor]], None]:
        return lambda _, given: inputs.__setitem__(cut, given[0])

    handles = [modules[cut.used].register_forward_pre_hook(remember(cut)) for cut in places]
    total = {cut: torch.zeros(modules[cut.made].weight.shape[0 if _plain(modules[cut.made]) else 1]) for cut in places}
    generator = torch.Generator().manual_seed(0)
    for images in batches:
        outputs = network(images)
        sides = weight(outputs.detach()).sqrt() * outputs
        for probe in range(PROBES):
            signs = torch.randint(0, 2, outputs.shape, generator=generator).to(outputs) * 2 - 1
            felt = torch.autograd.grad(
                (sides * signs).sum(), [inputs[cut] for cut in places], retain_graph=probe < PROBES - 1
            )
            for cut, gradient in zip(places, felt, strict=True):
                # a channel's mean over the batch is no loss: the next layer's batch norm makes up for it
                varies = inputs[cut].detach() - inputs[cut].detach().mean(dim=(0, 2, 3), keepdim=True)
                total[cut] += (varies * gradient).sum(dim=(2, 3)).square().sum(dim=0).cpu()
    for handle in handles:
        handle.remove()
    return total


def _plain(layer: nn.Module) -> bool:
    """A transposed convolution has its input channels first."""
    return not isinstance(layer, nn.ConvTranspose2d)


def _cells(network: PoseResNet, image: Tensor) -> dict[str, int]:
    """How many cells each layer's output has; of a transposed convolution, how many its input has."""
    cells: dict[str, int] = {}

    def count(name: str) -> Callable[[nn.Module, tuple[Tensor], Tensor], None]:
        def hook(layer: nn.Module, given: tuple[Tensor], out: Tensor) -> None:
            cells[name] = math.prod((out if _plain(layer) else given[0]).shape[2:])

        return hook

    layers = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)}
    handles = [layer.register_forward_hook(count(name)) for name, layer in layers.items()]
    with torch.no_grad():
        network(image)
    for handle in handles:
        handle.remove()
    return cells


def _cost(
    network: PoseResNet, places: Sequence[Cut], left: dict[Cut, int], cells: dict[str, int], trim: bool = False
) -> float:
    """Multiplications for one picture with so many channels left at each place."""
    made = {cut.made: left[cut] for cut in places}
    used = {cut.used: left[cut] for cut in places}
    total = 0.0
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            into, out = used.get(name, layer.in_channels), made.get(name, layer.out_channels)
            total += cells[name] * into * out * math.prod(layer.kernel_size)
    first = network.conv1
    if trim or is_trimmed(first):
        total -= cells["conv1"] * first.out_channels * first.in_channels * (7 * 7 - 6 * 6)
    return total


def _copy(network: PoseResNet, kept: dict[Cut, Tensor]) -> PoseResNet:
    """The network with these channels alone, and its first convolution trimmed."""
    sizes = [len(rows) for rows in kept.values()]
    small = PoseResNet(network.depth, network.joints, sizes[-3:], network.width, sizes[:-3])
    state, modules = network.state_dict(), dict(network.named_modules())
    state["conv1.weight"] = trimmed(state["conv1.weight"])
    for cut, rows in kept.items():
        state[f"{cut.made}.weight"] = state[f"{cut.made}.weight"].index_select(
            0 if _plain(modules[cut.made]) else 1, rows
        )
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{cut.norm}.{part}"] = state[f"{cut.norm}.{part}"][rows]
        state[f"{cut.used}.weight"] = state[f"{cut.used}.weight"].index_select(
            1 if _plain(modules[cut.used]) else 0, rows
        )
    small.load_state_dict(state)
    return small
