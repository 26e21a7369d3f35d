"""A model's name -> its card and the verified files of its networks."""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from hpe.engine.card import ModelCard
from hpe.engine.manifest import parse_manifest
from hpe.errors import BadModel, HpeError, ModelUnavailable
from hpe.places import bundled
from hpe.store.fetch import TIMEOUT_S, Files, open_files


@dataclass(frozen=True)
class Bundle:
    """A card and the local .onnx files of the pose network and, if there is one, of the locator.

    model: what it was opened by, '' for the default.
    """

    card: ModelCard
    pose: Path
    locate: Path | None = None
    model: str = ""


def open_bundle(model: str, cache_dir: str | PathLike[str], timeout_s: float = TIMEOUT_S) -> Bundle:
    """'' (the default model), a path, or s3://bucket/key, of a manifest .json -> its Bundle.

    The networks lie beside the manifest, and their sha256 are the ones that it states. What comes from S3 is kept in
    `cache_dir`. The name of an .onnx file means the manifest of the same name beside it. Raises ModelUnavailable or
    BadModel naming the cause; the next call tries again.
    """
    manifest, named = _manifest_of(model) if model else (str(bundled("models") / "pose.json"), "")
    if model and not model.startswith("s3://") and not Path(model).is_file():
        raise ModelUnavailable(f"{model}: no such model file: give the path of a manifest (.json), or s3://bucket/key")
    with open_files(manifest, Path(cache_dir), timeout_s) as files:
        card = parse_manifest(files.manifest(), files.where)
        return replace(_fetched(files, card, named), model=model)


def _fetched(files: Files, card: ModelCard, named: str) -> Bundle:
    if card.locate is None:  # such models were uploaded under any name, and found by that
        return Bundle(card, files.file(named or card.file, card.sha256))
    locate = files.file(card.locate.file, card.locate.sha256)
    return Bundle(card, files.file(card.file, card.sha256), locate)


def _manifest_of(model: str) -> tuple[str, str]:
    """-> the manifest's address, and the .onnx file that was named instead of it, if one was."""
    stem, dot, suffix = model.rpartition(".")
    if dot and suffix == "json":
        return model, ""
    if dot and suffix == "onnx":
        return f"{stem}.json", Path(model).name
    raise BadModel(f"{model!r} is not the name of a model: give its manifest, which ends in .json")


def prefetch(model: str, cache_dir: str | PathLike[str], timeout_s: float = TIMEOUT_S) -> Callable[[], Bundle]:
    """Starts fetching beside what follows -> a function that waits for the bundle, and tries again if that failed."""
    began = time.monotonic()
    found: list[Bundle] = []

    def fetch() -> None:
        with contextlib.suppress(HpeError):  # whoever needs the model tries again, and gets the error
            found.append(open_bundle(model, cache_dir, timeout_s))

    thread = threading.Thread(target=fetch, daemon=True, name="hpe-prefetch")
    thread.start()

    def bundle() -> Bundle:
        thread.join()
        if found:
            return found[0]
        # Lambda may have frozen that thread and its connection: try again in the time that is left
        return open_bundle(model, cache_dir, max(1.0, timeout_s - (time.monotonic() - began)))

    return bundle
