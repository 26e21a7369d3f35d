"""The OpenAPI document: openapi.json beside this file, with examples.json and the version of this package."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from hpe import __version__

# {media type: {name: an Example Object}} of POST /pose, written by tests/web/make_examples.py
EXAMPLES: Final = Path(__file__).with_name("examples.json")


def openapi() -> dict[str, Any]:
    """The document as Python objects, a new copy each time."""
    document: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_bytes())
    document["info"]["version"] = __version__
    answers = document["paths"]["/pose"]["post"]["responses"]["200"]["content"]
    for media_type, examples in json.loads(EXAMPLES.read_bytes()).items():
        answers[media_type]["examples"] = examples
    return document


@cache
def openapi_json() -> bytes:
    """The document as JSON bytes."""
    return json.dumps(openapi(), ensure_ascii=False).encode()
