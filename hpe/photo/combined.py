"""The JSON answer with more in it: drawn photos as base64, and what other formats say."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from hpe.image.encode import EncodedImage
from hpe.photo.analyse import Found
from hpe.photo.formats import FORMATS, text_of
from hpe.photo.picture import picture
from hpe.photo.recipe import Recipe
from hpe.photo.stages import Stages


def combined(
    found: Found, recipe: Recipe, stages: Stages, include: Sequence[str] = (), image: str = ""
) -> dict[str, Any]:
    """The answer as plain values. All of it fits where one picture alone would, into the recipe's bytes.

    include: formats that are added under "formats". image: the format of the picture that is added as "drawn", '' for
    none.
    """
    answer = found.answer.to_dict()
    formats: dict[str, Any] = {name: _text(found, name) for name in include if not FORMATS[name].drawn}
    pictures = [name for name in include if FORMATS[name].drawn]
    if formats or pictures:
        answer["formats"] = formats
    drawn = len(pictures) + bool(image)
    if not drawn:
        return answer
    room = recipe.with_max_bytes(max(1, ((recipe.max_bytes or 0) - len(json.dumps(answer))) // drawn))
    for name in pictures:
        formats[name] = _inside(picture(found, name, room, stages))
    if image:
        answer["drawn"] = _inside(picture(found, image, room, stages))
    return answer | {"timings_ms": stages.rounded()}


def _text(found: Found, name: str) -> Any:
    """A format's text, or what its JSON holds."""
    text = text_of(found.answer, name)
    return json.loads(text) if FORMATS[name].media_type == FORMATS["json"].media_type else text


def _inside(drawn: EncodedImage) -> dict[str, str | int]:
    """A picture as a part of the JSON."""
    data = base64.b64encode(drawn.data).decode("ascii")
    return {"media_type": drawn.media_type, "width": drawn.width, "height": drawn.height, "data": data}
