"""A model file and its manifest, written together."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import onnx

from hpe.engine.manifest import ModelCard


def write_bundle(model: onnx.ModelProto, path: Path, card: dict[str, Any]) -> ModelCard:
    """Writes `path` and the manifest beside it, each whole or not at all -> the manifest as a ModelCard.

    `card` gives ModelCard's fields but for `file` and `sha256`, which are taken from what is written.
    """
    data = model.SerializeToString()
    full = ModelCard(**card, file=path.name, sha256=hashlib.sha256(data).hexdigest())
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, data)
    _replace(path.with_suffix(".json"), (json.dumps(dataclasses.asdict(full), indent=2) + "\n").encode())
    return full


def _replace(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
