"""The bytes of a photo -> the people in it, whatever door it came through."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hpe.image.decode import DecodedImage, decode_image
from hpe.photo.answer import Answer, model_of
from hpe.photo.boxes import Box
from hpe.photo.recipe import Recipe
from hpe.photo.stages import Stages
from hpe.settings import ANALYSED_SIDE

if TYPE_CHECKING:
    from hpe.engine.card import ModelCard
    from hpe.pose.result import Pose


class Estimator(Protocol):
    """What is needed of `hpe.engine.estimator.PoseEstimator`."""

    @property
    def card(self) -> "ModelCard":
        """What is known of the model."""

    @property
    def threshold(self) -> float:
        """Joint score below which a joint is unsure, if a call names no other."""

    def __call__(
        self,
        image: Any,
        *,
        max_people: int | None = None,
        boxes: Any = None,
        flip: bool | None = None,
        threshold: float | None = None,
    ) -> "list[Pose]":
        """A DecodedImage -> at most `max_people` people, best first, in px of the photo; boxes skip the detector."""


@dataclass(frozen=True)
class Options:
    """What is asked of one photo; None leaves it to the estimator.

    people: at most so many. boxes: in px of the upright photo, each with one person in it; nobody else is looked for.
    threshold: joint score, 0..1, below which a joint is unsure. flip: average with the mirrored photo.
    angles: whether the JSON tells them.
    """

    people: int | None = None
    boxes: Sequence[Box] = ()
    threshold: float | None = None
    flip: bool | None = None
    angles: bool = False


@dataclass(frozen=True)
class Found:
    """A photo and who is in it. data: its file. image: as it was analysed. answer: in px of the photo as sent."""

    data: bytes
    image: DecodedImage
    answer: Answer


_USUAL = Options()


def read(data: bytes, recipe: Recipe, stages: Stages) -> DecodedImage:
    """A photo's bytes -> what is analysed of it. Raises TooLarge, UnsupportedImage, BrokenImage."""
    with stages.stage("decode"):
        return decode_image(data, recipe.limits, ANALYSED_SIDE)


def analyse(
    data: bytes, recipe: Recipe, source: Any, stages: Stages, options: Options = _USUAL, file: str = ""
) -> Found:
    """A photo's bytes -> its people. source: called for the Estimator once the photo is decoded. file: its name.

    Raises what decoding does, BadRequest for boxes, and what the source does.
    """
    image = read(data, recipe, stages)
    estimator: Estimator = source()
    with stages.stage("infer"):
        people = estimator(
            image,
            max_people=options.people,
            boxes=options.boxes or None,
            flip=options.flip,
            threshold=options.threshold,
        )
    threshold = estimator.threshold if options.threshold is None else options.threshold
    analysed = (image.rgb.shape[1], image.rgb.shape[0])
    card = model_of(estimator.card)
    size = (image.width, image.height)
    answer = Answer(people, *size, analysed, threshold, card, stages.rounded(), file, options.angles)
    return Found(data, image, answer)
