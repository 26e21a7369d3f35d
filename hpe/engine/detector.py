"""A picture -> people's boxes: the whole picture, fitted into one frame, through one small network, the locator."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import Calibration, LocatorCard
from hpe.engine.session import Session
from hpe.pose.boxes import LOGIT_INTERCEPT, LOGIT_SLOPE, MAX_PEAKS, Boxes, box_iou, decode_boxes
from hpe.pose.crops import MULTIPLE, SMOOTH, Affine, fit_affine, fit_pixels, scale_of, warp, whole_image_box
from hpe.pose.logistic import logit, sigmoid
from hpe.settings import MAX_PEOPLE

_USUAL: Final = Calibration(LOGIT_SLOPE, LOGIT_INTERCEPT)
# A second look shows people at least so much larger, or there is none.
_LARGER: Final[float] = 1.1
# Boxes down to this score are kept until the scores of both looks are averaged.
_LEAST: Final[float] = 0.03
# IoU from which both looks see the same person.
_SAME: Final[float] = 0.5

Found = tuple[Boxes, NDArray[np.float64]]


class Detector:
    """A detector: `detector(rgb, max_people)`. session takes frames of any multiples of 32 px.

    It looks from coarse to fine: most pictures need no more than the coarse look, which takes a fraction of the time.
    """

    def __init__(self, session: Session, card: LocatorCard) -> None:
        self.session, self.card = session, card

    def __call__(self, rgb: NDArray[np.uint8], max_people: int = MAX_PEOPLE) -> Found:
        """(H, W, 3) uint8 RGB -> (K, 4) float64 boxes in px of the picture, (K,) scores in 0..1, best first."""
        boxes, scores = self._looks(rgb)
        # as for people: low scores are credible beside a high one, but not on their own
        if scores.max(initial=0) < self.card.photo_threshold:
            return boxes[:0], scores[:0]
        kept = np.flatnonzero(scores >= self.card.threshold)[:max_people]
        return boxes[kept], scores[kept]

    def surest(self, rgb: NDArray[np.uint8], pixels: int) -> float:
        """(H, W, 3) uint8 RGB -> the best box's score in one look at a frame of at most `pixels` px, 0 without any."""
        height, width = rgb.shape[:2]
        _, scores = self._look(rgb, *fit_pixels(width, height, pixels), _LEAST)
        return float(scores.max(initial=0))

    def _looks(self, rgb: NDArray[np.uint8]) -> Found:
        """Everybody who may be there, whatever the score."""
        height, width = rgb.shape[:2]
        coarse = self.card.coarse
        if coarse is None:
            return self._look(rgb, *fit_affine(width, height, self.card.input_size), self.card.threshold)
        least = min(self.card.threshold, coarse.score, _LEAST)
        first, frame = fit_pixels(width, height, coarse.pixels)
        boxes, scores = self._look(rgb, first, frame, least)
        smallest = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)[scores >= coarse.score].min(initial=np.inf)
        if smallest * scale_of(first) >= coarse.small_px:
            return boxes, scores
        second, frame = fit_affine(width, height, self._longer(max(width, height) / smallest))
        if scale_of(second) <= _LARGER * scale_of(first):
            return boxes, scores
        return together(self._look(rgb, second, frame, least), (boxes, scores))

    def _longer(self, times: float) -> int:
        """The longer side of the second look's frame, px. times: the picture's longer side to the smallest person's."""
        fine = self.card.fine
        if fine is None:
            return self.card.input_size
        # of few sizes, so that onnxruntime plans its memory for few
        wanted = math.ceil(fine.person_px * times / MULTIPLE) * MULTIPLE
        return min(max(wanted, self.card.input_size), fine.longest)

    def _look(self, rgb: NDArray[np.uint8], affine: Affine, frame: tuple[int, int], threshold: float) -> Found:
        maps = self.session.run(warp(rgb, affine, frame, SMOOTH)[None])[0]
        score = self.card.calibration or _USUAL
        unit = self.card.size_unit or self.card.input_size
        return decode_boxes(
            maps, affine, rgb.shape[:2], unit, threshold, MAX_PEAKS, slope=score.slope, intercept=score.intercept
        )


def whole_picture(rgb: NDArray[np.uint8], max_people: int = MAX_PEOPLE) -> Found:
    """The detector of a model without a locator: (H, W, 3) -> one box, of the whole picture, with a score of 1."""
    return whole_image_box(rgb.shape[1], rgb.shape[0])[None], np.ones(1)


def together(fine: Found, coarse: Found) -> Found:
    """The second look's boxes, best first. A person seen in both looks has the score of the mean logit.

    That mean changes less than either score when a photo is saved again or moved by a pixel.
    """
    boxes, scores = fine
    if not len(boxes) or not len(coarse[0]):
        return fine
    alike = box_iou(boxes, coarse[0])
    both = alike.max(axis=1) >= _SAME
    values = logit(scores)
    values[both] = (values[both] + logit(coarse[1])[alike.argmax(axis=1)[both]]) / 2
    best = np.argsort(-values, kind="stable")
    return boxes[best], sigmoid(values[best])
