"""What the networks are calibrated and compared on: photos with people boxed, as each network sees them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadData
from hpe.pose.crops import Frame, crop_affine, fit_affine, warp
from hpe.pose.skeleton import NUM_JOINTS
from hpe.train.data.files import decode_rgb, read_json, read_tar

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class People:
    """A photo (H, W, 3) uint8 RGB and its K people.

    boxes: (K, 4) px. ignore: (K,) bool, areas that count neither way. points: (K, 16, 2) px, labelled: (K, 16) bool.
    """

    rgb: Picture
    boxes: NDArray[np.float64]
    ignore: NDArray[np.bool_]
    points: NDArray[np.float64]
    labelled: NDArray[np.bool_]


def read_people(path: Path, count: int = 0) -> list[People]:
    """`NAME.json` beside its tars, of whole photos or of people cut out -> at most `count` pictures, evenly spread.

    Rows: shard, file, and people of box, ignore and joints; or of one person, box and joints. Raises BadData.
    """
    rows = read_json(path)
    if not isinstance(rows, list) or not rows:
        raise BadData(f"{path}: expected a non-empty list of photos or people")
    if 0 < count < len(rows):
        rows = [rows[int(i)] for i in np.linspace(0, len(rows) - 1, count)]
    try:
        shards = {name: read_tar(path.parent / name) for name in sorted({row["shard"] for row in rows})}
        return [_people(row, decode_rgb(shards[row["shard"]][row["file"]], row["file"])) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"{path}: rows are not those of photos or people: {error!r}") from error


def _people(row: dict[str, Any], rgb: Picture) -> People:
    people: list[dict[str, Any]] = row.get("people", [row])
    joints = np.zeros((len(people), NUM_JOINTS, 3))
    for k, person in enumerate(people):
        if person["joints"]:
            joints[k] = person["joints"]
    return People(
        rgb,
        np.array([person["box"] for person in people], np.float64).reshape(-1, 4),
        np.array([bool(person.get("ignore", False)) for person in people], np.bool_),
        joints[..., :2],
        joints[..., 2] > 0,
    )


def crops_of(photos: list[People], frame: Frame, count: int = 0, least_px: float = 32) -> list[Picture]:
    """Crops round the people whose box is at least `least_px` px, as the pose network sees them, evenly spread."""
    chosen = [
        (photo.rgb, box)
        for photo in photos
        for box, ignore in zip(photo.boxes, photo.ignore, strict=True)
        if not ignore and max(box[2:] - box[:2]) >= least_px
    ]
    if 0 < count < len(chosen):
        chosen = [chosen[int(i)] for i in np.linspace(0, len(chosen) - 1, count)]
    return [warp(rgb, crop_affine(box, frame), frame) for rgb, box in chosen]


def fitted(photos: list[People], longer: int) -> list[Picture]:
    """Whole photos as the locator sees them."""
    found = []
    for photo in photos:
        affine, frame = fit_affine(photo.rgb.shape[1], photo.rgb.shape[0], longer)
        found.append(warp(photo.rgb, affine, frame))
    return found
