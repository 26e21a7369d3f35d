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
    match: keep only ids that begin with this; empty keeps all. options: the reader's own keyword arguments.
    labels: a file of corrected labels from `hpe train --relabel`; empty takes the data set's own. add_labels: that
    command adds joints that the set leaves unlabelled, and leaves alone those it has.
    """

    kind: str
    path: str
    weight: float = 1.0
    match: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    labels: str = ""
    add_labels: bool = False


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes; probabilities are per sample.

    empty_outside: a joint that a crop leaves out has an empty heatmap as its target, so that the network learns to be
    silent about what it cannot see. Otherwise it counts for nothing, as in the paper.
    """

    rotation_deg: float = 40.0
    rotation_p: float = 0.6
    scale: tuple[float, float] = (0.7, 1.35)
    shift: float = 0.08
    flip_p: float = 0.5
    half_body_p: float = 0.2
    portrait_p: float = 0.0
    small_p: float = 0.15
    small_scale: tuple[float, float] = (0.35, 0.8)
    scenery_p: float = 0.5
    colour: float = 0.25
    grey_p: float = 0.08
    blur_p: float = 0.1
    jpeg_p: float = 0.15
    occlude_p: float = 0.3
    empty_outside: bool = False


@dataclass(frozen=True)
class TrainConfig:
    """Everything that shapes a run. Give `steps` (exactly reproducible) or `hours` (fits a time budget).

    init: a checkpoint to start from, its first convolution turned round where `init_channels` is "bgr".
    lr falls from `lr` to `lr_end` as half a cosine after `warmup_steps`. ema: decay of the averaged weights that
    are validated and kept. augment_on: "auto" augments with OpenCV in `workers` processes, or in batches on the
    GPU where the run has one; "device" and "workers" choose. canvas: side in px of the pictures kept on the
    device. precision: "bf16" (autocast, weights stay float32), "float32", or "auto": bf16 where the device has
    instructions for it. cache: where people cut out of full-size data sets are kept. flip_eval: validate with the
    flip test.
    """

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
    augment_on: str = "auto"
    canvas: int = 320
    precision: str = "auto"
    cache: str = "runs/cache"
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
    problem = _problem(config)
    if problem:
        raise BadSettings(f"{path}: {problem}")
    return config


def _augmentation(raw: dict[str, Any]) -> Augmentation:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
    return Augmentation(**values)


def _problem(config: TrainConfig) -> str:
    """What is wrong with a config, or ""."""
    for name, spec in TrainConfig.__dataclass_fields__.items():
        value = getattr(config, name)
        if isinstance(spec.default, (int, float)) and not isinstance(value, (int, float)):
            return f"{name} {value!r} is not a number (YAML reads 1e-3 as text: write 1.0e-3)"
    if (config.steps > 0) == (config.hours > 0):
        return f"give either steps or hours, above 0 (steps={config.steps}, hours={config.hours})"
    for stage in config.stages:
        if stage.size % 32 or stage.size < 64:
            return f"stage size {stage.size}: must be a multiple of 32 from 64 up"
        if stage.batch < 2:
            return f"stage batch {stage.batch}: batch normalisation needs 2 or more"
    starts = [stage.start for stage in config.stages]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        return f"stages start at {starts}: the first must start at 0, and they must rise"
    if config.augment_on not in ("auto", "device", "workers"):
        return f"augment_on {config.augment_on!r}: choose auto, device or workers"
    if config.precision not in ("auto", "bf16", "float32"):
        return f"precision {config.precision!r}: choose auto, bf16 or float32"
    if config.init_channels not in ("rgb", "bgr"):
        return f"init_channels {config.init_channels!r}: choose rgb or bgr"
    return ""


def as_dict(config: TrainConfig) -> dict[str, Any]:
    """The plain dict that goes into checkpoints."""
    return dataclasses.asdict(config)
