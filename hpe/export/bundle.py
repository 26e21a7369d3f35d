"""A manifest and its networks, written together."""

import dataclasses
import hashlib
from pathlib import Path

import onnx

from hpe.engine.card import ModelCard
from hpe.engine.manifest import write_manifest


def write_bundle(manifest: Path, card: ModelCard, pose: onnx.ModelProto, locate: onnx.ModelProto | None) -> ModelCard:
    """Writes the networks beside `manifest` under the card's names, then the manifest -> the card with their sha256.

    Each file is written whole or not at all, and the manifest last: whoever reads it finds what it names.
    """
    manifest.parent.mkdir(parents=True, exist_ok=True)
    if locate is not None and card.locate is not None:
        sha256 = _write(manifest.with_name(card.locate.file), locate.SerializeToString())
        card = dataclasses.replace(card, locate=dataclasses.replace(card.locate, sha256=sha256))
    card = dataclasses.replace(card, sha256=_write(manifest.with_name(card.file), pose.SerializeToString()))
    _write(manifest, write_manifest(card))
    return card


def _write(path: Path, data: bytes) -> str:
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
    return hashlib.sha256(data).hexdigest()
