"""What was found in one photo: built once, whoever asks (API, queue, command line), and written in any format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadRequest
from hpe.pose.skeleton import LIMBS

if TYPE_CHECKING:
    from hpe.image.decode import DecodedImage
    from hpe.pose.result import Pose

# x0, y0, x1, y1 in px of the photo as sent, upright
Box = tuple[float, float, float, float]
SKELETON: Final[list[list[int]]] = [list(limb) for limb in LIMBS]


@dataclass(frozen=True)
class Answer:
    """The people in one photo.

    people: best first, points and boxes in px of the photo as sent, upright. width, height: its size, px.
    analysed: (width, height) in px of the picture that the networks were given. threshold: joint score below
    which a joint is unsure. model: `model_of` its card. timings_ms: of each stage. file: its name, if it has one.
    """

    people: "Sequence[Pose]"
    width: int
    height: int
    analysed: tuple[int, int]
    threshold: float
    model: Mapping[str, Any]
    timings_ms: Mapping[str, float]
    file: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON answer, plain values; "file" only if there is a name."""
        return {
            **({"file": self.file} if self.file else {}),
            "image": {"width": self.width, "height": self.height},
            "width": self.width,
            "height": self.height,
            "analysed": {"width": self.analysed[0], "height": self.analysed[1]},
            "threshold": round(float(self.threshold), 4),
            "people": [person.to_dict() for person in self.people],
            "model": dict(self.model),
            "skeleton": SKELETON,
            "timings_ms": {name: round(took, 1) for name, took in self.timings_ms.items()},
        }


def answer_of(
    image: "DecodedImage",
    analysed: tuple[int, int],
    poses: "Sequence[Pose]",
    threshold: float,
    card: Any,
    timings_ms: Mapping[str, float],
    file: str = "",
) -> Answer:
    """Poses in px of a picture of `analysed` (width, height) px -> Answer in px of the photo as sent."""
    across, down = image.width / analysed[0], image.height / analysed[1]
    people = [pose.scaled(across, down) for pose in poses]
    return Answer(people, image.width, image.height, analysed, threshold, model_of(card), dict(timings_ms), file)


def model_of(card: Any) -> dict[str, Any]:
    """A model's card -> what answers say of it."""
    locator = {"locator": {"sha256": card.locate.sha256}} if card.locate else {}
    return {"name": card.name, "sha256": card.sha256, **locator}


def boxes_within(boxes: Sequence[Box], image: "DecodedImage", analysed: tuple[int, int]) -> NDArray[np.float64] | None:
    """Boxes in px of the photo as sent -> (N, 4) px of a picture of `analysed` (width, height); None for none.

    Raises BadRequest for a box that lies outside the photo.
    """
    if not boxes:
        return None
    for box in boxes:
        if box[2] <= 0 or box[3] <= 0 or box[0] >= image.width or box[1] >= image.height:
            raise BadRequest(
                f"box={','.join(f'{v:g}' for v in box)} lies outside the photo, which is {image.width}x{image.height} "
                "px: give x0,y0,x1,y1 in px of the upright photo"
            )
    factor = np.array([analysed[0] / image.width, analysed[1] / image.height] * 2)
    scaled: NDArray[np.float64] = (np.asarray(boxes, np.float64) + 0.5) * factor - 0.5
    return scaled
