"""The files of the website's private mode: onnxruntime-web and the very model that the API runs, from this origin.

`private/files.json` lists them with their sha256; where one is missing it says why, and the page has no private mode.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from hpe.engine.bundle import open_bundle
from hpe.engine.manifest import write_manifest
from hpe.errors import HpeError
from hpe.places import bundled
from hpe.settings import Settings

PREFIX: Final = "private/"
_LIST: Final = "files.json"
# As npm installs it: the smallest build, WebAssembly alone.
_RUNTIME: Final = {"runtime": "ort.wasm.bundle.min.mjs", "wasm": "ort-wasm-simd-threaded.wasm"}
_NAMES: Final = {"runtime": "runtime.mjs", "wasm": "runtime.wasm", "locate": "locate.onnx", "pose": "pose.onnx"}
_TYPES: Final = {
    "runtime": "text/javascript",
    "wasm": "application/wasm",
    "locate": "application/octet-stream",
    "pose": "application/octet-stream",
}


@dataclass(frozen=True)
class _Files:
    """Where each file lies, and what files.json says of them."""

    paths: dict[str, Path]
    listed: dict[str, Any]


def private_file(name: str, settings: Settings, site: list[str]) -> bytes | None:
    """A name under private/ -> its bytes, None if there is no such file. site: the page's own files, kept with them."""
    if name == _LIST:
        return json.dumps({**_listed(settings), "site": site}).encode()
    role = next((role for role, listed in _NAMES.items() if listed == name), None)
    if role is None or "missing" in _listed(settings):
        return None
    return _files(settings.model, settings.cache_dir).paths[role].read_bytes()


def _listed(settings: Settings) -> dict[str, Any]:
    try:
        return _files(settings.model, settings.cache_dir).listed
    except (HpeError, OSError) as error:
        return {"missing": str(error)}


@lru_cache(1)
def _files(model: str, cache_dir: str) -> _Files:
    """Raises OSError or an HpeError that says what is missing; the next call tries again."""
    folder = bundled("node_modules") / "onnxruntime-web" / "dist"
    if not folder.is_dir():
        raise OSError("this server came without onnxruntime-web: run npm ci in the checkout and start it again")
    bundle = open_bundle(model, cache_dir)
    if bundle.locate is None:
        raise OSError("this model has no locator, which private mode needs")
    paths = {role: folder / file for role, file in _RUNTIME.items()} | {"locate": bundle.locate, "pose": bundle.pose}
    files = [
        {"role": role, "url": PREFIX + _NAMES[role], "type": _TYPES[role], **_facts(path)}
        for role, path in paths.items()
    ]
    return _Files(paths, {"files": files, "card": json.loads(write_manifest(bundle.card))})


def _facts(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
