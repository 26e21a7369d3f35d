"""PCK and PCKh: the share of keypoints found near enough to where they are."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.pose.skeleton import INDEX, JOINTS, NUM_JOINTS

FloatArray = NDArray[np.floating]
BoolArray = NDArray[np.bool_]

# as papers print them: both sides of a joint in one column
GROUPS: Final[dict[str, tuple[int, ...]]] = {
    "head": (INDEX["head_top"],),
    "neck": (INDEX["upper_neck"],),
} | {
    part: tuple(i for i, name in enumerate(JOINTS) if name.endswith(f"_{part}"))
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
}


def torso_px(points: FloatArray, labelled: BoolArray | None = None) -> NDArray[np.float64]:
    """(N, 16, 2) labels -> (N,) distance left shoulder to right hip, LSP's person-centric reference length.

    nan where `labelled` (N, 16) says that one of the two is unknown.
    """
    return _length(points, labelled, "left_shoulder", "right_hip")


def head_px(points: FloatArray, labelled: BoolArray | None = None) -> NDArray[np.float64]:
    """(N, 16, 2) labels -> (N,) distance upper neck to head top; nan if one of them is unknown.

    MPII's PCKh uses 0.6 times the diagonal of a labelled head box; where only joints are labelled, the head
    segment is the usual stand-in.
    """
    return _length(points, labelled, "upper_neck", "head_top")


def _length(points: FloatArray, labelled: BoolArray | None, a: str, b: str) -> NDArray[np.float64]:
    ends = [INDEX[a], INDEX[b]]
    length = np.linalg.norm(points[:, ends[0]] - points[:, ends[1]], axis=-1).astype(np.float64)
    return length if labelled is None else np.where(labelled[:, ends].all(axis=1), length, np.nan)


def correct(
    predicted: FloatArray, labels: FloatArray, labelled: BoolArray, reference_px: FloatArray, threshold: float
) -> NDArray[np.float64]:
    """(N, 16, 2), (N, 16, 2), (N, 16), (N,) -> (N, 16) float64: 1 found, 0 missed, nan where not labelled.

    A keypoint is found when its error is at most `threshold` times the person's reference length. A predicted
    nan is a miss. People without a reference length count for nothing.
    """
    reference = np.asarray(reference_px, dtype=np.float64)
    error = np.linalg.norm(np.asarray(predicted, dtype=np.float64) - labels, axis=-1)
    found = (error <= threshold * reference[:, None]).astype(np.float64)
    return np.where(labelled & (reference > 0)[:, None], found, np.nan)


def percent(found: NDArray[np.float64], joints: tuple[int, ...]) -> float:
    """(N, 16) of `correct` -> percent found of the labelled keypoints of `joints`, nan if there are none.

    The mean is over keypoints, not over joints' percentages (Yang and Ramanan, PAMI 2013; Johnson and
    Everingham's LSP protocol counts so as well).
    """
    chosen = found[:, list(joints)]
    chosen = chosen[~np.isnan(chosen)]
    return 100 * float(chosen.mean()) if len(chosen) else float("nan")


def pck(
    predicted: FloatArray,
    labels: FloatArray,
    labelled: BoolArray,
    reference_px: FloatArray,
    threshold: float,
    joints: tuple[int, ...],
) -> tuple[float, NDArray[np.float64]]:
    """-> PCK in percent over the labelled keypoints of `joints`, and (16,) percent per joint (nan if none)."""
    found = correct(predicted, labels, labelled, reference_px, threshold)
    return percent(found, joints), np.array([percent(found, (j,)) for j in range(NUM_JOINTS)])
