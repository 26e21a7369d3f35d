"""The OpenAPI document: openapi.json beside this file, with the version of this package."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from hpe import __version__


def openapi() -> dict[str, Any]:
    """The document as Python objects, a new copy each time."""
    document: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_bytes())
    document["info"]["version"] = __version__
    return document


@cache
def openapi_json() -> bytes:
    """The document as JSON bytes."""
    return json.dumps(openapi(), ensure_ascii=False).encode()
