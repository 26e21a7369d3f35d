"""What a request asks for: query parameters and the Accept header -> PoseParams."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from hpe.errors import BadRequest, NotAcceptable

OutputFormat = Literal["png", "jpeg", "webp", "json"]
# In the order of preference where a client has none.
OUTPUT_TYPES: Final[dict[OutputFormat, str]] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "json": "application/json",
}
_SWITCHES: Final = {"1": True, "true": True, "0": False, "false": False}
_KNOWN: Final = ("format", "threshold", "flip")
_DECIMAL: Final = re.compile(r"[0-9]{0,6}\.?[0-9]{1,12}")


@dataclass(frozen=True)
class PoseParams:
    """format: of the answer. threshold: 0..1, None for the service's own. flip: None for the service's own."""

    format: OutputFormat
    threshold: float | None
    flip: bool | None


def read_params(query: Mapping[str, str], accept: str) -> PoseParams:
    """Query and Accept header -> PoseParams. `format` wins over Accept.

    Raises BadRequest on a value that makes no sense and on a parameter that does not exist (a misspelt
    threshold that is silently ignored costs hours), NotAcceptable where Accept leaves nothing.
    """
    unknown = sorted(set(query) - set(_KNOWN))
    if unknown:
        raise BadRequest(f"there is no parameter {unknown[0][:40]!r}", limit=_KNOWN, hint=f"use {', '.join(_KNOWN)}")
    chosen = query.get("format")
    return PoseParams(
        negotiate(accept) if chosen is None else _format(chosen),
        _threshold(query["threshold"]) if "threshold" in query else None,
        _flip(query["flip"]) if "flip" in query else None,
    )


def _format(text: str) -> OutputFormat:
    for name in OUTPUT_TYPES:
        if text == name:
            return name
    raise BadRequest(
        f"format={text[:40]!r} is not made here: choose one of {', '.join(OUTPUT_TYPES)}", limit=tuple(OUTPUT_TYPES)
    )


def _threshold(text: str) -> float:
    if not _DECIMAL.fullmatch(text) or not 0 <= float(text) <= 1:
        raise BadRequest(f"threshold={text[:40]!r} is no score: give a number from 0 to 1, like 0.3", limit=(0, 1))
    return float(text)


def _flip(text: str) -> bool:
    if text.lower() not in _SWITCHES:
        raise BadRequest(f"flip={text[:40]!r} is neither on nor off: give 1 or 0", limit=tuple(_SWITCHES))
    return _SWITCHES[text.lower()]


def negotiate(accept: str) -> OutputFormat:
    """An Accept header (RFC 9110, 12.5.1) -> the format that the client likes best.

    Of equal q-values the more specific entry wins, then the order of OUTPUT_TYPES. A page that is being
    navigated to (Accept has text/html: a plain HTML form) gets PNG, though Chrome lists WebP as well. Raises
    NotAcceptable.
    """
    wanted = _parse_accept(accept)
    if not wanted:
        return "png"
    ranked = [(*_quality(wanted, media_type), name) for name, media_type in OUTPUT_TYPES.items()]
    usable = [entry for entry in ranked if entry[0] > 0]
    if not usable:
        raise NotAcceptable(
            f"Accept: {accept[:100]} leaves none of the types that are made here", limit=tuple(OUTPUT_TYPES.values())
        )
    if "text/html" in wanted and any(entry[2] == "png" for entry in usable):
        return "png"
    return max(usable, key=lambda entry: entry[:2])[2]  # the first of equals


def _quality(wanted: Mapping[str, float], media_type: str) -> tuple[float, int]:
    """-> the q-value of a media type, and how specific the entry that gives it is (2, 1, 0)."""
    family = media_type.partition("/")[0] + "/*"
    for specific, key in ((2, media_type), (1, family), (0, "*/*")):
        if key in wanted:
            return wanted[key], specific
    return 0.0, 0


def _parse_accept(accept: str) -> dict[str, float]:
    wanted: dict[str, float] = {}
    for entry in accept[:4096].lower().split(","):
        media_type, *parameters = (part.strip() for part in entry.split(";"))
        if "/" in media_type:
            q = next((part[2:].strip() for part in parameters if part.startswith("q=")), "1")
            wanted[media_type] = min(float(q), 1.0) if _DECIMAL.fullmatch(q) else 1.0
    return wanted
