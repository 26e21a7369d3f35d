"""What the networks are calibrated and compared on: photos with people boxed, as each network sees them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hpe.pose.crops import SMOOTH, Frame, crop_affine, fit_affine, warp
from hpe.train.data.files import spread
from hpe.train.data.samples import Photo

Picture = NDArray[np.uint8]


def crops_of(photos: Sequence[Photo], frame: Frame, count: int, least_px: float = 32) -> list[Picture]:
    """At most `count` crops round the people whose box is at least `least_px` px, as the pose network sees them."""
    chosen = [
        (photo, box) for photo in photos for box in photo.boxes[~photo.ignore] if max(box[2:] - box[:2]) >= least_px
    ]
    return [warp(photo.image(), crop_affine(box, frame), frame) for photo, box in spread(chosen, count)]


def fitted(photos: Sequence[Photo], longer: int) -> list[Picture]:
    """Whole photos as the locator sees them."""
    found = []
    for photo in photos:
        rgb = photo.image()
        affine, frame = fit_affine(rgb.shape[1], rgb.shape[0], longer)
        found.append(warp(rgb, affine, frame, SMOOTH))
    return found
