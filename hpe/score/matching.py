"""Which found person is which labelled one: OKS of poses to labels, and pairs by likeness.

K people found, P people labelled, J keypoints.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.pose.boxes import AREA_OF_BOX

# IoU or OKS from which it is the same person.
SAME: Final[float] = 0.5


def oks_to(
    points: NDArray[np.floating],
    boxes: NDArray[np.floating],
    labels: NDArray[np.floating],
    sigmas: NDArray[np.floating],
) -> NDArray[np.float64]:
    """(K, J, 2) px, labelled people's (P, 4) boxes and (P, J, 3) x, y, labelled, (J,) -> (K, P) float64 OKS.

    Over the labelled keypoints, 0 for people without any. The area is 0.53 of the box's, as COCO's are on average.
    """
    known = labels[:, :, 2] > 0
    area = AREA_OF_BOX * (boxes[:, 2:] - boxes[:, :2]).prod(axis=1).astype(np.float64)
    squared = ((np.asarray(points, np.float64)[:, None] - labels[None, :, :, :2]) ** 2).sum(axis=3)
    alike = np.exp(-squared / (2 * np.maximum(area, 1)[None, :, None] * (2 * sigmas) ** 2))
    return np.asarray((alike * known).sum(axis=2) / np.maximum(known.sum(axis=1), 1)[None])


def pairs(alike: NDArray[np.float64], least: float = SAME) -> dict[int, int]:
    """(K, P) likeness, found people best first -> {labelled person: found person}, each at most once."""
    taken: dict[int, int] = {}
    for k in range(len(alike)):
        free = [p for p in range(alike.shape[1]) if p not in taken and alike[k, p] >= least]
        if free:
            taken[max(free, key=lambda p: float(alike[k, p]))] = k
    return taken
