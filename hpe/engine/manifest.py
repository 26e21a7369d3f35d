"""A model's manifest <-> ModelCard: two networks in schema 2, one in schema 1."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from hpe.engine.fields import Fields
from hpe.errors import BadModel
from hpe.pose.skeleton import FACE, JOINTS, KEYPOINTS

SCHEMA: Final = 2


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
    """A look at a picture in which nobody is found for sure, turned by 90, 180 and 270 degrees, of at most `pixels` px.

    If one of them shows a person with a score of at least `score`, people are looked for in the picture turned so, and
    are reported if the best of them scores at least `person_threshold`, as nobody does in the picture as it is.
    """

    pixels: int
    score: float
    person_threshold: float


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


def write_manifest(card: ModelCard) -> bytes:
    """A card -> JSON of schema 2; `parse_manifest` is its inverse."""
    pose: dict[str, Any] = {
        "file": card.file,
        "sha256": card.sha256,
        "architecture": card.architecture,
        "input_size": list(card.frame),
        "threshold": card.threshold,
        "person_threshold": card.person_threshold,
        "sigma": card.sigma,
    }
    if card.keypoints != JOINTS:
        pose["keypoints"] = list(card.keypoints)
    if card.photo_threshold:
        pose["photo_threshold"] = card.photo_threshold
    if card.calibration is not None:
        pose["calibration"] = vars(card.calibration)
    if card.person is not None:
        pose["person"] = vars(card.person) | {"limbs": list(card.person.limbs)}
    if card.flip_test is not None:
        pose["flip_test"] = vars(card.flip_test)
    content: dict[str, Any] = {"schema": SCHEMA, "name": card.name, "figures": card.figures}
    if card.locate is not None:
        locate = asdict(card.locate)
        content["locate"] = {
            k: v
            for k, v in locate.items()
            if v is not None and (k, v) not in (("size_unit", 0), ("photo_threshold", 0.0))
        }
    return (json.dumps({**content, "pose": pose}, indent=2) + "\n").encode()


def read_manifest(path: Path) -> ModelCard:
    """A manifest file -> ModelCard. Raises BadModel naming what is wrong with it."""
    try:
        return parse_manifest(path.read_bytes(), str(path))
    except OSError as error:
        raise BadModel(f"{path}: {error.strerror}: a model needs its manifest beside it") from error


def parse_manifest(data: bytes, name: str) -> ModelCard:
    """Manifest bytes -> ModelCard. `name` is for messages. Raises BadModel."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadModel(f"{name} is not a model manifest: {error}") from error
    if not isinstance(content, dict):
        raise BadModel(f"{name} is not a model manifest: a JSON object is wanted, this is a {type(content).__name__}")
    whole = Fields(content, name)
    schema = whole.get("schema", int, 1)
    if schema not in (1, SCHEMA):
        raise BadModel(f"{name}: schema {schema} is newer than this version of hpe, which reads 1 and {SCHEMA}: update")
    pose = whole if schema == 1 else Fields(whole.get("pose", dict), name, "pose.")
    locate = whole.inner("locate") if schema == SCHEMA else None
    return ModelCard(
        name=whole.get("name", str),
        figures=whole.get("figures", dict, {}),
        file=pose.file(),
        sha256=pose.sha256(),
        architecture=pose.get("architecture", str),
        input_size=pose.frame(),
        threshold=pose.share("threshold"),
        person_threshold=pose.share("person_threshold"),
        sigma=pose.number("sigma", 0, 100),
        calibration=_calibration(pose),
        person=_person(pose),
        locate=_locator(locate) if locate else None,
        photo_threshold=pose.share("photo_threshold", 0.0),
        keypoints=_keypoints(pose),
        flip_test=_flip_test(pose),
    )


def _keypoints(pose: Fields) -> tuple[str, ...]:
    """The names of the network's outputs: these are known, so their order is as well."""
    names = tuple(pose.get("keypoints", list, list(JOINTS)))
    if names not in (JOINTS, KEYPOINTS):
        raise pose.wrong(
            "keypoints",
            f"are {len(names)} names that this version of hpe does not know: expected MPII's {len(JOINTS)} joints in "
            f"their order, alone or followed by {', '.join(FACE)}",
        )
    return names


def _flip_test(pose: Fields) -> FlipTest | None:
    inner = pose.inner("flip_test")
    return None if inner is None else FlipTest(inner.share("above"), inner.share("below"))


def _locator(locate: Fields) -> LocatorCard:
    return LocatorCard(
        file=locate.file(),
        sha256=locate.sha256(),
        architecture=locate.get("architecture", str),
        input_size=locate.side("input_size"),
        threshold=locate.share("threshold"),
        calibration=_calibration(locate),
        size_unit=locate.side("size_unit") if locate.has("size_unit") else 0,
        coarse=_coarse(locate),
        fine=_fine(locate),
        photo_threshold=locate.share("photo_threshold", 0.0),
        turned=_turned(locate),
    )


def _calibration(network: Fields) -> Calibration | None:
    inner = network.inner("calibration")
    if inner is None:
        return None
    return Calibration(inner.number("slope", 0, 1e6), inner.number("intercept", -1e6, 1e6))


def _person(pose: Fields) -> PersonCalibration | None:
    inner = pose.inner("person")
    if inner is None:
        return None
    keys = ("locator", "joints", "intercept", *(("size",) if inner.has("size") else ()))
    weights = {key: inner.number(key, -1e6, 1e6) for key in keys}
    return PersonCalibration(**weights, limbs=inner.weights("limbs", LIMB_GROUPS, -1e6, 1e6))


def _coarse(locate: Fields) -> CoarseLook | None:
    inner = locate.inner("coarse")
    if inner is None:
        return None
    return CoarseLook(inner.whole("pixels", 128 * 128, 4096**2), inner.whole("small_px", 0, 4096), inner.share("score"))


def _fine(locate: Fields) -> FineLook | None:
    inner = locate.inner("fine")
    if inner is None:
        return None
    return FineLook(inner.whole("person_px", 1, 4096), inner.side("longest", locate.side("input_size")))


def _turned(locate: Fields) -> TurnedLook | None:
    inner = locate.inner("turned")
    if inner is None:
        return None
    return TurnedLook(inner.whole("pixels", 64 * 64, 4096**2), inner.share("score"), inner.share("person_threshold"))
