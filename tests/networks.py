"""Small networks that are alive, for tests of export and of the engine."""

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from hpe.train.network import PoseResNet

SIZE = 64


def lively_network(depth: int, deconv_channels: int = 256, width: int = 64, joints: int = 16) -> PoseResNet:
    """Random weights and random BN statistics, scaled so that the signal survives to the heatmaps."""
    torch.manual_seed(depth)
    network = PoseResNet(depth, joints, deconv_channels, width).eval()
    enliven(network)
    nn.init.normal_(network.final_layer.weight, 0, 0.05)
    nn.init.normal_(network.final_layer.bias, 0, 0.05)
    return network


def run(model: onnx.ModelProto, images: NDArray[np.generic]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def enliven(network: PoseResNet) -> None:
    """Gives a network of random weights random batch-norm statistics, so that a signal survives to the heatmaps."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.4, 1.1)
            nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0, 0.03)
