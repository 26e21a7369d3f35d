"""Files of published data sets -> Python objects, each failure a BadData that names the file and the remedy."""

import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadData

T = TypeVar("T")


def read_json(path: Path) -> Any:
    """A JSON file -> its content."""
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise BadData(f"{path}: {error.strerror}: give the data set's annotation file") from error
    except ValueError as error:
        raise BadData(f"{path} is not JSON: {error}") from error


def read_mat(path: Path, variable: str) -> Any:
    """One variable of a MATLAB file (version 5 to 7), structs as objects with attributes, singletons squeezed."""
    from scipy.io import loadmat

    try:
        content = loadmat(path, struct_as_record=False, squeeze_me=True)
    except OSError as error:
        raise BadData(f"{path}: {error.strerror or 'no such file'}: give the data set's .mat file") from error
    except Exception as error:  # scipy raises many kinds for files that are not MATLAB's
        raise BadData(f"{path} is not a MATLAB file of version 5 to 7: {error}") from error
    if variable not in content:
        names = ", ".join(k for k in content if not k.startswith("__")) or "nothing"
        raise BadData(f"{path}: holds {names}, expected a variable {variable!r}")
    return content[variable]


def read_tar(path: Path) -> dict[str, bytes]:
    """A tar of images -> {file name: bytes}."""
    try:
        with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as tar:
            files = ((m.name, tar.extractfile(m)) for m in tar.getmembers() if m.isfile())
            return {name: file.read() for name, file in files if file is not None}
    except OSError as error:
        raise BadData(f"{path}: {error.strerror or error}: give the data set's folder") from error
    except tarfile.TarError as error:
        raise BadData(f"{path} is not a complete tar file: {error}") from error


def decode_rgb(encoded: bytes | Path, name: str, upright: bool = False) -> NDArray[np.uint8]:
    """Image file bytes, or the path of such a file -> (H, W, 3) uint8 RGB.

    As stored, which is what published annotations count the px of; upright: turned as its EXIF orientation says.
    """
    data = _file_bytes(encoded) if isinstance(encoded, Path) else encoded
    flags = cv2.IMREAD_COLOR | (0 if upright else cv2.IMREAD_IGNORE_ORIENTATION)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if image is None:
        raise BadData(f"{name}: the image cannot be decoded: is the data set complete?")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadData(f"{path}: {error.strerror}: is the data set complete?") from error


def check_images(folder: Path, names: Iterable[str]) -> None:
    """Raises BadData unless every name is a file of the folder: better at the start than hours into a run."""
    try:
        present = {path.name for path in folder.iterdir()}
    except OSError as error:
        raise BadData(f"{folder}: {error.strerror}: give the data set's image folder (option images)") from error
    wanted = set(names)
    missing = sorted(wanted - present)
    if missing:
        raise BadData(
            f"{folder}: {len(missing)} of {len(wanted)} images are missing, {missing[0]} first: "
            "is the data set unpacked?"
        )


def spread(items: Sequence[T], limit: int) -> list[T]:
    """At most `limit` of them, evenly over the list, in which sources follow each other; 0 keeps all."""
    if not 0 < limit < len(items):
        return list(items)
    return [items[int(i)] for i in np.linspace(0, len(items) - 1, limit)]
