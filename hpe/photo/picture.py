"""A photo and its people -> the photo with them drawn in, as a file that keeps to a size."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from hpe.image.decode import decode_image
from hpe.image.encode import EncodedImage, encode_image
from hpe.image.resize import RGB, fitting, resize
from hpe.photo.analyse import Found
from hpe.photo.recipe import Recipe
from hpe.photo.stages import Stages
from hpe.pose.draw import draw_pose
from hpe.pose.openpose import draw_controlnet

if TYPE_CHECKING:
    from hpe.pose.result import Pose

CONTROLNET: Final = "controlnet"


def picture(found: Found, format: str, recipe: Recipe, stages: Stages) -> EncodedImage:
    """The drawn photo in the recipe's size, or its people on black for ControlNet.

    A photo that is drawn larger than it was analysed is decoded once more: so what is analysed never depends on what is
    drawn, and joints alone cost no large picture.
    """
    image = found.image
    size = fitting((image.width, image.height), recipe.drawn_side, recipe.drawn_pixels)
    if format == CONTROLNET:
        with stages.stage("draw"):
            canvas = draw_controlnet(_people(found, *size), *size)
        with stages.stage("encode"):
            return encode_image(canvas, "png", recipe.max_bytes)
    if size[0] <= image.rgb.shape[1]:
        rgb = resize(image.rgb, *size)
    else:
        with stages.stage("decode"):
            rgb = decode_image(found.data, recipe.limits, recipe.drawn_side, recipe.drawn_pixels).rgb
    with stages.stage("draw"):
        drawn = _drawn(rgb, found)
    with stages.stage("encode"):
        return encode_image(drawn, format, recipe.max_bytes)


def _drawn(rgb: RGB, found: Found) -> RGB:
    people = _people(found, rgb.shape[1], rgb.shape[0])
    return draw_pose(rgb, people) if people else rgb


def _people(found: Found, width: int, height: int) -> "Sequence[Pose]":
    """In px of a picture of this size."""
    across, down = width / found.image.width, height / found.image.height
    people = found.answer.people
    return people if across == down == 1 else [pose.scaled(across, down) for pose in people]
