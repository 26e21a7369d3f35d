"""The manifest beside a model file -> ModelCard."""

import json
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from hpe.errors import BadModel


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model: `NAME.json` beside `NAME.onnx`.

    sha256: of the .onnx file. input_size: side of the square network frame, px. threshold: joint score below
    which a joint is unsure. person_threshold: person score below which nobody is there; both were chosen on
    training data. sigma: the targets' Gaussian, heatmap cells. figures: what was measured, for people.
    """

    name: str
    file: str
    sha256: str
    input_size: int
    architecture: str
    threshold: float
    person_threshold: float
    sigma: float
    figures: dict[str, Any] = field(default_factory=dict)


def read_manifest(path: Path) -> ModelCard:
    """A manifest file -> ModelCard. Raises BadModel naming what is wrong with it."""
    try:
        return parse_manifest(path.read_bytes(), str(path))
    except OSError as error:
        raise BadModel(f"{path}: {error.strerror}: a model needs its manifest beside it") from error


def parse_manifest(data: bytes, name: str) -> ModelCard:
    """Manifest bytes -> ModelCard. `name` is for messages. Raises BadModel."""
    try:
        raw = json.loads(data)
    except ValueError as error:
        raise BadModel(f"{name} is not a model manifest: {error}") from error
    if not isinstance(raw, dict):
        raise BadModel(f"{name} is not a model manifest: a JSON object is wanted, this is a {type(raw).__name__}")
    values: dict[str, Any] = {}
    for one in fields(ModelCard):
        if one.name in raw:
            values[one.name] = _checked(one.name, one.type, raw[one.name], name)
        elif one.name != "figures":
            raise BadModel(f"{name} is not a model manifest: it has no {one.name!r}")
    card = ModelCard(**values)
    _check_values(card, name)
    return card


def _checked(key: str, kind: object, value: Any, name: str) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    wanted = kind if isinstance(kind, type) else dict
    if type(value) is not wanted:
        raise BadModel(f"{name}: {key} is {value!r}, it must be a {wanted.__name__}")
    return value


def _check_values(card: ModelCard, name: str) -> None:
    if not re.fullmatch(r"[0-9a-f]{64}", card.sha256):
        raise BadModel(f"{name}: sha256 {card.sha256!r} must be 64 lower-case hexadecimal digits")
    if Path(card.file).name != card.file or not card.file:
        raise BadModel(f"{name}: file {card.file!r} must be a plain file name: the model lies beside its manifest")
    if card.input_size % 32 or not 32 <= card.input_size <= 4096:
        raise BadModel(f"{name}: input_size {card.input_size} must be a multiple of 32 from 32 to 4096")
    for key in ("threshold", "person_threshold"):
        if not 0 <= getattr(card, key) <= 1:
            raise BadModel(f"{name}: {key} {getattr(card, key)} must lie between 0 and 1")
    if not 0 < card.sigma <= 100:
        raise BadModel(f"{name}: sigma {card.sigma} must be above 0 and at most 100 heatmap cells")
