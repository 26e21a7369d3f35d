"""PCK and PCKh: the share of keypoints found near enough to where they are."""

import numpy as np
from numpy.typing import NDArray

from hpe.pose.skeleton import INDEX, NUM_JOINTS

FloatArray = NDArray[np.floating]


def torso_px(points: FloatArray) -> NDArray[np.float64]:
    """(N, 16, 2) labels -> (N,) distance left shoulder to right hip, LSP's person-centric reference length."""
    return np.asarray(
        np.linalg.norm(points[:, INDEX["left_shoulder"]] - points[:, INDEX["right_hip"]], axis=-1), dtype=np.float64
    )


def head_px(points: FloatArray) -> NDArray[np.float64]:
    """(N, 16, 2) labels -> (N,) distance upper neck to head top.

    MPII's PCKh uses 0.6 times the diagonal of a labelled head box; where only joints are labelled, the head
    segment is the usual stand-in.
    """
    return np.asarray(
        np.linalg.norm(points[:, INDEX["head_top"]] - points[:, INDEX["upper_neck"]], axis=-1), dtype=np.float64
    )


def correct(
    predicted: FloatArray, labels: FloatArray, labelled: NDArray[np.bool_], reference_px: FloatArray, threshold: float
) -> NDArray[np.float64]:
    """(N, 16, 2), (N, 16, 2), (N, 16), (N,) -> (N, 16) float64: 1 found, 0 missed, nan where not labelled.

    A keypoint is found when its error is at most `threshold` times the person's reference length.
    """
    error = np.linalg.norm(np.asarray(predicted, dtype=np.float64) - labels, axis=-1)
    found = (error <= threshold * np.asarray(reference_px)[:, None]).astype(np.float64)
    return np.where(labelled & (np.asarray(reference_px) > 0)[:, None], found, np.nan)


def pck(
    predicted: FloatArray,
    labels: FloatArray,
    labelled: NDArray[np.bool_],
    reference_px: FloatArray,
    threshold: float,
    joints: tuple[int, ...],
) -> tuple[float, NDArray[np.float64]]:
    """-> PCK in percent over the labelled keypoints of `joints`, and (16,) percent per joint (nan if none).

    The mean is over keypoints, not over joints' percentages (Yang and Ramanan, PAMI 2013; Johnson and
    Everingham's LSP protocol counts so as well).
    """
    found = correct(predicted, labels, labelled, reference_px, threshold)
    per_joint = np.full(NUM_JOINTS, np.nan)
    for j in range(NUM_JOINTS):
        column = found[:, j][~np.isnan(found[:, j])]
        if len(column):
            per_joint[j] = 100 * column.mean()
    chosen = found[:, list(joints)]
    chosen = chosen[~np.isnan(chosen)]
    return (100 * float(chosen.mean()) if len(chosen) else float("nan")), per_joint
