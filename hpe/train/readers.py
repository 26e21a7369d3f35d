"""Data set folders -> samples. One reader a published format, all to the 16 MPII joints."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hpe.errors import BadData
from hpe.pose.skeleton import NUM_JOINTS
from hpe.train.config import Source
from hpe.train.samples import Sample, empty_sample, read_tar


def read_shards(path: Path) -> list[Sample]:
    """`NAME.json` beside its tars: rows with id, shard, file, box and joints as 16 rows x, y, labelled."""
    rows = _read_json(path)
    if not isinstance(rows, list) or not rows:
        raise BadData(f"{path}: expected a non-empty list of people")
    shards: dict[str, dict[str, bytes]] = {}
    samples = []
    for row in rows:
        try:
            shard = row["shard"]
            if shard not in shards:
                shards[shard] = read_tar(path.parent / shard)
            joints = np.array(row["joints"], np.float32)
            if joints.shape != (NUM_JOINTS, 3):
                raise BadData(f"{path}: {row['id']}: joints have shape {joints.shape}, expected ({NUM_JOINTS}, 3)")
            encoded = shards[shard][row["file"]]
            box = np.array(row["box"], np.float32)
            samples.append(Sample(str(row["id"]), encoded, joints[:, :2], joints[:, 2] > 0, box))
        except KeyError as error:
            raise BadData(f"{path}: a row or its tar lacks {error}") from error
    return samples


def read_empty(path: Path, part: str = "all") -> list[Sample]:
    """A tar of photos with nobody in them. part: "all", "test" (every fifth by name) or "train" (the others)."""
    if part not in ("all", "train", "test"):
        raise BadData(f"part {part!r}: choose all, train or test")
    files = sorted(read_tar(path).items())
    return [empty_sample(n, e) for i, (n, e) in enumerate(files) if part == "all" or (i % 5 == 0) == (part == "test")]


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise BadData(f"{path}: {error.strerror}: give the data set's annotation file") from error
    except ValueError as error:
        raise BadData(f"{path} is not JSON: {error}") from error


READERS: dict[str, Callable[..., list[Sample]]] = {"shards": read_shards, "empty": read_empty}


def read_source(source: Source) -> list[Sample]:
    """A config's Source -> its samples. Raises BadData for an unknown kind, missing files, no samples."""
    if source.kind not in READERS:
        raise BadData(f"kind {source.kind!r}: choose one of {', '.join(READERS)}")
    samples = READERS[source.kind](Path(source.path).expanduser(), **source.options)
    if source.match:
        samples = [s for s in samples if s.id.startswith(source.match)]
    if not samples:
        raise BadData(f"{source.path}: no samples (match={source.match!r})")
    return samples
