"""A photo and its people -> the photo with them drawn in, as a file that keeps to a size."""

from hpe.image.decode import decode_image
from hpe.image.encode import EncodedImage, encode_image
from hpe.image.resize import RGB, fitting, resize
from hpe.photo.analyse import Found
from hpe.photo.recipe import Recipe
from hpe.photo.stages import Stages
from hpe.pose.draw import draw_pose


def picture(found: Found, format: str, recipe: Recipe, stages: Stages) -> EncodedImage:
    """The drawn photo in the recipe's size. A photo that is drawn larger than it was analysed is decoded once more.

    So what is analysed never depends on what is drawn, and joints alone cost no large picture.
    """
    image = found.image
    size = fitting((image.width, image.height), recipe.drawn_side, recipe.drawn_pixels)
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
    if not found.answer.people:
        return rgb
    across, down = rgb.shape[1] / found.image.width, rgb.shape[0] / found.image.height
    same = across == down == 1
    return draw_pose(rgb, found.answer.people if same else [pose.scaled(across, down) for pose in found.answer.people])
