"""torch vs fp32 ONNX vs int8: do they put the joints in the same place?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from hpe.engine.session import usable_cores
from hpe.measure.pck import pck, torso_px
from hpe.pose.crops import Frame, crop_affine, undo_affine, warp
from hpe.pose.heatmaps import decode_joints
from hpe.pose.skeleton import JOINTS, LSP_JOINTS
from hpe.train.samples import Sample

Heatmaps = NDArray[np.float32]
Runner = Callable[[NDArray[np.uint8]], Heatmaps]


@dataclass(frozen=True)
class Variant:
    """One form of the network on the same pictures.

    shift_px: median and 95th percentile, in network px, of how far its joints lie from the first variant's,
    over joints that the first variant is sure of. pck: PCK@0.2 in percent; per_joint: (16,) percent.
    """

    name: str
    megabytes: float
    shift_median_px: float
    shift_p95_px: float
    pck: float
    per_joint: NDArray[np.float64]


def onnx_runner(model: onnx.ModelProto) -> Runner:
    """A model -> function from (N, S, S, 3) uint8 RGB to heatmaps."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(images: NDArray[np.uint8]) -> Heatmaps:
        return np.asarray(session.run(None, {name: images})[0])

    return run


def torch_runner(network: Any) -> Runner:
    """A PoseResNet -> function from (N, S, S, 3) uint8 RGB to heatmaps."""
    import torch

    from hpe.train.network import normalise

    def run(images: NDArray[np.uint8]) -> Heatmaps:
        with torch.no_grad():
            return np.asarray(network(normalise(torch.from_numpy(images))).numpy())

    return run


def compare(
    runners: dict[str, tuple[Runner, float]], samples: Sequence[Sample], frame: Frame, sigma: float, sure: float = 0.2
) -> list[Variant]:
    """Named (runner, megabytes) pairs, the reference first, on the samples' evaluation crops -> one Variant each."""
    affines = [crop_affine(s.box, frame) for s in samples]
    crops = [warp(s.image(), affine, frame) for s, affine in zip(samples, affines, strict=True)]
    labels = np.stack([s.points for s in samples])
    labelled = np.stack([s.labelled for s in samples])
    found: list[Variant] = []
    reference: NDArray[np.floating] | None = None
    for name, (run, megabytes) in runners.items():
        decoded = [decode_joints(run(crop[None])[0], "dark", sigma) for crop in crops]
        points = np.stack([p for p, _ in decoded])
        if reference is None:
            reference, confident = points, np.stack([s for _, s in decoded]) >= sure
        shift = np.linalg.norm(points - reference, axis=-1)[confident]
        image_points = np.stack([undo_affine(p, a) for p, a in zip(points, affines, strict=True)])
        score, per_joint = pck(image_points, labels, labelled, torso_px(labels, labelled), 0.2, LSP_JOINTS)
        median, p95 = (float(v) for v in np.percentile(shift, [50, 95])) if shift.size else (0.0, 0.0)
        found.append(Variant(name, megabytes, median, p95, score, per_joint))
    return found


def table(variants: Sequence[Variant]) -> str:
    """The report as text: one line a variant, then one a joint."""
    lines = [f"{'':22}{'MB':>8}{'shift px':>10}{'p95':>8}{'PCK@0.2':>10}{'loss':>8}"]
    for v in variants:
        loss = variants[0].pck - v.pck
        lines.append(
            f"{v.name:22}{v.megabytes:8.1f}{v.shift_median_px:10.3f}{v.shift_p95_px:8.2f}{v.pck:10.2f}{loss:8.2f}"
        )
    lines.append("")
    lines.append(f"{'':22}" + "".join(f"{v.name[:14]:>16}" for v in variants))
    lines += [f"{JOINTS[j]:22}" + "".join(f"{v.per_joint[j]:16.1f}" for v in variants) for j in LSP_JOINTS]
    return "\n".join(lines)


def megabytes(path_or_model: Path | onnx.ModelProto) -> float:
    """Size in MB (10^6 bytes)."""
    if isinstance(path_or_model, Path):
        return path_or_model.stat().st_size / 1e6
    return float(path_or_model.ByteSize()) / 1e6
