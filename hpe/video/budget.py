"""What a clip costs and whether it fits, from times that were measured (bench/results.md, Clips)."""

from typing import Final

# ms of one core. Measured: 9.8 for a frame and 2.5 for decoding it; for each person 4.1 where optical flow carries them
# in every other frame, 7.2 where it does not, and 1.2 for smoothing and rows. Twice that, with nobody carried: a core
# of Lambda need not have the instructions for int8 that the measured one has, and what is promised must fit.
FRAME_MS: Final = 25.0
PERSON_MS: Final = 17.0
USUAL_FPS: Final = 30.0
# People that an estimate counts with, unless it is told.
USUAL_PEOPLE: Final = 2


def seconds_of_work(seconds: float, fps: float = USUAL_FPS, people: float = USUAL_PEOPLE) -> float:
    """A clip of so many s at so many frames a second -> s of one core."""
    return seconds * fps * (FRAME_MS + PERSON_MS * people) / 1000


def seconds_that_fit(work_s: float, fps: float = USUAL_FPS, people: float = USUAL_PEOPLE) -> float:
    """s of one core -> s of a clip: the inverse of `seconds_of_work`."""
    return work_s / (fps * (FRAME_MS + PERSON_MS * people) / 1000)
