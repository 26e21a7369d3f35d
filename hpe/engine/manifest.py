"""A model's manifest <-> ModelCard: two networks in schema 2, one in schema 1."""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from hpe.errors import BadModel

SCHEMA: Final = 2
_MULTIPLE: Final = 32  # the networks halve a picture five times


@dataclass(frozen=True)
class Calibration:
    """A score from a network's value: 1 / (1 + exp(-(slope * value + intercept)))."""

    slope: float
    intercept: float


@dataclass(frozen=True)
class PersonCalibration:
    """How likely it is that a person is there: the logistic function of locator * l + joints * j + intercept.

    l is the logit of the locator's score of the box, j the mean of the logits of the five best joints' scores in it.
    """

    locator: float
    joints: float
    intercept: float


@dataclass(frozen=True)
class CoarseLook:
    """A locator's first look at a picture, in a frame of at most `pixels` px.

    If this finds a person with a score of at least `score` and a longer side of less than `small_px` px of that frame,
    the locator looks again, at its input size.
    """

    pixels: int
    small_px: int
    score: float


@dataclass(frozen=True)
class LocatorCard:
    """What is known of a locator: sha256: of the .onnx file. input_size: longer side of its frame, px, at most.

    threshold: score below which nobody is there. calibration: of the centre map, if it is not the usual one. size_unit:
    px of the frame that a size of 1 stands for, as it was trained; 0 if it is the input size. coarse: None for one look
    at every picture.
    """

    file: str
    sha256: str
    architecture: str
    input_size: int
    threshold: float
    calibration: Calibration | None = None
    size_unit: int = 0
    coarse: CoarseLook | None = None


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model, the pose network first: the manifest.

    sha256: of the pose network's .onnx file. input_size: (height, width) of its frame in px, one number for a square.
    threshold: joint score below which a joint is unsure. person_threshold: person score below which somebody is not
    shown; photo_threshold: that below which the photo's best person is nobody, and with them everybody else; 0 if
    person_threshold alone counts. All were chosen on training data. sigma: the targets' Gaussian, heatmap cells.
    figures: what was measured, for people. calibration: of the heatmaps' peaks, None if they are scores as they are.
    person: of people's scores, None for the locator's score times the root of the joints'. locate: the locator, None if
    the model has none: then the whole picture is the one person's box.
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
    if card.photo_threshold:
        pose["photo_threshold"] = card.photo_threshold
    if card.calibration is not None:
        pose["calibration"] = vars(card.calibration)
    if card.person is not None:
        pose["person"] = vars(card.person)
    content: dict[str, Any] = {"schema": SCHEMA, "name": card.name, "figures": card.figures}
    if card.locate is not None:
        locate = asdict(card.locate)
        content["locate"] = {k: v for k, v in locate.items() if v is not None and (k, v) != ("size_unit", 0)}
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
    whole = _Reader(content, name, "")
    schema = whole.get("schema", int, 1)
    if schema not in (1, SCHEMA):
        raise BadModel(f"{name}: schema {schema} is newer than this version of hpe, which reads 1 and {SCHEMA}: update")
    pose = whole if schema == 1 else _Reader(whole.get("pose", dict), name, "pose.")
    locate = whole.get("locate", dict, {}) if schema == SCHEMA else {}
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
        calibration=pose.calibration(),
        person=pose.person(),
        locate=_locator(_Reader(locate, name, "locate.")) if locate else None,
        photo_threshold=pose.share("photo_threshold") if pose.has("photo_threshold") else 0.0,
    )


def _locator(locate: "_Reader") -> LocatorCard:
    return LocatorCard(
        file=locate.file(),
        sha256=locate.sha256(),
        architecture=locate.get("architecture", str),
        input_size=locate.side(locate.get("input_size", int)),
        threshold=locate.share("threshold"),
        calibration=locate.calibration(),
        size_unit=locate.side(locate.get("size_unit", int)) if locate.has("size_unit") else 0,
        coarse=locate.coarse(),
    )


class _Reader:
    """One object of a manifest, read field by field; every message names the manifest and the field."""

    def __init__(self, content: dict[str, Any], name: str, prefix: str) -> None:
        self._content, self._name, self._prefix = content, name, prefix

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        if key not in self._content:
            if default is None:
                raise BadModel(f"{self._name} is not a model manifest: it has no {self._prefix + key!r}")
            return default
        value = self._content[key]
        if kind is float and type(value) is int:
            return float(value)
        if type(value) is not kind:
            raise self._wrong(key, f"is {value!r}, it must be a {kind.__name__}")
        return value

    def has(self, key: str) -> bool:
        return key in self._content

    def file(self) -> str:
        value: str = self.get("file", str)
        if not value or Path(value).name != value:
            raise self._wrong("file", f"{value!r} must be a plain file name: the model lies beside its manifest")
        return value

    def sha256(self) -> str:
        value: str = self.get("sha256", str)
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise self._wrong("sha256", f"{value!r} must be 64 lower-case hexadecimal digits")
        return value

    def share(self, key: str) -> float:
        value: float = self.get(key, float)
        if not 0 <= value <= 1:
            raise self._wrong(key, f"{value} must lie between 0 and 1")
        return value

    def number(self, key: str, above: float, most: float) -> float:
        value: float = self.get(key, float)
        if not above < value <= most:
            raise self._wrong(key, f"{value} must be above {above} and at most {most}")
        return value

    def side(self, value: Any) -> int:
        if type(value) is not int:
            raise self._wrong("input_size", f"is {value!r}, it must be a int or [height, width]")
        if value % _MULTIPLE or not _MULTIPLE <= value <= 4096:
            raise self._wrong("input_size", f"{value} must be a multiple of {_MULTIPLE} from {_MULTIPLE} to 4096")
        return value

    def frame(self) -> int | tuple[int, int]:
        value = self.get("input_size", type(self._content.get("input_size")))
        if isinstance(value, list) and len(value) == 2:
            return self.side(value[0]), self.side(value[1])
        return self.side(value)

    def calibration(self) -> Calibration | None:
        content = self.get("calibration", dict, {})
        if not content:
            return None
        inner = _Reader(content, self._name, f"{self._prefix}calibration.")
        return Calibration(inner.number("slope", 0, 1e6), inner.number("intercept", -1e6, 1e6))

    def person(self) -> PersonCalibration | None:
        content = self.get("person", dict, {})
        if not content:
            return None
        inner = _Reader(content, self._name, f"{self._prefix}person.")
        return PersonCalibration(*(inner.number(key, -1e6, 1e6) for key in ("locator", "joints", "intercept")))

    def coarse(self) -> CoarseLook | None:
        content = self.get("coarse", dict, {})
        if not content:
            return None
        inner = _Reader(content, self._name, f"{self._prefix}coarse.")
        return CoarseLook(
            inner.whole("pixels", 128 * 128, 4096**2), inner.whole("small_px", 0, 4096), inner.share("score")
        )

    def whole(self, key: str, least: int, most: int) -> int:
        value: int = self.get(key, int)
        if not least <= value <= most:
            raise self._wrong(key, f"{value} must be from {least} to {most}")
        return value

    def _wrong(self, key: str, why: str) -> BadModel:
        return BadModel(f"{self._name}: {self._prefix}{key} {why}")
