"""Where people are: the whole picture, fitted into one frame, through one small network."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.manifest import Calibration, LocatorCard
from hpe.engine.scores import logits
from hpe.engine.session import Session
from hpe.pose.boxes import LOGIT_INTERCEPT, LOGIT_SLOPE, MAX_PEAKS, Boxes, box_iou, decode_boxes
from hpe.pose.crops import SMOOTH, Affine, fit_affine, fit_pixels, scale_of, warp

_USUAL: Final = Calibration(LOGIT_SLOPE, LOGIT_INTERCEPT)
# A second look shows people at least so much larger, or there is none.
_LARGER: Final[float] = 1.1
# Of the first look boxes down to this score count, for the mean with the second look's.
_LEAST: Final[float] = 0.03
# IoU from which both looks see the same person.
_SAME: Final[float] = 0.5

Found = tuple[Boxes, NDArray[np.float64]]


class Locator:
    """Finds people in pictures of any size. session takes frames of any multiples of 32 px.

    It looks from coarse to fine: most pictures need no more than the coarse look, which takes a fraction of the time.
    """

    def __init__(self, session: Session, card: LocatorCard) -> None:
        self.session, self.card = session, card

    def find(self, rgb: NDArray[np.uint8], max_people: int) -> Found:
        """(H, W, 3) uint8 RGB -> (K, 4) float64 boxes in px of the picture, (K,) scores in 0..1, best first."""
        height, width = rgb.shape[:2]
        affine, frame = fit_affine(width, height, self.card.input_size)
        coarse = self.card.coarse
        if coarse is None:
            return self._look(rgb, affine, frame, self.card.threshold, max_people)
        first, first_frame = fit_pixels(width, height, coarse.pixels)
        boxes, scores = self._look(rgb, first, first_frame, min(self.card.threshold, coarse.score, _LEAST), MAX_PEAKS)
        longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) * scale_of(first)
        small = (scores >= coarse.score) & (longer < coarse.small_px)
        if small.any() and scale_of(affine) > _LARGER * scale_of(first):
            fine = self._look(rgb, affine, frame, _LEAST, MAX_PEAKS)
            boxes, scores = together(fine, (boxes, scores))
        kept = np.flatnonzero(scores >= self.card.threshold)[:max_people]
        return boxes[kept], scores[kept]

    def _look(
        self, rgb: NDArray[np.uint8], affine: Affine, frame: tuple[int, int], threshold: float, most: int
    ) -> Found:
        maps = self.session.run(warp(rgb, affine, frame, SMOOTH)[None])[0]
        score = self.card.calibration or _USUAL
        unit = self.card.size_unit or self.card.input_size
        return decode_boxes(
            maps, affine, rgb.shape[:2], unit, threshold, most, slope=score.slope, intercept=score.intercept
        )


def together(fine: Found, coarse: Found) -> Found:
    """The second look's boxes; of a person whom the first saw as well the score is that of both logits' mean.

    A score that two looks agree on changes less with the photo's last px than that of either.
    """
    boxes, scores = fine
    if not len(boxes) or not len(coarse[0]):
        return fine
    alike = box_iou(boxes, coarse[0])
    both = alike.max(axis=1) >= _SAME
    values = logits(scores)
    values[both] = (values[both] + logits(coarse[1])[alike.argmax(axis=1)[both]]) / 2
    best = np.argsort(-values, kind="stable")
    return boxes[best], 1 / (1 + np.exp(-values[best]))
