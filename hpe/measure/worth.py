"""What a person who was found is worth: whether the skeleton is right, by people's labels. K people found."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.measure.found import Found
from hpe.pose.boxes import OKS_SIGMAS, box_iou, overlaps
from hpe.pose.skeleton import LIMB_JOINTS
from hpe.score.matching import SAME, oks_to, pairs
from hpe.train.data.samples import Photo

LIMBS: Final[list[int]] = list(LIMB_JOINTS)
# COCO's steps of OKS, over which AP is averaged.
STEPS: Final[NDArray[np.float64]] = np.arange(0.5, 1.0, 0.05)
# IoU from which a box may be somebody's whose joints nobody placed.
_NEAR: Final[float] = 0.3


def who_is_there(one: Found, photo: Photo) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(K,) whether each box is somebody's, each person's once, and (K,) whether it counts: not in an area to ignore."""
    alike = box_iou(one.boxes, photo.boxes) * ~photo.ignore
    there = np.zeros(len(one.boxes), np.bool_)
    there[list(pairs(alike, SAME).values())] = True
    union, within = overlaps(one.boxes, photo.boxes[photo.ignore])
    doubtful = (union.max(axis=1, initial=0) >= SAME) | (within.max(axis=1, initial=0) > SAME)
    return there, there | ~doubtful


def quality(one: Found, photo: Photo) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(K,) share of COCO's steps of OKS at which each is right, each labelled person's once, and (K,) who counts.

    Who lies where a person without joints is, or an area to ignore, does not count: nobody knows.
    """
    labelled = ~photo.ignore & (photo.joints[:, LIMBS, 2] > 0).any(axis=1)
    alike = oks_to(one.points[:, LIMBS], photo.boxes, photo.joints[:, LIMBS], OKS_SIGMAS[LIMBS]) * labelled
    worth = np.zeros(len(one.boxes))
    for person, number in pairs(alike).items():
        worth[number] = (alike[number, person] >= STEPS).mean()
    union, within = overlaps(one.boxes, photo.boxes[~labelled])
    unknown = (union.max(axis=1, initial=0) > _NEAR) | (within.max(axis=1, initial=0) > SAME)
    return worth, (worth > 0) | ~unknown
