"""What a clip costs and whether it fits, from times that were measured (bench/results.md, Clips)."""

from typing import Final

# ms of one core: a frame's decoding, its share of a detection, smoothing and rows; and each person in it. A core of
# Lambda is slower than the one they were measured on by about as much as these are rounded up.
FRAME_MS: Final = 25.0
PERSON_MS: Final = 35.0
USUAL_FPS: Final = 30.0
# People that an estimate counts with, unless it is told.
USUAL_PEOPLE: Final = 2


def seconds_of_work(seconds: float, fps: float = USUAL_FPS, people: float = USUAL_PEOPLE) -> float:
    """A clip of so many s at so many frames a second -> s of one core."""
    return seconds * fps * (FRAME_MS + PERSON_MS * people) / 1000


def seconds_that_fit(work_s: float, fps: float = USUAL_FPS, people: float = USUAL_PEOPLE) -> float:
    """s of one core -> s of a clip: the inverse of `seconds_of_work`."""
    return work_s / (fps * (FRAME_MS + PERSON_MS * people) / 1000)
