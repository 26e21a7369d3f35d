"""Every limit and name that the environment can change, read once and frozen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from hpe.cores import MAX_THREADS, whole_cores
from hpe.errors import BadSettings

# Lambda answers at most 6 MB; base64 makes 4 bytes of 3, and the envelope needs a little.
LAMBDA_BODY_BYTES: Final[int] = 6_291_556
# Lambda shows two cores or more, but shares them out by memory
LAMBDA_MB_PER_CORE: Final[int] = 1_769
# A photo's time is mostly its people's: about 25 ms each on one core.
MAX_PEOPLE: Final[int] = 20
# A photo is analysed with a longer side of at most so many px, whoever asks: so it gives the same people everywhere.
ANALYSED_SIDE: Final[int] = 1600
# The most that a variable may be, beside those of max_people: threads are started for each of the first three, and S3
# signs no link for longer than a week.
_MOST: Final[Mapping[str, int]] = {
    "threads": MAX_THREADS,
    "concurrent": MAX_THREADS,
    "queue": 1000,
    "photo_link_s": 604_800,
}
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True)
class Settings:
    """Read with `Settings.from_env(os.environ)`; after that, passed as an argument.

    model: empty for the file in models/, a path, or s3://bucket/key. threads: per inference; 0 for all usable
    cores, in Lambda for as many as its memory buys. threshold: joint score below which a joint is unsure; 0
    means the model's own default. max_*: limits, each named in the error that it causes: bytes and pixels of a photo,
    bytes and minutes of a clip, frames of an animated WebP or HEIC (of which the first is read), parts of a form,
    people in a photo, the answer's side and bytes. cors_origins: web origins that may call the API, or "*" for any.
    Of the local server alone: concurrent is how many photos it processes at once (0: one per core), queue how
    many more may wait, and lambda_limits whether it keeps to Lambda's 6 MB each way.
    photo_bucket: where POST /uploads lets big photos be put, empty if that is not offered;
    photo_link_s: how long its links are good. clip_queue: the address of the queue to which a batch sends its clips,
    empty for none. keys_table: the DynamoDB table of the keys that may call the API, empty to let anyone.
    """

    model: str = ""
    cache_dir: str = "/tmp/hpe"  # nosec B108  # noqa: S108 (the one folder that Lambda lets a function write to)
    threads: int = 0
    threshold: float = 0.0
    max_people: int = MAX_PEOPLE
    max_upload_bytes: int = 50_000_000
    max_clip_bytes: int = 500_000_000
    max_clip_minutes: int = 20
    max_pixels: int = 64_000_000
    max_frames: int = 1000
    max_parts: int = 20
    max_output_side: int = 1600
    max_response_bytes: int = 4_650_000
    cors_origins: tuple[str, ...] = ("*",)
    log_level: str = "INFO"
    concurrent: int = 0
    queue: int = 8
    lambda_limits: bool = False
    photo_bucket: str = ""
    photo_link_s: int = 900
    clip_queue: str = ""
    keys_table: str = ""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name.startswith("max_") and value < 1:
                raise BadSettings(f"HPE_{name.upper()}={value} would refuse everything: give 1 or more")
        for name, most in _MOST.items():
            if not 0 <= getattr(self, name) <= most:
                raise BadSettings(f"HPE_{name.upper()}={getattr(self, name)} is out of range: give 0 to {most}")
        if not 0 <= self.threshold <= 1:
            raise BadSettings(f"HPE_THRESHOLD={self.threshold} is not a score: give 0 to 1")
        if self.max_people > MAX_PEOPLE:
            raise BadSettings(f"HPE_MAX_PEOPLE={self.max_people} is too many: give 1 to {MAX_PEOPLE}")
        if self.log_level.upper() not in _LOG_LEVELS:
            raise BadSettings(f"HPE_LOG_LEVEL={self.log_level!r}: give one of {', '.join(_LOG_LEVELS)}")
        for origin in self.cors_origins:
            if origin != "*" and not re.fullmatch(r"https?://[^/\s*]+", origin):
                raise BadSettings(
                    f"HPE_CORS_ORIGINS: {origin!r} is not a web origin: give '*', or https://host without a path"
                )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """HPE_MODEL, HPE_THREADS, HPE_MAX_PIXELS ...: one variable per field. Raises BadSettings naming it."""
        values: dict[str, object] = {}
        for field in fields(cls):
            variable = f"HPE_{field.name.upper()}"
            text = environ.get(variable, "").strip()
            if text:
                values[field.name] = _parse(variable, text, field.default)
        memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        if not values.get("threads") and memory.isdecimal():
            values["threads"] = max(1, whole_cores(int(memory) / LAMBDA_MB_PER_CORE))
        return cls(**values)  # type: ignore[arg-type]


def _parse(variable: str, text: str, default: object) -> object:
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return _parse_switch(variable, text)
    kind = float if isinstance(default, float) else int
    try:
        value = kind(text)
    except ValueError as error:
        raise BadSettings(f"{variable}={text!r} is not a number: unset it or give one like {default}") from error
    if not 0 <= value < float("inf"):
        raise BadSettings(f"{variable}={text} is out of range: give 0 or more, like {default}")
    return value


def _parse_switch(variable: str, text: str) -> bool:
    switches = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in switches:
        raise BadSettings(f"{variable}={text!r} is neither on nor off: give 1 or 0")
    return switches[text.lower()]
