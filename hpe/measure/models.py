"""Any model, .onnx or .pt, behind the product's own estimator: what is measured is what users get."""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from hpe.engine.bundle import open_bundle
from hpe.engine.estimator import PoseEstimator
from hpe.engine.manifest import ModelCard
from hpe.engine.networks import compose
from hpe.engine.session import OnnxSession, Session
from hpe.errors import BadModel
from hpe.pose.skeleton import NUM_JOINTS
from hpe.settings import Settings
from hpe.train.checkpoint import LOCATOR_OUTPUTS, frame_of, read_network
from hpe.train.network import PoseResNet, describe, normalise

# of a checkpoint, which has no manifest yet
THRESHOLD: Final[float] = 0.2
CHECKPOINTS: Final[tuple[str, ...]] = (".pt", ".pth", ".tar")


class TorchSession:
    """A PoseResNet where the product has its onnxruntime session (an `hpe.engine.session.Session`)."""

    def __init__(self, network: PoseResNet) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.to(self.device)

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) uint8 RGB -> (N, C, H/4, W/4) float32 maps."""
        with torch.no_grad():
            images = torch.from_numpy(np.ascontiguousarray(batch)).to(self.device)
            maps: NDArray[np.float32] = self._network(normalise(images)).float().cpu().numpy()
        return maps


def torch_estimator(checkpoint: Path, size: int = 0) -> PoseEstimator:
    """The product's estimator on a checkpoint. size: side of the network's square frame, 0 for the checkpoint's own."""
    network, saved = read_network(checkpoint)
    card = ModelCard(
        name=str(checkpoint),
        file=checkpoint.name,
        sha256="",
        input_size=(size, size) if size else frame_of(saved),
        architecture=describe(network),
        threshold=THRESHOLD,
        person_threshold=THRESHOLD,
        sigma=float(saved.get("sigma", 2.0)),
    )
    return PoseEstimator(compose(None, TorchSession(network), card))


def open_model(model: str, size: int = 0, threads: int = 0) -> PoseEstimator:
    """ "" for the default, a path or s3:// address of a manifest, or a checkpoint -> estimator.

    size applies to checkpoints only: an exported model has its own. Raises BadModel, ModelUnavailable.
    """
    if model.endswith(CHECKPOINTS):
        return torch_estimator(Path(model).expanduser(), size)
    return PoseEstimator(model, threads=threads)


def open_network(model: str, task: str, threads: int = 0) -> Session:
    """A manifest or a checkpoint -> the network of it for the task "pose" or "locate". Raises BadModel."""
    maps = NUM_JOINTS if task == "pose" else LOCATOR_OUTPUTS
    if model.endswith(CHECKPOINTS):
        network, _ = read_network(Path(model).expanduser())
        if network.joints != maps:
            raise BadModel(f"{model} gives {network.joints} maps: a network for the task {task} gives {maps}")
        return TorchSession(network)
    bundle = open_bundle(model, Settings.cache_dir)
    file = bundle.pose if task == "pose" else bundle.locate
    if file is None:
        raise BadModel(f"{model} has no locator: name a model that has one")
    return OnnxSession(file, threads, maps=maps)
