"""Where people are: the whole picture, fitted into one frame, through one small network."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.manifest import Calibration, LocatorCard
from hpe.engine.session import Session
from hpe.pose.boxes import LOGIT_INTERCEPT, LOGIT_SLOPE, Boxes, decode_boxes
from hpe.pose.crops import fit_affine, warp

_USUAL: Final = Calibration(LOGIT_SLOPE, LOGIT_INTERCEPT)


class Locator:
    """Finds people in pictures of any size. session takes frames of any multiples of 32 px."""

    def __init__(self, session: Session, card: LocatorCard) -> None:
        self.session, self.card = session, card

    def find(self, rgb: NDArray[np.uint8], max_people: int) -> tuple[Boxes, NDArray[np.float64]]:
        """(H, W, 3) uint8 RGB -> (K, 4) float64 boxes in px of the picture, (K,) scores in 0..1, best first."""
        height, width = rgb.shape[:2]
        affine, frame = fit_affine(width, height, self.card.input_size)
        maps = self.session.run(warp(rgb, affine, frame)[None])[0]
        score = self.card.calibration or _USUAL
        return decode_boxes(
            maps,
            affine,
            (height, width),
            self.card.size_unit or self.card.input_size,
            self.card.threshold,
            max_people,
            slope=score.slope,
            intercept=score.intercept,
        )
