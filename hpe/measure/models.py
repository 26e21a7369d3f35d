"""Any model, .onnx or .pt, behind the product's own estimator: what is measured is what users get."""

from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from hpe.engine.bundle import open_bundle
from hpe.engine.card import LocatorCard, ModelCard
from hpe.engine.estimator import PoseEstimator
from hpe.engine.networks import compose
from hpe.engine.session import OnnxSession, Session
from hpe.errors import BadModel
from hpe.pose.skeleton import KEYPOINTS, NUM_JOINTS, NUM_KEYPOINTS
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
        keypoints=KEYPOINTS[: network.joints],
    )
    return PoseEstimator(compose(None, Remembered(TorchSession(network)), card))


class Remembered:
    """A network that keeps its last answers: the same crop, asked for by other thresholds, is not run again."""

    def __init__(self, session: Session, items: int = 256) -> None:
        self._session, self._items = session, items
        self._kept: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) uint8 RGB -> (N, C, H/4, W/4) float32 maps."""
        names = [repr(batch.shape).encode() + blake2b(one.tobytes()).digest() for one in batch]
        new = [k for k, name in enumerate(names) if name not in self._kept]
        if new:
            maps = self._session.run(batch[new])
            self._kept.update((names[k], maps[n].copy()) for n, k in enumerate(new))
        result = np.stack([self._kept[name] for name in names])
        while len(self._kept) > self._items:
            self._kept.popitem(last=False)
        return result


def open_model(model: str, size: int = 0, threads: int = 0, pose: str = "", locate: str = "") -> PoseEstimator:
    """ "" for the default, a path or s3:// address of a manifest, or a checkpoint -> estimator.

    pose, locate: checkpoints of networks to be measured in the place of the manifest's, with its calibrations and
    thresholds. size applies to checkpoints of pose networks: an exported model has its own. Raises BadModel,
    ModelUnavailable.
    """
    if model.endswith(CHECKPOINTS):
        return torch_estimator(Path(model).expanduser(), size)
    bundle = open_bundle(model, Settings.cache_dir)
    card = bundle.card
    if pose:
        alone = torch_estimator(Path(pose).expanduser(), size)
        card = replace(card, name=f"{card.name} with {pose}", architecture=alone.card.architecture)
        card = replace(card, input_size=alone.card.input_size, sigma=alone.card.sigma, keypoints=alone.card.keypoints)
    joints = open_network(pose or model, "pose", threads)
    if card.locate is None and not locate:
        return PoseEstimator(compose(None, Remembered(joints), card))
    if locate:
        network, saved = read_network(Path(locate).expanduser())
        unit = int(saved.get("size_unit") or max(frame_of(saved)))
        known = card.locate or LocatorCard("", "", "", max(frame_of(saved)), THRESHOLD)
        known = replace(known, architecture=describe(network), size_unit=unit)
        card = replace(card, name=f"{card.name} with {locate}", locate=known)
    boxes = open_network(locate or model, "locate", threads)
    return PoseEstimator(compose(Remembered(boxes), Remembered(joints), card))


def open_network(model: str, task: str, threads: int = 0) -> Session:
    """A manifest or a checkpoint -> the network of it for the task "pose" or "locate". Raises BadModel."""
    if model.endswith(CHECKPOINTS):
        network, _ = read_network(Path(model).expanduser())
        wanted = (NUM_JOINTS, NUM_KEYPOINTS) if task == "pose" else (LOCATOR_OUTPUTS,)
        if network.joints not in wanted:
            maps = " or ".join(map(str, wanted))
            raise BadModel(f"{model} gives {network.joints} maps: a network for the task {task} gives {maps}")
        return TorchSession(network)
    bundle = open_bundle(model, Settings.cache_dir)
    if task == "pose":
        return OnnxSession(bundle.pose, threads, maps=len(bundle.card.keypoints))
    if bundle.locate is None:
        raise BadModel(f"{model} has no locator: name a model that has one")
    return OnnxSession(bundle.locate, threads, maps=LOCATOR_OUTPUTS)
