"""JSON objects read field by field: every message names the file and the field."""

import re
from pathlib import Path
from typing import Any, Final

from hpe.errors import BadModel

_MULTIPLE: Final = 32  # the networks halve a picture five times


class Fields:
    """One object of a manifest. name: of the manifest. prefix: of the object's fields in messages. Raises BadModel."""

    def __init__(self, content: dict[str, Any], name: str, prefix: str = "") -> None:
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
            raise self.wrong(key, f"is {value!r}, it must be a {kind.__name__}")
        return value

    def inner(self, key: str) -> "Fields | None":
        """An object in this one, None if it is missing or empty."""
        content = self.get(key, dict, {})
        return Fields(content, self._name, f"{self._prefix}{key}.") if content else None

    def has(self, key: str) -> bool:
        return key in self._content

    def file(self) -> str:
        value: str = self.get("file", str)
        if not value or Path(value).name != value:
            raise self.wrong("file", f"{value!r} must be a plain file name: the model lies beside its manifest")
        return value

    def sha256(self) -> str:
        value: str = self.get("sha256", str)
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            raise self.wrong("sha256", f"{value!r} must be 64 lower-case hexadecimal digits")
        return value

    def share(self, key: str, default: float | None = None) -> float:
        value: float = self.get(key, float, default)
        if not 0 <= value <= 1:
            raise self.wrong(key, f"{value} must lie between 0 and 1")
        return value

    def number(self, key: str, above: float, most: float) -> float:
        value: float = self.get(key, float)
        if not above < value <= most:
            raise self.wrong(key, f"{value} must be above {above} and at most {most}")
        return value

    def weights(self, key: str, count: int, above: float, most: float) -> tuple[float, ...]:
        """A list of `count` numbers; one number stands for the weight of their mean, nothing for zeros."""
        value = self._content.get(key, 0)
        if type(value) in (int, float):
            value = [value / count] * count
        if not isinstance(value, list) or len(value) != count or not all(type(v) in (int, float) for v in value):
            raise self.wrong(key, f"is {value!r}, it must be a number or {count} numbers")
        if not all(above < v <= most for v in value):
            raise self.wrong(key, f"{value} must be above {above} and at most {most}")
        return tuple(float(v) for v in value)

    def whole(self, key: str, least: int, most: int) -> int:
        value: int = self.get(key, int)
        if not least <= value <= most:
            raise self.wrong(key, f"{value} must be from {least} to {most}")
        return value

    def side(self, key: str, least: int = _MULTIPLE) -> int:
        return self._side(key, self.get(key, int), least)

    def frame(self) -> int | tuple[int, int]:
        """input_size: one number, or [height, width]."""
        value = self._content.get("input_size")
        if isinstance(value, list) and len(value) == 2:
            return self._side("input_size", value[0]), self._side("input_size", value[1])
        if value is not None and type(value) is not int:
            raise self.wrong("input_size", f"is {value!r}, it must be a int or [height, width]")
        return self.side("input_size")

    def _side(self, key: str, value: Any, least: int = _MULTIPLE) -> int:
        if type(value) is not int:
            raise self.wrong(key, f"is {value!r}, it must be a int")
        if value % _MULTIPLE or not least <= value <= 4096:
            raise self.wrong(key, f"{value} must be a multiple of {_MULTIPLE} from {least} to 4096")
        return value

    def wrong(self, key: str, why: str) -> BadModel:
        """The error that names the manifest and the field."""
        return BadModel(f"{self._name}: {self._prefix}{key} {why}")
