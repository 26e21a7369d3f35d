"""Full-size data sets -> shards: people cut out with context and scaled down, so that they fit in memory.

MPII's photos take 70 GB decoded. Cut out once into the format that `read_shards` reads, a person takes about
50 kB, and a resumed run starts without decoding the photos again.
"""

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.train.config import Source
from hpe.train.data.labels import relabelled
from hpe.train.data.readers import read_shards, read_source
from hpe.train.data.samples import Sample

PERSON_PX: Final[int] = 300  # the longest side of a person's box, at most
CONTEXT: Final[float] = 1.8  # side of the cut-out, in longest sides of the box


def training_samples(source: Source, cache: Path) -> list[Sample]:
    """`read_source`, with pictures that are still files cut out once into shards under `cache`."""
    plain = replace(source, labels="", match="")
    identity = json.dumps([plain.kind, plain.path, plain.options, _stamp(Path(plain.path).expanduser())])
    packed = cache / f"{source.kind}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.json"
    if not packed.exists():
        samples = read_source(source)
        if not any(isinstance(s.encoded, Path) for s in samples):
            return samples
        write_shards(samples if source == plain else read_source(plain), packed)
    samples = [s for s in read_shards(packed) if s.id.startswith(source.match)]
    return relabelled(samples, Path(source.labels).expanduser()) if source.labels else samples


def _stamp(path: Path) -> list[float]:
    """Changes when the annotations do."""
    path = path / "joints.mat" if path.is_dir() else path
    return [path.stat().st_size, path.stat().st_mtime] if path.exists() else []


def write_shards(samples: list[Sample], path: Path) -> None:
    """Cuts every sample out of its picture and writes `path` (.json) and the tar beside it, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tar_path = path.with_name(f"{path.stem}-0.tar")
    rows: list[dict[str, Any]] = []
    last: tuple[object, NDArray[np.uint8]] | None = None
    with tarfile.open(tar_path.with_suffix(".part"), "w") as tar:
        for sample in tqdm(samples, desc=f"cutting people out to {path.name}", unit="person"):
            if last is None or last[0] != sample.encoded:  # people of one photo follow each other
                last = sample.encoded, sample.image()
            crop, shift, scale = cut_out(last[1], sample.box)
            data = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()
            rows.append(_row(sample, f"{len(rows):06d}.jpg", tar_path.name, shift, scale, crop.shape))
            info = tarfile.TarInfo(rows[-1]["file"])
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    tar_path.with_suffix(".part").replace(tar_path)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(rows))
    part.replace(path)


def cut_out(
    image: NDArray[np.uint8], box: NDArray[np.floating]
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """(H, W, 3) uint8 RGB, (4,) box -> crop with context, its corner (2,) in image px, and crop px an image px (2,).

    A point p of the image lies at (p - corner + 0.5) * scale - 0.5 of the crop.
    """
    height, width = image.shape[:2]
    centre, extent = (box[:2] + box[2:]) / 2, float(max(box[2:] - box[:2]))
    limit = np.array([width, height])
    low = np.clip(np.floor(centre - extent * CONTEXT / 2), 0, limit - 1).astype(int)
    high = np.maximum(np.clip(np.ceil(centre + extent * CONTEXT / 2), 1, limit).astype(int), low + 1)
    crop = image[low[1] : high[1], low[0] : high[0]]
    factor = min(1.0, PERSON_PX / max(extent, 1.0))
    size = np.maximum(1, np.round((high - low) * factor)).astype(int)
    small = cv2.resize(crop, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small, low.astype(np.float64), size / (high - low)


def _row(
    sample: Sample,
    file: str,
    shard: str,
    corner: NDArray[np.float64],
    scale: NDArray[np.float64],
    shape: tuple[int, ...],
) -> dict[str, Any]:
    points = (sample.points - corner + 0.5) * scale - 0.5
    box = (sample.box.reshape(2, 2) - corner + 0.5) * scale - 0.5
    row = {
        "id": sample.id,
        "file": file,
        "shard": shard,
        "width": shape[1],
        "height": shape[0],
        "box": [round(float(v), 2) for v in box.ravel()],
        "own_box": True,
        "joints": [
            [round(float(x), 2), round(float(y), 2), int(seen)]
            for (x, y), seen in zip(points, sample.labelled, strict=True)
        ],
    }
    return row if np.isnan(sample.head_px) else row | {"head_px": round(float(sample.head_px * scale.mean()), 3)}
