"""What a caller may ask of an estimator: each mistake in one line that says what to give."""

from collections.abc import Sequence
from os import PathLike, fspath

import numpy as np
from numpy.typing import NDArray

from hpe.cores import MAX_THREADS
from hpe.errors import BadRequest, BadSettings
from hpe.pose.boxes import Boxes
from hpe.settings import MAX_PEOPLE

BoxesLike = NDArray[np.floating] | Sequence[Sequence[float]]


def checked_threshold(value: object) -> float:
    """Scores are from 0 to 1: 30, meant as percent, would hide every joint without a word. Raises BadSettings."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating) or not 0 <= value <= 1:
        raise BadSettings(f"threshold={value!r} is not a score: give a number from 0 to 1, like 0.3")
    return float(value)


def checked_max_people(value: int) -> int:
    """Raises BadSettings for anything but 1 to 20."""
    return _whole("max_people", value, 1, MAX_PEOPLE)


def checked_threads(value: int) -> int:
    """Ten thousand threads would stop the machine. Raises BadSettings for anything but 0, all cores, to 256."""
    return _whole("threads", value, 0, MAX_THREADS)


def checked_flip(value: bool) -> bool:
    """The text "no" would count as yes. Raises BadSettings for anything but True and False."""
    if not isinstance(value, bool | np.bool_):
        raise BadSettings(f"flip={value!r}: give True or False")
    return bool(value)


def checked_path(name: str, value: str | PathLike[str] | None) -> str:
    """None -> ''. Raises BadSettings for what is neither text nor a path of text."""
    path = fspath(value) if isinstance(value, PathLike) else value
    if path is not None and not isinstance(path, str):
        raise BadSettings(f"{name}={value!r}: give a path, as text or pathlib.Path")
    return path or ""


def _whole(name: str, value: int, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= most:
        raise BadSettings(f"{name}={value!r}: give a whole number from {least} to {most}")
    return int(value)


def checked_boxes(boxes: BoxesLike, height: int, width: int) -> Boxes:
    """(K, 4) x0, y0, x1, y1 in px of a picture of this size -> (K, 4) float64; an empty list is (0, 4).

    Raises BadRequest naming the bad one.
    """
    how = "give (K, 4) numbers: x0, y0, x1, y1 of each person in px"
    try:
        given = np.asarray(boxes)
        if given.shape == (0,):
            return np.zeros((0, 4))
        if given.dtype.kind not in "fiu":  # text of digits would pass as numbers
            raise TypeError(f"{given.dtype}")
        found = given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise BadRequest(f"boxes are not numbers in rows of four: {how}") from error
    if found.ndim != 2 or found.shape[1] != 4:
        raise BadRequest(f"boxes of shape {found.shape}: {how}")
    if len(found) > MAX_PEOPLE:
        raise BadRequest(f"{len(found)} boxes; the limit is {MAX_PEOPLE}: send the others separately", limit=MAX_PEOPLE)
    for box in found:
        check_box(*box.tolist())
        x0, y0, x1, y1 = box.tolist()
        if x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height:
            raise BadRequest(
                f"box {x0:g},{y0:g},{x1:g},{y1:g} lies outside the photo, which is {width}x{height} px: give "
                "x0, y0, x1, y1 in px of the upright photo"
            )
    return found


def check_box(x0: float, y0: float, x1: float, y1: float) -> None:
    """The one rule for a box's numbers, px, whoever gives them. Raises BadRequest."""
    name = f"box {x0:g},{y0:g},{x1:g},{y1:g}"
    if not np.isfinite([x0, y0, x1, y1]).all():
        raise BadRequest(f"{name} is not finite: give x0, y0, x1, y1 in px")
    if x1 - x0 < 1 or y1 - y0 < 1:
        raise BadRequest(
            f"{name} is not a px wide and high: give x0,y0,x1,y1 in px, x1 and y1 being the far corner, not the size"
        )
