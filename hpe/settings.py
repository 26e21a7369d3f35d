"""Every limit and name that the environment can change, read once and frozen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hpe.errors import BadSettings

# Lambda answers at most 6 MB; base64 makes 4 bytes of 3, and the envelope needs a little.
LAMBDA_BODY_BYTES: Final[int] = 6_291_556


@dataclass(frozen=True)
class Settings:
    """Read with `Settings.from_env(os.environ)`; after that, passed as an argument.

    model: empty for the file in models/, a path, or s3://bucket/key. threshold: joint score below which a
    joint is unsure; 0 means the model's own default. max_*: limits, each named in the error that it causes.
    """

    model: str = ""
    cache_dir: str = "/tmp/hpe"
    threads: int = 0
    threshold: float = 0.0
    max_upload_bytes: int = 20_000_000
    max_pixels: int = 64_000_000
    max_parts: int = 20
    max_output_side: int = 1600
    max_response_bytes: int = 4_650_000
    cors_origins: tuple[str, ...] = ("*",)
    log_level: str = "INFO"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """HPE_MODEL, HPE_THREADS, HPE_MAX_PIXELS ...: one variable a field. Raises BadSettings naming it."""
        values: dict[str, object] = {}
        for name, default in cls._defaults().items():
            variable = f"HPE_{name.upper()}"
            text = environ.get(variable, "").strip()
            if text:
                values[name] = _parse(variable, text, default)
        return cls(**values)  # type: ignore[arg-type]

    @classmethod
    def _defaults(cls) -> dict[str, object]:
        return {name: field.default for name, field in cls.__dataclass_fields__.items()}


def _parse(variable: str, text: str, default: object) -> object:
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, str):
        return text
    kind = float if isinstance(default, float) else int
    try:
        value = kind(text)
    except ValueError as error:
        raise BadSettings(f"{variable}={text!r} is not a number: unset it or give one like {default}") from error
    if not 0 <= value < float("inf"):
        raise BadSettings(f"{variable}={text} is out of range: give 0 or more, like {default}")
    return value
