"""PoseResNet: a ResNet and three transposed convolutions (Xiao, Wu, Wei, ECCV 2018, arXiv 1804.06208).

State-dict names are those of Microsoft's published `pose_resnet.py`, so its checkpoints load:
`conv1, bn1, layer1.0.conv1 ..., deconv_layers.0 ..., final_layer`.
"""

from collections.abc import Sequence
from typing import Final, cast

import torch
from torch import Tensor, nn

from hpe.pose.skeleton import NUM_JOINTS

BLOCKS: Final[dict[int, tuple[int, int, int, int]]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
BN_MOMENTUM: Final[float] = 0.1
MEAN_RGB: Final[tuple[float, float, float]] = (0.485, 0.456, 0.406)  # ImageNet's, of levels 0..1
STD_RGB: Final[tuple[float, float, float]] = (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """(N, S, S, 3) uint8 RGB -> (N, 3, S, S) float32 channels_last, ImageNet mean and standard deviation."""
    mean = torch.tensor(MEAN_RGB, device=images.device) * 255
    std = torch.tensor(STD_RGB, device=images.device) * 255
    # a permuted NHWC tensor already has channels_last strides
    return ((images.float() - mean) / std).permute(0, 3, 1, 2)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al., CVPR 2016), for ResNet-18 and 34."""

    expansion = 1

    def __init__(self, inplanes: int, inner: int, planes: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, inner, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner, momentum=BN_MOMENTUM)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(inner, planes, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes, momentum=BN_MOMENTUM)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return cast(Tensor, self.relu(out + shortcut))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions and a shortcut, the stride on the 3x3, for ResNet-50 and deeper."""

    expansion = 4

    def __init__(self, inplanes: int, inner: int, planes: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner, momentum=BN_MOMENTUM)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner, momentum=BN_MOMENTUM)
        self.conv3 = nn.Conv2d(inner, planes * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * self.expansion, momentum=BN_MOMENTUM)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return cast(Tensor, self.relu(out + shortcut))


class PoseResNet(nn.Module):
    """(N, 3, S, S) float32 normalised RGB -> (N, joints, S/4, S/4) float32 heatmaps. S is a multiple of 32.

    depth: 18, 34, 50, 101 or 152. deconv_channels: width of the three transposed convolutions, together or each; the
    paper's is 256. width: channels of the stem, 64 in every published ResNet. inner: channels inside each residual
    block, first to last, where it was pruned (`hpe.prune`); none are as published.
    """

    def __init__(
        self,
        depth: int = 50,
        joints: int = NUM_JOINTS,
        deconv_channels: int | Sequence[int] = 256,
        width: int = 64,
        inner: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if depth not in BLOCKS:
            raise ValueError(f"depth {depth}: choose one of {', '.join(map(str, BLOCKS))}")
        widths = [deconv_channels] * 3 if isinstance(deconv_channels, int) else list(deconv_channels)
        counts, planes = BLOCKS[depth], self.widths(depth, width)
        self.depth, self.joints, self.width = depth, joints, width
        self.deconv_channels, self.inner = tuple(widths), tuple(inner or planes)
        if len(self.inner) != len(planes):
            raise ValueError(f"inner has {len(self.inner)} widths: ResNet-{depth} has {len(planes)} blocks")
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width, momentum=BN_MOMENTUM)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self._inplanes = width
        rest = iter(self.inner)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            self._stage([next(rest) for _ in range(count)], width << stage, 1 if stage == 0 else 2)
            for stage, count in enumerate(counts)
        )
        self.deconv_layers = self._deconvolutions(widths)
        self.final_layer = nn.Conv2d(widths[-1], joints, 1)
        self._init_weights()

    @staticmethod
    def widths(depth: int, width: int) -> tuple[int, ...]:
        """The published channels inside each block."""
        return tuple(width << stage for stage, count in enumerate(BLOCKS[depth]) for _ in range(count))

    def _stage(self, inner: Sequence[int], planes: int, stride: int) -> nn.Sequential:
        block: type[BasicBlock] | type[Bottleneck] = BasicBlock if self.depth < 50 else Bottleneck
        out = planes * block.expansion
        downsample = None
        if stride != 1 or self._inplanes != out:
            downsample = nn.Sequential(
                nn.Conv2d(self._inplanes, out, 1, stride, bias=False), nn.BatchNorm2d(out, momentum=BN_MOMENTUM)
            )
        layers: list[nn.Module] = [block(self._inplanes, inner[0], planes, stride, downsample)]
        self._inplanes = out
        layers += [block(out, channels, planes, 1, None) for channels in inner[1:]]
        return nn.Sequential(*layers)

    def _deconvolutions(self, widths: Sequence[int]) -> nn.Sequential:
        layers: list[nn.Module] = []
        inplanes = self._inplanes
        for channels in widths:
            layers += [
                nn.ConvTranspose2d(inplanes, channels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(channels, momentum=BN_MOMENTUM),
                nn.ReLU(inplace=True),
            ]
            inplanes = channels
        return nn.Sequential(*layers)

    def _init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.001)  # as published
        nn.init.normal_(self.final_layer.weight, std=0.001)
        if self.final_layer.bias is not None:
            nn.init.zeros_(self.final_layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return cast(Tensor, self.final_layer(self.deconv_layers(x)))


def is_trimmed(first: nn.Conv2d) -> bool:
    """Whether the first convolution's first row and column are zero: then it takes as long as one of 6x6 (int8)."""
    return not bool(first.weight[:, :, 0].any() or first.weight[:, :, :, 0].any())


def trimmed(weight: Tensor) -> Tensor:
    """(O, 3, 7, 7) -> the same with a first row and column of zeros."""
    weight = weight.clone()
    weight[:, :, 0], weight[:, :, :, 0] = 0, 0
    return weight


def parameters_m(model: nn.Module) -> float:
    """Millions of parameters."""
    return sum(p.numel() for p in model.parameters()) / 1e6


def describe(model: PoseResNet) -> str:
    widths = sorted(set(model.deconv_channels))
    deconv = str(widths[0]) if len(widths) == 1 else f"{widths[0]} to {widths[-1]}"
    pruned = ", pruned" if model.inner != PoseResNet.widths(model.depth, model.width) else ""
    return f"PoseResNet-{model.depth}{pruned}, deconvolutions of {deconv}, {parameters_m(model):.1f} M parameters"
