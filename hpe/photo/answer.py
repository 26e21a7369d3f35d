"""What was found in one photo: built once, whoever asks (API, queue, command line), and written in any format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hpe.pose.skeleton import LIMBS

if TYPE_CHECKING:
    from hpe.pose.result import Pose

SKELETON: Final[list[list[int]]] = [list(limb) for limb in LIMBS]


@dataclass(frozen=True)
class Answer:
    """The people in one photo.

    people: best first, points and boxes in px of the photo as sent, upright. width, height: its size, px.
    analysed: (width, height) in px of the picture that the networks were given. threshold: joint score below
    which a joint is unsure. model: `model_of` its card. timings_ms: of each stage. file: its name, if it
    has one. angles: whether people's angles are told.
    """

    people: "Sequence[Pose]"
    width: int
    height: int
    analysed: tuple[int, int]
    threshold: float
    model: Mapping[str, Any]
    timings_ms: Mapping[str, float]
    file: str = ""
    angles: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON answer, plain values; "file" only if there is a name."""
        return {
            **({"file": self.file} if self.file else {}),
            "image": {"width": self.width, "height": self.height},
            "width": self.width,
            "height": self.height,
            "analysed": {"width": self.analysed[0], "height": self.analysed[1]},
            "threshold": round(float(self.threshold), 4),
            "people": [person.to_dict(angles=self.angles) for person in self.people],
            "model": dict(self.model),
            "skeleton": SKELETON,
            "timings_ms": dict(self.timings_ms),
        }


def model_of(card: Any) -> dict[str, Any]:
    """A model's card -> what answers say of it."""
    locator = {"locator": {"sha256": card.locate.sha256}} if card.locate else {}
    return {"name": card.name, "sha256": card.sha256, **locator}
