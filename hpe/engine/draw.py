"""`hpe.draw_pose`: what draws poses, for every kind of image that the estimator takes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadRequest, BadSettings
from hpe.image.decode import as_rgb
from hpe.pose import draw
from hpe.pose.draw import DrawStyle
from hpe.pose.result import Pose

if TYPE_CHECKING:
    from hpe.image.decode import ImageLike


_USUAL = DrawStyle()


def draw_pose(image: "ImageLike", poses: Iterable[Pose], style: DrawStyle = _USUAL) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB array, path, bytes or open image file, Pillow image -> a new (H, W, 3) uint8 RGB with people.

    The poses are those of the same image: px of it, upright. Their confident joints and limbs are drawn, smaller
    people first. Raises HpeError's kinds: those of the image, BadRequest for what are not poses, BadSettings for what
    is not a style.
    """
    people = list(poses) if isinstance(poses, Iterable) else None
    if people is None or not all(isinstance(pose, Pose) for pose in people):
        given = type(poses).__name__ if people is None else " or ".join(sorted({type(one).__name__ for one in people}))
        raise BadRequest(f"poses: {given}: give the list that a PoseEstimator returned for this image")
    if not isinstance(style, DrawStyle):
        raise BadSettings(f"style={style!r}: give a DrawStyle, like DrawStyle(stroke=2)")
    return draw.draw_pose(as_rgb(image), people, style)
