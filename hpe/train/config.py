"""A training run's settings, read from one YAML file."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hpe.errors import BadSettings


@dataclass(frozen=True)
class Stage:
    """From `start` (0..1 of the run) on, train at `size` px in batches of `batch`."""

    start: float
    size: int
    batch: int


@dataclass(frozen=True)
class Source:
    """One set of samples: how to read it and how often to draw from it.

    kind: a reader's name (`hpe.train.readers`). weight: how often one sample is drawn, relative to others.
    match: keep only ids that begin with this; empty keeps all.
    """

    kind: str
    path: str
    weight: float = 1.0
    match: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes; probabilities are per sample."""

    rotation_deg: float = 40.0
    rotation_p: float = 0.6
    scale: tuple[float, float] = (0.7, 1.35)
    shift: float = 0.08
    flip_p: float = 0.5
    half_body_p: float = 0.2
    small_p: float = 0.15
    small_scale: tuple[float, float] = (0.35, 0.8)
    scenery_p: float = 0.5
    colour: float = 0.25
    grey_p: float = 0.08
    blur_p: float = 0.1
    jpeg_p: float = 0.15
    occlude_p: float = 0.3


@dataclass(frozen=True)
class TrainConfig:
    """Everything that shapes a run. Give `steps` (exactly reproducible) or `hours` (fits a time budget)."""

    name: str
    train: tuple[Source, ...]
    val: Source
    depth: int = 50
    deconv_channels: int = 256
    init: str = ""
    init_channels: str = "rgb"
    stages: tuple[Stage, ...] = (Stage(0.0, 256, 32),)
    sigma: float = 2.0
    steps: int = 0
    hours: float = 0.0
    lr: float = 1e-3
    lr_end: float = 1e-5
    warmup_steps: int = 300
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema: float = 0.999
    validate_every_steps: int = 340
    save_every_s: float = 120.0
    workers: int = 2
    seed: int = 1
    flip_eval: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)


def read_config(path: Path) -> TrainConfig:
    """A YAML file -> TrainConfig. Raises BadSettings naming the key that is unknown, missing or wrong."""
    try:
        raw = yaml.safe_load(path.read_text())
    except OSError as error:
        raise BadSettings(f"{path}: {error.strerror}: give the path of a configs/*.yaml file") from error
    except yaml.YAMLError as error:
        raise BadSettings(f"{path} is not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise BadSettings(f"{path}: expected keys and values at the top level, as in configs/*.yaml")
    try:
        raw["train"] = tuple(Source(**row) for row in raw["train"])
        raw["val"] = Source(**raw["val"])
        if "stages" in raw:
            raw["stages"] = tuple(Stage(**row) for row in raw["stages"])
        raw["augmentation"] = _augmentation(raw.get("augmentation", {}))
        config = TrainConfig(**raw)
    except KeyError as error:
        raise BadSettings(f"{path}: the key {error} is missing") from error
    except TypeError as error:
        raise BadSettings(f"{path}: {error}") from error
    _check(config, path)
    return config


def _augmentation(raw: dict[str, Any]) -> Augmentation:
    return Augmentation(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()})


def _check(config: TrainConfig, path: Path) -> None:
    if (config.steps > 0) == (config.hours > 0):
        raise BadSettings(f"{path}: give either steps or hours, above 0 (steps={config.steps}, hours={config.hours})")
    for stage in config.stages:
        if stage.size % 32 or stage.size < 64:
            raise BadSettings(f"{path}: stage size {stage.size}: must be a multiple of 32 from 64 up")
    if config.stages[0].start != 0 or any(
        a.start >= b.start for a, b in zip(config.stages, config.stages[1:], strict=False)
    ):
        raise BadSettings(f"{path}: stages must start at 0 and rise")


def as_dict(config: TrainConfig) -> dict[str, Any]:
    """The plain dict that goes into checkpoints."""
    return dataclasses.asdict(config)
