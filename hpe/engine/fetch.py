"""A model's name -> a verified local file and its card."""

import contextlib
import os
import threading
import time
from pathlib import Path, PurePosixPath
from typing import Final

from hpe.engine.cache import Download, is_verified, remember
from hpe.engine.manifest import ModelCard, parse_manifest, read_manifest
from hpe.errors import BadModel, HpeError, ModelUnavailable
from hpe.places import bundled

# the gateway gives up after 29 s, and the photo still has to be looked at
TIMEOUT_S: Final = 20.0
_MANIFEST_BYTES: Final = 1_000_000


def fetch_model(model: str, cache_dir: Path, *, timeout_s: float = TIMEOUT_S) -> tuple[Path, ModelCard]:
    """'' (the default model), a path to NAME.onnx, or s3://bucket/NAME.onnx -> (local .onnx file, its card).

    NAME.json lies beside it, and the file's sha256 is the one that it states. What comes from S3 is kept in
    `cache_dir`. Raises ModelUnavailable or BadModel naming the cause; the next call tries again.
    """
    began = time.monotonic()
    ahead = _ahead.pop((model, Path(cache_dir)), None)
    if ahead is not None:
        ahead.join()
        if ahead.found is not None:
            return ahead.found
        # Lambda may have frozen that thread and its connection: try again in the time that is left
        timeout_s = max(1.0, timeout_s - (time.monotonic() - began))
    return _fetch(model, Path(cache_dir), timeout_s)


def prefetch(model: str, cache_dir: Path) -> None:
    """Start fetching beside the imports; the next `fetch_model` with the same arguments waits for it."""
    ahead = _Ahead(model, Path(cache_dir))
    _ahead[model, Path(cache_dir)] = ahead
    ahead.start()


class _Ahead(threading.Thread):
    def __init__(self, model: str, cache_dir: Path) -> None:
        super().__init__(daemon=True, name="hpe-prefetch")
        self.model, self.cache_dir = model, cache_dir
        self.found: tuple[Path, ModelCard] | None = None

    def run(self) -> None:
        with contextlib.suppress(HpeError):  # whoever needs the model tries again, and gets the error
            self.found = _fetch(self.model, self.cache_dir, TIMEOUT_S)


_ahead: dict[tuple[str, Path], _Ahead] = {}


def _fetch(model: str, cache_dir: Path, timeout_s: float) -> tuple[Path, ModelCard]:
    if model.startswith("s3://"):
        return _from_s3(model, cache_dir, timeout_s)
    return _from_disk(model, cache_dir)


def _from_disk(model: str, cache_dir: Path) -> tuple[Path, ModelCard]:
    if model and not Path(model).is_file():
        raise ModelUnavailable(f"{model}: no such model file: give the path of a .onnx file, or s3://bucket/key.onnx")
    manifest = Path(_manifest_name(model)) if model else bundled("models") / "pose.json"
    card = read_manifest(manifest)
    path = Path(model) if model else manifest.parent / card.file
    if not is_verified(path, card.sha256, cache_dir):
        raise ModelUnavailable(
            f"{path}: wrong checksum: its sha256 is not the {card.sha256[:12]}... that {manifest.name} states: "
            "fetch both anew"
        )
    return path, card


def _from_s3(model: str, cache_dir: Path, timeout_s: float) -> tuple[Path, ModelCard]:
    # a model on disk needs no network: ssl and http.client cost 60 ms
    from hpe.engine.access import access_from_env
    from hpe.engine.s3 import Bucket

    name, _, key = model.removeprefix("s3://").partition("/")
    manifest_key = _manifest_name(key)
    if not name:
        raise BadModel(f"{model} names no bucket: write s3://bucket/key.onnx")
    with contextlib.closing(Bucket(name, access_from_env(os.environ), timeout_s)) as bucket:
        text = _Text()
        bucket.get(manifest_key, text)
        card = parse_manifest(bytes(text.data), f"s3://{name}/{manifest_key}")
        path = cache_dir / f"{card.sha256}.onnx"
        if path.is_file() and is_verified(path, card.sha256, cache_dir):
            return path, card
        with Download(cache_dir) as download:
            bucket.get(key, download)
            if download.sha256 != card.sha256:
                raise ModelUnavailable(
                    f"{model}: wrong checksum: its sha256 is {download.sha256[:12]}..., its manifest states "
                    f"{card.sha256[:12]}...: upload both anew"
                )
            download.keep_as(path)
    remember(path, card.sha256, cache_dir)
    return path, card


def _manifest_name(model: str) -> str:
    name = PurePosixPath(model)
    if name.suffix != ".onnx":
        raise BadModel(f"{model!r} is not the name of a model: it ends in .onnx, and its manifest in .json beside it")
    return str(name.with_suffix(".json"))


class _Text:
    """A small object in memory (an `hpe.engine.s3.Sink`)."""

    def __init__(self) -> None:
        self.data = bytearray()

    def restart(self) -> None:
        self.data.clear()

    def write(self, chunk: bytes) -> None:
        if len(self.data) + len(chunk) > _MANIFEST_BYTES:
            raise BadModel(f"the model's manifest is larger than {_MANIFEST_BYTES} bytes: is it a manifest at all?")
        self.data += chunk
