"""A training run's settings, read from one YAML file."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpe.errors import BadData, BadSettings
from hpe.train.limits import made


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
    labels: a file of labels from `hpe relabel`; empty takes the data set's own. add_labels: that command adds
    joints that the set leaves unlabelled, and leaves alone those it has. For
    kind empty the labels are the locator's false detections; in the task locate, for kind people, they are the `ignore`
    boxes that count as people.
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

    Both tasks: flip_p, turn_p (turned by any angle; whole photos by quarters, or by up to 40 degrees), and what
    `hpe.train.augment.degrade` does: colour (strength), grey_p, blur_p, motion_p, low_resolution_p, jpeg_p,
    occlude_p. Pose: rotation_deg (deviation), rotation_p, scale and aspect (deviations of the logarithm),
    box_shift and box_size (the locator's errors, in sides of the box, and of the logarithm), cut_p (a person cut off by
    the picture's edge), scenery_p (cut-outs set into a photo without people). Locate: mosaic (shares of one and of four
    photos in a frame, else nine), zoom (least and largest size of a photo, 1 fills its place).
    """

    flip_p: float = 0.5
    colour: float = 0.25
    grey_p: float = 0.08
    blur_p: float = 0.08
    motion_p: float = 0.06
    low_resolution_p: float = 0.08
    jpeg_p: float = 0.2
    occlude_p: float = 0.25
    rotation_deg: float = 35.0
    rotation_p: float = 0.6
    turn_p: float = 0.0
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
    to start from, its first convolution turned round where `init_channels` is "bgr"; a pruned one (`hpe prune`) stays
    pruned. lr falls from `lr` to `lr_end` as half a cosine after
    `warmup_steps`. ema: decay of the averaged weights that are validated and kept. size_unit: px of the frame that a
    box side of 1 stands for; 0 takes the longer side of the largest stage. freeze: so many of the first stages learn
    nothing, 1 the first convolution and 2 layer1 as well, which saves a fifth of a step. cache: where people cut out of
    full-size data sets are kept.
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
    size_unit: int = 0
    steps: int = 0
    hours: float = 0.0
    lr: float = 1e-3
    lr_end: float = 1e-5
    warmup_steps: int = 300
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    freeze: int = 0
    ema: float = 0.999
    validate_every_steps: int = 340
    cache: str = "runs/cache"
    seed: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)


def read_config(path: Path) -> TrainConfig:
    """A YAML file -> TrainConfig. `base: OTHER.yaml` takes all of another file's keys that this one does not have.

    Raises BadSettings naming the key that is unknown, missing or wrong.
    """
    raw = _content(path)
    if "base" in raw:
        raw = _content(path.parent / str(raw.pop("base"))) | raw
    try:
        for name in ("train", "val"):
            if name in raw:
                raw[name] = tuple(made(Source, row, name) for row in _rows(raw[name], name))
        if "stages" in raw:
            raw["stages"] = tuple(_stage(row) for row in _rows(raw["stages"], "stages"))
        if "augmentation" in raw:
            raw["augmentation"] = made(Augmentation, raw["augmentation"], "augmentation")
        config = made(TrainConfig, raw, "the file")
        _check(config)
    except ValueError as error:
        raise BadSettings(f"{path}: {error}") from error
    return config


def check_files(config: TrainConfig, path: Path, labels: bool = True) -> None:
    """Raises BadData, in one message for all that the run needs and that is not here. labels: those files as well."""
    data = {s.path: Path(s.path).expanduser() for s in (*config.train, *config.val)}
    made_here = {s.labels: Path(s.labels).expanduser() for s in config.train if s.labels and labels}
    weights = {config.init: Path(config.init).expanduser()} if config.init else {}
    missing = [name for name, file in (data | weights).items() if not file.exists()]
    if missing:
        raise BadData(
            f"{path} needs files that are not here: {', '.join(missing)}: docs/training.md says where the data sets "
            "come from and how to train on photos of your own"
        )
    unmade = [name for name, file in made_here.items() if not file.exists()]
    if unmade:
        raise BadData(
            f"{path} needs labels that are not made yet: {', '.join(unmade)}: first run hpe relabel --config {path} "
            "--model models/pose.json, or take `labels` out of the sources"
        )


def _content(path: Path) -> dict[str, Any]:
    import yaml  # the command's help needs none

    try:
        raw = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise BadSettings(f"{path}: {error.strerror}: give the path of a configs/*.yaml file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadSettings(f"{path} is not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise BadSettings(f"{path}: expected keys and values at the top level, as in configs/*.yaml")
    return raw


def _rows(raw: object, name: str) -> list[object]:
    """A list of rows, or one row alone. Raises ValueError."""
    rows = raw if isinstance(raw, list) else [raw]
    if not rows:
        raise ValueError(f"{name} is empty: give at least one row, as in configs/pose.yaml")
    return rows


def _stage(raw: object) -> Stage:
    stage = made(Stage, raw, "stages")
    sides = tuple(stage.size) if isinstance(stage.size, (list, tuple)) else (stage.size,)
    if len(sides) > 2 or not all(isinstance(s, int) and s % 32 == 0 and 64 <= s <= 1024 for s in sides):
        raise ValueError(
            f"stage size {stage.size!r}: sides must be multiples of 32 from 64 to 1024: give one, or [height, width]"
        )
    return dataclasses.replace(stage, size=sides[0] if len(sides) == 1 else (sides[0], sides[1]))


def _check(config: TrainConfig) -> None:
    """What no value shows alone. Raises ValueError."""
    if (config.steps > 0) == (config.hours > 0):
        raise ValueError(f"give either steps or hours, above 0 (steps={config.steps}, hours={config.hours})")
    starts = [stage.start for stage in config.stages]
    if starts[0] != 0 or starts != sorted(set(starts)):
        raise ValueError(f"stages start at {starts}: the first must start at 0, and they must rise")
    if config.lr_end > config.lr:
        raise ValueError(f"lr_end {config.lr_end} is above lr {config.lr}: the rate falls from lr to lr_end")
    changes = config.augmentation
    if sum(changes.mosaic) > 1:
        raise ValueError(f"mosaic {list(changes.mosaic)}: shares of one and of four photos, together at most 1")
    if changes.zoom[0] > changes.zoom[1]:
        raise ValueError(f"zoom {list(changes.zoom)}: give the least first, then the greatest")
    if not config.name.strip() or "/" in config.name:
        raise ValueError(f"name {config.name!r}: give a name for the run's folder, without /")


def as_dict(config: TrainConfig) -> dict[str, Any]:
    """The plain dict that goes into checkpoints."""
    return dataclasses.asdict(config)
