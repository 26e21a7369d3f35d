"""Stick figures: generated people whose joints are known exactly."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hpe.pose.skeleton import COLOURS_RGB, INDEX, KEYPOINTS, LIMBS, NUM_JOINTS, side
from hpe.train.config import Source, Stage, TrainConfig
from hpe.train.data.samples import Sample, tight_box

# a standing person facing us, in a unit square
STANDING = {
    "right_ankle": (0.40, 0.95),
    "right_knee": (0.40, 0.75),
    "right_hip": (0.42, 0.55),
    "left_hip": (0.58, 0.55),
    "left_knee": (0.60, 0.75),
    "left_ankle": (0.60, 0.95),
    "pelvis": (0.50, 0.55),
    "thorax": (0.50, 0.28),
    "upper_neck": (0.50, 0.22),
    "head_top": (0.50, 0.05),
    "right_wrist": (0.25, 0.55),
    "right_elbow": (0.30, 0.42),
    "right_shoulder": (0.38, 0.28),
    "left_shoulder": (0.62, 0.28),
    "left_elbow": (0.70, 0.42),
    "left_wrist": (0.75, 0.55),
    "nose": (0.50, 0.15),
    "left_eye": (0.53, 0.13),
    "right_eye": (0.47, 0.13),
    "left_ear": (0.56, 0.14),
    "right_ear": (0.44, 0.14),
}


def stick_figure(seed: int, side_px: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """-> (side, side, 3) uint8 RGB, (21, 2) float32 px: limbs bent a little, on a noisy ground."""
    rng = np.random.default_rng(seed)
    unit = np.zeros((len(KEYPOINTS), 2))
    for name, place in STANDING.items():
        unit[INDEX[name]] = place
    points = ((unit + rng.normal(0, 0.02, unit.shape)) * side_px * 0.8 + side_px * 0.1).astype(np.float32)
    image = rng.integers(70, 110, (side_px, side_px, 3), dtype=np.uint8)
    for a, b in LIMBS:
        ends = [tuple(round(float(v)) for v in points[j]) for j in (a, b)]
        cv2.line(image, ends[0], ends[1], COLOURS_RGB[side(a)], max(2, side_px // 30), cv2.LINE_AA)
    return image, points


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def stick_sample(seed: int, side_px: int = 120) -> Sample:
    image, points = stick_figure(seed, side_px)
    labelled = np.ones(len(points), np.bool_)
    return Sample(f"stick/{seed}", png(image), points, labelled, tight_box(points, labelled))


def scenery(seed: int, width: int = 150, height: int = 110) -> np.ndarray:
    """A soft random picture without anybody -> (height, width, 3) uint8 RGB."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def write_people(folder: Path, count: int, name: str = "people", side_px: int = 120) -> Path:
    """A data set of stick figures in this project's own format -> its JSON."""
    rows, files = [], {}
    for seed in range(count):
        sample = stick_sample(seed, side_px)
        files[f"{seed}.png"] = sample.encoded
        joints = [[float(x), float(y), 1] for x, y in sample.points]
        rows.append({"id": sample.id, "shard": f"{name}-0.tar", "file": f"{seed}.png", "width": side_px})
        rows[-1] |= {"height": side_px, "box": [float(v) for v in sample.box], "joints": joints}
    write_tar(folder / f"{name}-0.tar", files)
    (folder / f"{name}.json").write_text(json.dumps(rows))
    return folder / f"{name}.json"


def write_sceneries(folder: Path, count: int) -> Path:
    write_tar(folder / "negatives.tar", {f"{i}.png": png(scenery(i)) for i in range(count)})
    return folder / "negatives.tar"


def write_photos(folder: Path, count: int, labelled: list[int] | None = None, side_px: int = 120) -> Path:
    """Whole photos of two people each, the second without joints, and an area to ignore -> their JSON."""
    rows, files = [], {}
    for seed in range(count):
        (left, points), (right, others) = stick_figure(2 * seed, side_px), stick_figure(2 * seed + 1, side_px)
        files[f"{seed}.png"] = png(np.concatenate([left, right, scenery(seed, 40, side_px)], axis=1))
        joints = [[float(x), float(y), int(labelled is None or j in labelled)] for j, (x, y) in enumerate(points)]
        known = {"box": _box(points), "ignore": False, "joints": joints[:NUM_JOINTS], "face": joints[NUM_JOINTS:]}
        unlabelled = {"box": _box(others + np.float32([side_px, 0]))}
        doubtful = {"box": [2 * side_px, 0, 2 * side_px + 39, 50], "ignore": True}
        found = [known, unlabelled, doubtful]
        rows.append({"id": f"photo/{seed}", "shard": "photos-0.tar", "file": f"{seed}.png", "people": found})
    write_tar(folder / "photos-0.tar", files)
    (folder / "photos.json").write_text(json.dumps(rows))
    return folder / "photos.json"


def tiny_config(folder: Path, **fields: Any) -> TrainConfig:
    """A run on eight stick figures and two photos without people, all of them written to the folder."""
    people = Source("shards", str(write_people(folder, 8, side_px=64)))
    empty = Source("empty", str(write_sceneries(folder, 2)), weight=0.5)
    usual = {
        "name": "tiny",
        "train": (people, empty),
        "val": (people,),
        "depth": 18,
        "stages": (Stage(0.0, 64, 4),),
        "sigma": 1.0,
        "warmup_steps": 3,
        "cache": str(folder / "cache"),
    }
    return TrainConfig(**(usual | fields))


def _box(points: np.ndarray) -> list[float]:
    return [float(v) for v in (*(points.min(axis=0) - 4), *(points.max(axis=0) + 4))]
