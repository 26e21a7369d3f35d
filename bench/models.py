"""The networks that are timed, in every form, made once and kept in build/bench/.

They are the default model's, of models/checkpoints/.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

    from hpe.train.network import PoseResNet

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "bench"


@dataclass(frozen=True)
class Net:
    """A network to time. frame: (height, width) of its input, px. checkpoint: its weights."""

    name: str
    frame: tuple[int, int]
    checkpoint: Path

    @property
    def stem(self) -> str:
        """For names of files."""
        return self.checkpoint.stem

    def network(self) -> "PoseResNet":
        """In eval mode."""
        from hpe.train.checkpoint import read_network

        return read_network(self.checkpoint)[0]


def default_nets() -> list[Net]:
    """The networks of models/pose.json, of which there is a checkpoint."""
    from hpe.engine.manifest import read_manifest
    from hpe.pose.crops import fit_affine
    from hpe.train.checkpoint import LOCATOR_OUTPUTS, read_network
    from hpe.train.network import describe

    card = read_manifest(ROOT / "models" / "pose.json")
    found = []
    for path in sorted((ROOT / "models" / "checkpoints").glob("*.pt")):
        network = read_network(path)[0]
        pose = network.joints != LOCATOR_OUTPUTS
        in_use = card.architecture if pose else card.locate and card.locate.architecture
        if not (in_use or "").startswith(f"{describe(network)},"):
            continue  # the model's was pruned
        frame = (
            card.frame if pose or card.locate is None else fit_affine(4000, 3000, card.locate.input_size)[1]
        )  # of a 4:3 photo
        what = f"The default {'pose network' if pose else 'locator'}, {frame[0]}x{frame[1]}"
        found.append(Net(what, frame, path))
    return found


def pictures(frame: tuple[int, int], count: int = 8) -> NDArray[np.uint8]:
    """(count, height, width, 3) uint8 RGB: random blobs of several sizes, as photographs have."""
    rng = np.random.default_rng(0)
    total = np.zeros((count, *frame, 3))
    for cell in (4, 16, 64):
        coarse = rng.normal(size=(count, -(-frame[0] // cell), -(-frame[1] // cell), 3))
        total += coarse.repeat(cell, axis=1).repeat(cell, axis=2)[:, : frame[0], : frame[1]]
    return np.clip(128 + 45 * total, 0, 255).astype(np.uint8)


def normalised(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, H, W, 3) uint8 RGB -> (N, 3, H, W) as the network was trained on."""
    from hpe.train.network import MEAN_RGB, STD_RGB

    planes = (images / 255 - np.array(MEAN_RGB)) / np.array(STD_RGB)
    return np.ascontiguousarray(planes.transpose(0, 3, 1, 2), dtype=np.float32)


def exported(net: Net) -> Path:
    """fp32 as torch exports it: float planes in, transposed convolutions."""
    return _kept(net, "fp32", lambda: _export(net))


def int8(net: Net) -> Path:
    """Ours: rewritten, then static int8, uint8 picture in."""
    return _kept(net, "int8", lambda: _quantize(net))


def _kept(net: Net, kind: str, make: "Callable[[], onnx.ModelProto]") -> Path:
    import onnx

    path = BUILD / f"{net.stem}-{kind}.onnx"
    sources = [*ROOT.glob("hpe/export/*.py"), Path(__file__), net.checkpoint]
    newest = max(source.stat().st_mtime for source in sources)
    if not path.exists() or path.stat().st_mtime < newest:
        BUILD.mkdir(parents=True, exist_ok=True)
        logging.getLogger().setLevel(logging.ERROR)  # the quantizer advises a preparation that was done
        onnx.save(make(), path)
    return path


def _export(net: Net) -> "onnx.ModelProto":
    from hpe.export.to_onnx import to_onnx

    return to_onnx(net.network(), net.frame)


def _quantize(net: Net) -> "onnx.ModelProto":
    import onnx

    from hpe.export.quantize import quantize
    from hpe.export.rewrite import rewrite

    return quantize(rewrite(onnx.load(exported(net))), pictures(net.frame))
