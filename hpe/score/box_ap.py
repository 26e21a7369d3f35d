"""Average precision of located boxes (COCO's protocol at one IoU: Lin et al., ECCV 2014)."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from hpe.pose.boxes import overlaps as overlaps

RECALLS: Final[NDArray[np.float64]] = np.linspace(0, 1, 101)
INSIDE: Final[float] = 0.5  # of a found box: this much of it in an area to ignore, and it counts for nothing


class Boxed(Protocol):
    """A photo with everybody boxed: (K, 4) x0, y0, x1, y1 px and (K,) bool areas that count neither way."""

    @property
    def boxes(self) -> NDArray[np.float32]: ...
    @property
    def ignore(self) -> NDArray[np.bool_]: ...


def matches(
    found: NDArray[np.floating], photo: Boxed, iou: float, least_px: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """(K, 5) boxes and scores of one photo -> scores of those that count, 1 right or 0 wrong each, and people to find.

    People below `least_px` (longer side) are ignored, and so is a found box of that size that is nobody's.
    """
    found = found[np.argsort(-found[:, 4], kind="stable")]
    longer = (photo.boxes[:, 2:] - photo.boxes[:, :2]).max(axis=1, initial=0)
    wanted = ~photo.ignore & (longer >= least_px)
    people, others = photo.boxes[wanted], photo.boxes[~wanted]
    small = ~photo.ignore[~wanted]
    union, _ = overlaps(found[:, :4], people)
    union_others, within = overlaps(found[:, :4], others)
    scores, right = [], []
    taken = np.zeros(len(people), np.bool_)
    for k, box in enumerate(found):
        free = np.where(taken, 0.0, union[k])
        if free.size and free.max() >= iou:
            taken[int(free.argmax())] = True
            right.append(1)
        else:
            neither = (union_others[k] >= iou).any() or (within[k][~small] > INSIDE).any()
            if neither or max(box[2] - box[0], box[3] - box[1]) < least_px:
                continue
            right.append(0)
        scores.append(float(box[4]))
    return np.array(scores), np.array(right, np.int64), len(people)


def box_ap(
    found: Sequence[NDArray[np.floating]], photos: Sequence[Boxed], iou: float = 0.5, least_px: float = 0.0
) -> float:
    """Per photo (K, 5) x0, y0, x1, y1, score px -> average precision in percent, over people of at least `least_px`."""
    parts = [matches(boxes, photo, iou, least_px) for boxes, photo in zip(found, photos, strict=True)]
    total = sum(count for _, _, count in parts)
    if not total:
        return float("nan")
    scores = np.concatenate([s for s, _, _ in parts])
    right = np.concatenate([r for _, r, _ in parts])[np.argsort(-scores, kind="stable")]
    return 100 * average_precision(right, total)


def average_precision(right: NDArray[np.integer], total: int) -> float:
    """1 right and 0 wrong, best score first, and how many there are to find -> AP over 101 recalls, 0..1."""
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(hits / total, RECALLS, side="left")
    return float(np.where(at < len(best), np.append(best, 0.0)[np.minimum(at, len(best))], 0.0).mean())
