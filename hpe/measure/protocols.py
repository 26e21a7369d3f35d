"""Predictions on labelled people -> the measures of the published protocols."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.pose.skeleton import JOINTS, LIMB_JOINTS, LSP_JOINTS, NUM_JOINTS
from hpe.score.pck import GROUPS, correct, head_px, percent, torso_px
from hpe.train.data.samples import Sample

# kind of data -> [(measure, thresholds)]
PCK: Final[float] = 0.2
PCKH: Final[tuple[float, ...]] = (0.5, 0.1)


@dataclass(frozen=True)
class Predictions:
    """points: (N, J, 2) px, nan if nobody was found; scores: (N, J)."""

    points: NDArray[np.float64]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class Measure:
    """One row of the report. All in percent; mean: over the joints of the protocol; limbs: the 12 limb joints."""

    name: str
    mean: float
    limbs: float
    groups: dict[str, float]
    joints: dict[str, float] = field(repr=False)


def predict_in_boxes(estimator: PoseEstimator, samples: list[Sample], flip: bool = False) -> Predictions:
    """The pose network on the crop round each labelled box: how top-down methods are compared."""
    found = [
        estimator.pose_network(sample.image(), sample.box[None], flip or None)
        for sample in tqdm(samples, desc="people", unit="person", leave=False, disable=None)
    ]
    return Predictions(np.concatenate([points for points, _ in found]), np.concatenate([scores for _, scores in found]))


def labels_of(samples: Iterable[Sample]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """-> (N, 16, 2) float64 px, (N, 16) bool: of MPII's joints, without the face."""
    samples = list(samples)
    points, labelled = np.stack([s.points for s in samples]), np.stack([s.labelled for s in samples])
    return points[:, :NUM_JOINTS].astype(np.float64), labelled[:, :NUM_JOINTS]


def lsp_measures(samples: list[Sample], points: NDArray[np.float64], name: str = "PCK@0.2") -> list[Measure]:
    """PCK@0.2 of the torso, person-centric, over the 14 LSP joints (Johnson and Everingham)."""
    labels, labelled = labels_of(samples)
    return [_measure(name, correct(points[:, :NUM_JOINTS], labels, labelled, torso_px(labels, labelled), PCK))]


def mpii_measures(samples: list[Sample], points: NDArray[np.float64]) -> list[Measure]:
    """PCKh@0.5 and @0.1 over all joints but pelvis and thorax (Andriluka et al., and Xiao et al.'s code).

    The reference is 0.6 of the head box's diagonal; without head boxes, the labelled head segment.
    """
    labels, labelled = labels_of(samples)
    boxes = np.array([s.head_px for s in samples])
    reference = np.where(np.isnan(boxes), head_px(labels, labelled), boxes)
    return [_measure(f"PCKh@{t}", correct(points[:, :NUM_JOINTS], labels, labelled, reference, t)) for t in PCKH]


def _measure(name: str, found: NDArray[np.float64]) -> Measure:
    groups = {group: percent(found, members) for group, members in GROUPS.items()}
    joints = {JOINTS[j]: percent(found, (j,)) for j in LSP_JOINTS}
    return Measure(name, percent(found, LSP_JOINTS), percent(found, LIMB_JOINTS), groups, joints)


MEASURES: Final[dict[str, Callable[[list[Sample], NDArray[np.float64]], list[Measure]]]] = {
    "shards": lsp_measures,
    "lsp": lsp_measures,
    "mpii": mpii_measures,
}
