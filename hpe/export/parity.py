"""torch vs fp32 ONNX vs int8: do they put the joints and the boxes in the same place?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import onnx
from numpy.typing import NDArray

from hpe.cores import usable_cores
from hpe.engine.card import LocatorCard, ModelCard
from hpe.engine.detector import Detector
from hpe.engine.estimator import PoseEstimator
from hpe.engine.networks import compose
from hpe.measure.protocols import Predictions, labels_of, predict_in_boxes
from hpe.measure.report import grid
from hpe.pose.boxes import box_iou
from hpe.pose.crops import crop_affine, scale_of
from hpe.pose.skeleton import JOINTS, LSP_JOINTS, NUM_JOINTS
from hpe.score.box_ap import box_ap
from hpe.score.pck import pck, torso_px
from hpe.train.data.samples import Photo, Sample

if TYPE_CHECKING:
    from hpe.train.network import PoseResNet

Maps = NDArray[np.float32]
Runner = Callable[[NDArray[np.uint8]], Maps]
_SAME_BOX: Final = 0.5
# Of average precision: it takes unsure boxes as well, of people who can be seen.
_FAINT: Final = 0.02
_MOST: Final = 60
_LEAST_PX: Final = 32


@dataclass(frozen=True)
class Network:
    """One form of a network. run: (N, H, W, 3) uint8 RGB -> maps. megabytes: of its file, 10^6 bytes."""

    name: str
    run: Runner
    megabytes: float


@dataclass(frozen=True)
class PoseParity:
    """One form of the pose network on the same crops.

    shift_px: median and 95th percentile, in network px, of how far its joints lie from the first form's, over joints
    that the first is sure of. pck: PCK@0.2 in percent; per_joint: (16,) percent.
    """

    network: Network
    shift_px: tuple[float, float]
    pck: float
    per_joint: NDArray[np.float64]


@dataclass(frozen=True)
class LocatorParity:
    """One form of the locator on the same photos.

    shared: percent of the first form's boxes that this one has as well (IoU of 0.5), at the card's threshold. more:
    boxes a photo that only this one has. ap50: average precision of its boxes in percent, of people of at least 32 px.
    """

    network: Network
    shared: float
    more: float
    ap50: float


def network_of(name: str, form: "PoseResNet | onnx.ModelProto") -> Network:
    """A torch or an ONNX model as one form of a network."""
    if isinstance(form, onnx.ModelProto):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_cores()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(form.SerializeToString(), options, providers=["CPUExecutionProvider"])
        picture = session.get_inputs()[0].name
        return Network(name, lambda images: np.asarray(session.run(None, {picture: images})[0]), form.ByteSize() / 1e6)
    import torch

    from hpe.train.network import normalise

    def run(images: NDArray[np.uint8]) -> Maps:
        with torch.no_grad():
            return np.asarray(form(normalise(torch.from_numpy(images))).numpy())

    return Network(name, run, sum(p.numel() * 4 for p in form.parameters()) / 1e6)


def compare_poses(
    networks: Sequence[Network], people: Sequence[Sample], card: ModelCard, sure: float = 0.2
) -> list[PoseParity]:
    """Forms of the pose network, the reference first, in the labelled boxes of people with labelled joints."""
    samples = list(people)
    scale = np.array([scale_of(crop_affine(sample.box, card.frame)) for sample in samples])
    labels, labelled = labels_of(samples)
    found: list[PoseParity] = []
    reference: Predictions | None = None
    for network in networks:
        seen = predict_in_boxes(PoseEstimator(compose(None, network, replace(card, locate=None))), samples)
        reference = reference or seen
        shift = np.linalg.norm(seen.points - reference.points, axis=-1) * scale[:, None]
        confident = shift[reference.scores >= sure]
        median, p95 = (float(v) for v in np.percentile(confident, [50, 95])) if confident.size else (0.0, 0.0)
        points = seen.points[:, :NUM_JOINTS]
        score, per_joint = pck(points, labels, labelled, torso_px(labels, labelled), 0.2, LSP_JOINTS)
        found.append(PoseParity(network, (median, p95), score, per_joint))
    return found


def compare_locators(networks: Sequence[Network], photos: Sequence[Photo], card: LocatorCard) -> list[LocatorParity]:
    """Forms of the locator, the reference first, on whole photos."""
    found: list[LocatorParity] = []
    pictures = [photo.image() for photo in photos]
    reference: list[NDArray[np.float64]] = []
    for network in networks:
        detector = Detector(network, replace(card, threshold=_FAINT, photo_threshold=0.0))
        every = [np.column_stack(detector(rgb, _MOST)) for rgb in pictures]
        sure = [boxes[boxes[:, 4] >= card.threshold, :4] for boxes in every]
        reference = reference or sure
        shared = sum(_shared(first, now) for first, now in zip(reference, sure, strict=True))
        total = max(sum(len(boxes) for boxes in reference), 1)
        more = (sum(len(boxes) for boxes in sure) - shared) / len(photos)
        found.append(LocatorParity(network, 100 * shared / total, more, box_ap(every, photos, least_px=_LEAST_PX)))
    return found


def _shared(first: NDArray[np.float64], now: NDArray[np.float64]) -> int:
    """How many of the first boxes the others have as well, each of which counts once."""
    overlap = box_iou(first, now)
    count = 0
    for row in overlap:
        if row.size and row.max() >= _SAME_BOX:
            overlap[:, int(row.argmax())] = 0
            count += 1
    return count


def pose_table(variants: Sequence[PoseParity]) -> str:
    """The report as text: one line a form, then one a joint."""
    rows = [["pose network", "MB", "shift px", "p95", "PCK@0.2", "loss"]]
    for v in variants:
        median, p95 = v.shift_px
        figures = [f"{median:.3f}", f"{p95:.2f}", f"{v.pck:.2f}", f"{variants[0].pck - v.pck:.2f}"]
        rows.append([v.network.name, f"{v.network.megabytes:.1f}", *figures])
    joints = [["", *(v.network.name for v in variants)]]
    joints += [[JOINTS[j], *(f"{v.per_joint[j]:.1f}" for v in variants)] for j in LSP_JOINTS]
    return "\n".join([*grid(rows), "", *grid(joints)])


def locator_table(variants: Sequence[LocatorParity]) -> str:
    """The report as text: one line a form."""
    rows = [["locator", "MB", "shared %", "more", "AP50", "loss"]]
    for v in variants:
        figures = [f"{v.shared:.1f}", f"{v.more:.2f}", f"{v.ap50:.2f}", f"{variants[0].ap50 - v.ap50:.2f}"]
        rows.append([v.network.name, f"{v.network.megabytes:.1f}", *figures])
    return "\n".join(grid(rows))
