"""A training run's settings, read from one YAML file."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hpe.errors import BadSettings


@dataclass(frozen=True)
class Stage:
    """From `start` (0..1 of the run) on: batches of `batch`, frames of `size` px, a side or [height, width]."""

    start: float
    size: int | tuple[int, int]
    batch: int

    @property
    def height(self) -> int:
        return self.size if isinstance(self.size, int) else self.size[0]

    @property
    def width(self) -> int:
        return self.size if isinstance(self.size, int) else self.size[1]


@dataclass(frozen=True)
class Source:
    """One set of samples: how to read it and how often to draw from it.

    kind: a reader's name (`hpe.train.data.readers`). weight: how often one sample is drawn, relative to others.
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
    """How examples are changed; probabilities are per example, deviations are cut off at two of them.

    Both tasks: flip_p, and what `hpe.train.augment.degrade` does: colour (strength), grey_p, blur_p, motion_p,
    low_resolution_p, jpeg_p with jpeg_quality, occlude_p. Pose: rotation_deg (deviation), rotation_p, scale and aspect
    (deviations of the logarithm), box_shift and box_size (the locator's errors, in sides of the box, and of the
    logarithm), cut_p (a person cut off by the picture's edge), scenery_p (cut-outs set into a photo without people).
    Locate: mosaic (shares of one and of four photos in a frame, else nine), zoom (least and largest size of a photo,
    1 fills its place).
    """

    flip_p: float = 0.5
    colour: float = 0.25
    grey_p: float = 0.08
    blur_p: float = 0.08
    motion_p: float = 0.06
    low_resolution_p: float = 0.08
    jpeg_p: float = 0.2
    jpeg_quality: tuple[float, float] = (20.0, 80.0)
    occlude_p: float = 0.25
    rotation_deg: float = 35.0
    rotation_p: float = 0.6
    scale: float = 0.12
    aspect: float = 0.1
    box_shift: float = 0.05
    box_size: float = 0.1
    cut_p: float = 0.25
    scenery_p: float = 0.3
    mosaic: tuple[float, float] = (0.5, 0.3)
    zoom: tuple[float, float] = (0.5, 1.8)


@dataclass(frozen=True)
class TrainConfig:
    """Everything that shapes a run. Give `steps` (exactly reproducible) or `hours` (fits a time budget).

    task: "pose" or "locate" (`hpe.train.tasks`). depth, deconv_channels, width: of the PoseResNet. init: a checkpoint
    to start from, its first convolution turned round where `init_channels` is "bgr". lr falls from `lr` to `lr_end` as
    half a cosine after `warmup_steps`. ema: decay of the averaged weights that are validated and kept. size_loss:
    weight of the box sizes beside the centres. precision: "bf16" (autocast, weights stay float32), "float32", or
    "auto": bf16 where the device has instructions for it. workers: threads that decode the pictures, once, at the
    start. cache: where people cut out of full-size data sets are kept.
    """

    name: str
    train: tuple[Source, ...]
    val: tuple[Source, ...]
    task: str = "pose"
    depth: int = 50
    deconv_channels: int = 256
    width: int = 64
    init: str = ""
    init_channels: str = "rgb"
    stages: tuple[Stage, ...] = (Stage(0.0, 256, 32),)
    sigma: float = 2.0
    size_loss: float = 1.0
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
    workers: int = 4
    precision: str = "auto"
    cache: str = "runs/cache"
    seed: int = 1
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
        val = raw["val"]
        raw["val"] = tuple(Source(**row) for row in (val if isinstance(val, list) else [val]))
        if "stages" in raw:
            raw["stages"] = tuple(_stage(row) for row in raw["stages"])
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


def _stage(raw: dict[str, Any]) -> Stage:
    size = raw.get("size")
    return Stage(**raw | {"size": tuple(size)}) if isinstance(size, list) else Stage(**raw)


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
        if any(side % 32 or side < 64 for side in (stage.height, stage.width)):
            return f"stage size {stage.size}: sides must be multiples of 32 from 64 up"
        if stage.batch < 2:
            return f"stage batch {stage.batch}: batch normalisation needs 2 or more"
    starts = [stage.start for stage in config.stages]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        return f"stages start at {starts}: the first must start at 0, and they must rise"
    if config.task not in ("pose", "locate"):
        return f"task {config.task!r}: choose pose or locate"
    if config.precision not in ("auto", "bf16", "float32"):
        return f"precision {config.precision!r}: choose auto, bf16 or float32"
    if config.init_channels not in ("rgb", "bgr"):
        return f"init_channels {config.init_channels!r}: choose rgb or bgr"
    return ""


def as_dict(config: TrainConfig) -> dict[str, Any]:
    """The plain dict that goes into checkpoints."""
    return dataclasses.asdict(config)
