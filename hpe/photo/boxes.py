"""Boxes of people that are known to be there, as users write them: x0,y0,x1,y1 in px of the upright photo."""

import re
from collections.abc import Iterable
from typing import Final

from hpe.engine.inputs import check_box
from hpe.errors import BadRequest

Box = tuple[float, float, float, float]
_PIXELS: Final = re.compile(r"-?[0-9]{1,6}(\.[0-9]{0,6})?")


def parse_box(text: str) -> Box:
    """'x0,y0,x1,y1' -> its numbers. Whether it lies in the photo is checked once that is known. Raises BadRequest."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not all(_PIXELS.fullmatch(part) for part in parts):
        raise BadRequest(f"box {text[:60]!r} is not x0,y0,x1,y1 in px: give four numbers, like 10,20,210,420")
    x0, y0, x1, y1 = map(float, parts)
    check_box(x0, y0, x1, y1)
    return x0, y0, x1, y1


def parse_boxes(texts: Iterable[str], max_people: int) -> tuple[Box, ...]:
    """'x0,y0,x1,y1' each -> boxes in px, at most so many. Raises BadRequest."""
    boxes = tuple(parse_box(text) for text in texts)
    if len(boxes) > max_people:
        raise BadRequest(
            f"{len(boxes)} boxes; the limit is {max_people}: send the others in another request", limit=max_people
        )
    return boxes
