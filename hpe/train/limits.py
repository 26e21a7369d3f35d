"""What the values of a training configuration may be: one clear line before any work begins."""

import dataclasses
import math
import typing
from collections.abc import Mapping
from typing import Any, Final, TypeVar

Row = TypeVar("Row")

# least and greatest; probabilities, whose names end in _p, are shares of 1
SPANS: Final[Mapping[str, tuple[float, float]]] = {
    "deconv_channels": (8, 1024),
    "width": (8, 256),
    "sigma": (0.5, 10),
    "size_unit": (0, 1024),
    "steps": (0, 10**9),
    "hours": (0, 10**5),
    "lr": (1e-8, 1),
    "lr_end": (0, 1),
    "warmup_steps": (0, 10**6),
    "weight_decay": (0, 1),
    "clip_norm": (1e-3, 1e6),
    "freeze": (0, 5),
    "ema": (0, 0.999999),
    "validate_every_steps": (1, 10**9),
    "seed": (0, 10**9),
    "start": (0, 1),
    "batch": (2, 8192),
    "weight": (1e-6, 1e6),
    "colour": (0, 2),
    "rotation_deg": (0, 90),
    "scale": (0, 1),
    "aspect": (0, 1),
    "box_shift": (0, 1),
    "box_size": (0, 1),
    "mosaic": (0, 1),
    "zoom": (0.05, 20),
}
CHOICES: Final[Mapping[str, tuple[object, ...]]] = {
    "task": ("pose", "locate"),
    "depth": (18, 34, 50, 101, 152),
    "init_channels": ("rgb", "bgr"),
    "kind": ("shards", "mpii", "lsp", "coco", "empty", "people"),
}
PAIR: Final = tuple[float, float]


def made(cls: type[Row], raw: object, where: str) -> Row:
    """Keys and values of YAML -> a dataclass. Raises ValueError naming the key that is unknown, missing or wrong."""
    if not isinstance(raw, Mapping):
        raise ValueError(f"{where} is {raw!r}: give keys and values, as in configs/pose.yaml, or leave it out")
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in raw:
        if key not in fields:
            raise ValueError(f"{where} has an unknown key {key!r}: choose from {', '.join(fields)}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in raw:
            raise ValueError(f"the key {name!r} is missing from {where}")
    types = typing.get_type_hints(cls)
    values = {name: _value(name, value, types[name]) for name, value in raw.items()}
    return cls(**values)


def _value(name: str, value: Any, kind: Any) -> Any:
    """The value as its field holds it. Raises ValueError."""
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"{name} {value!r}: choose one of {', '.join(map(str, CHOICES[name]))}")
    elif kind in (int, float):
        _check_number(name, value, kind)
    elif kind == PAIR:
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise ValueError(f"{name} {value!r}: give two numbers, like [0.5, 0.3]")
        for number in value:
            _check_number(name, number, float)
        value = tuple(value)
    elif kind in (str, bool) and not isinstance(value, kind):
        raise ValueError(f"{name} {value!r}: give {'text' if kind is str else 'true or false'}")
    elif typing.get_origin(kind) is dict and not isinstance(value, dict):
        raise ValueError(f"{name} {value!r}: give keys and values, like {{min_px: 96}}")
    return value


def _check_number(name: str, value: Any, kind: type) -> None:
    low, high = SPANS.get(name, (0, 1))
    right = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, right) or math.isnan(value) or not low <= value <= high:
        hint = " (YAML reads 1e-3 as text: write 1.0e-3)" if isinstance(value, str) else ""
        number = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} {value!r}: give {number} from {low:g} to {high:g}{hint}")
