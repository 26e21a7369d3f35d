"""`hpe.draw_pose`: what draws poses, for every kind of image that the estimator takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hpe.image.decode import as_rgb
from hpe.pose import draw
from hpe.pose.draw import DrawStyle
from hpe.pose.result import Pose

if TYPE_CHECKING:
    from hpe.image.decode import ImageLike


_USUAL = DrawStyle()


def draw_pose(image: "ImageLike", poses: Sequence[Pose], style: DrawStyle = _USUAL) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB array, path, image file bytes or Pillow image -> a new (H, W, 3) uint8 RGB with people drawn.

    The poses are those of the same image: px of it, upright. Their confident joints and limbs are drawn, smaller
    people first. Raises HpeError's kinds for what is not an image.
    """
    return draw.draw_pose(as_rgb(image), poses, style)
