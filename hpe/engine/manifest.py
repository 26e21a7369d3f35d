"""The manifest beside a model file -> ModelCard."""

import json
from dataclasses import dataclass, field
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
        card = ModelCard(**{key: raw[key] for key in ModelCard.__dataclass_fields__ if key in raw})
    except (ValueError, TypeError) as error:
        raise BadModel(f"{name} is not a model manifest: {error}") from error
    if card.input_size % 32 or card.input_size < 32:
        raise BadModel(f"{name}: input_size {card.input_size} must be a positive multiple of 32")
    return card
