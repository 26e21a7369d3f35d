"""Figures that one part measures and another needs, kept in build/bench/figures.json."""

import json
from typing import Any

from bench.models import BUILD

PATH = BUILD / "figures.json"


def load() -> dict[str, Any]:
    """All figures so far."""
    found: dict[str, Any] = json.loads(PATH.read_text()) if PATH.exists() else {}
    return found


def keep(name: str, value: Any) -> None:
    """Store one part's figures."""
    BUILD.mkdir(parents=True, exist_ok=True)
    PATH.write_text(json.dumps(load() | {name: value}, indent=2))
