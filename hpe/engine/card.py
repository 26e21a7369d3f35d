"""What is known of a model and its networks, besides their weights."""

from dataclasses import dataclass, field
from typing import Any, Final

from hpe.pose.skeleton import JOINTS


@dataclass(frozen=True)
class Calibration:
    """A score from a network's value: 1 / (1 + exp(-(slope * value + intercept)))."""

    slope: float
    intercept: float


# A person's limb joints, sorted by their scores, have weights in so many groups: the least sure three, and so on.
LIMB_GROUPS: Final[int] = 4


@dataclass(frozen=True)
class PersonCalibration:
    """How likely it is that a person is there and right: the logistic function of evidence, weighted.

    locator weighs the logit of the locator's score of the box, joints the mean logit of the scores of the five best
    keypoints in it, limbs the mean logits of its three least sure limb joints, of the next three, and so on (in a
    manifest one number is the weight of all 12), size the log2 of the root of the box's area as a share of the
    picture's longer side.
    """

    locator: float
    joints: float
    intercept: float
    limbs: tuple[float, ...] = (0.0,) * LIMB_GROUPS
    size: float = 0.0


@dataclass(frozen=True)
class CoarseLook:
    """A locator's first look at a picture, in a frame of at most `pixels` px.

    If this finds a person with a score of at least `score` and a longer side of less than `small_px` px of that frame,
    the locator looks again, at its input size or, with a `FineLook`, larger.
    """

    pixels: int
    small_px: int
    score: float


@dataclass(frozen=True)
class FineLook:
    """A locator's second look at a picture that is larger than its input size.

    The frame is as large as it takes for the smallest person of the first look to have a longer side of `person_px` px,
    from the input size up to a longer side of `longest` px.
    """

    person_px: int
    longest: int


@dataclass(frozen=True)
class TurnedLook:
    """Looks of at most `pixels` px at a picture turned by 90, 180 and 270 degrees, if nobody in it scores `sure`.

    If one of them shows a person with a score of at least `score`, people are looked for in the picture turned so. They
    are reported instead if the best of them scores at least `person_threshold`, and more than anybody in the picture as
    it is: somebody on their side is found as well now and then, but not for sure.
    """

    pixels: int
    score: float
    person_threshold: float
    sure: float


@dataclass(frozen=True)
class FlipTest:
    """Which crops are also processed mirrored, for the mean of both: those of whose pose the network is in doubt.

    They are those whose 12 limb joints' heatmaps have peaks, cut off to 0..1, with a mean above `above` and below
    `below`: a lower one shows nobody, a higher one is right without it.
    """

    above: float
    below: float


@dataclass(frozen=True)
class LocatorCard:
    """What is known of a locator: sha256: of the .onnx file. input_size: longer side of its frame, px, at most.

    threshold: score below which nobody is there. photo_threshold: least score of the photo's best box; if it is not
    reached, nobody is there. calibration: of the centre map, if it is not the usual one. size_unit:
    px of the frame that a size of 1 stands for, as it was trained; 0 if it is the input size. coarse: None for one look
    at every picture. fine: None for second looks of the input size alone. turned: None for none.
    """

    file: str
    sha256: str
    architecture: str
    input_size: int
    threshold: float
    calibration: Calibration | None = None
    size_unit: int = 0
    coarse: CoarseLook | None = None
    fine: FineLook | None = None
    photo_threshold: float = 0.0
    turned: TurnedLook | None = None


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model, the pose network first: the manifest.

    sha256: of the pose network's .onnx file. input_size: (height, width) of its frame in px, one number for a square.
    threshold: joint score below which a joint is unsure. person_threshold: least score of a person who is reported.
    photo_threshold: least score of the photo's best person; if it is not reached, no one is reported. All three were
    chosen on training data. sigma: the targets' Gaussian, heatmap cells.
    figures: what was measured, for people. calibration: of the heatmaps' peaks, None if they are scores as they are.
    person: of people's scores, None for the locator's score times the root of the joints'. locate: the locator, None if
    the model has none: then the whole picture is the one person's box. keypoints: the pose network's outputs, by name:
    MPII's 16 joints, or these and the five of the face. flip_test: None if no crop is mirrored unless asked for.
    """

    name: str
    file: str
    sha256: str
    input_size: int | tuple[int, int]
    architecture: str
    threshold: float
    person_threshold: float
    sigma: float
    figures: dict[str, Any] = field(default_factory=dict)
    calibration: Calibration | None = None
    person: PersonCalibration | None = None
    locate: LocatorCard | None = None
    photo_threshold: float = 0.0
    keypoints: tuple[str, ...] = JOINTS
    flip_test: FlipTest | None = None

    @property
    def frame(self) -> tuple[int, int]:
        """(height, width) of the pose network's input, px."""
        return (self.input_size, self.input_size) if isinstance(self.input_size, int) else self.input_size
