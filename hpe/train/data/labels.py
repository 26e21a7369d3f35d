"""Files of labels that a model made or corrected (`hpe relabel`), written and read here: the `labels` of a source.

Four kinds, by what they are for: corrected joints of people cut out, `[{"id", "joints"}]`; joints added to people in
whole photos, `[[id, number, [[joint, x, y]]]]`; doubtful people who count, `[[id, number, box]]`; and false detections
in photos without people, `[{"id", "boxes"}]`.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadData
from hpe.pose.skeleton import NUM_JOINTS, NUM_KEYPOINTS
from hpe.train.data.files import read_json
from hpe.train.data.samples import Photo, Sample, person_box, with_face


def write_labels(out: Path, rows: Sequence[Any]) -> None:
    """A file for a source's `labels`; its folder is made."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows))


def joints_of(path: Path, row: dict[str, object]) -> NDArray[np.float32]:
    """A row's 16 or 21 joints x, y, labelled -> (21, 3) float32. Raises BadData."""
    try:
        joints = np.array(row["joints"], np.float32)
    except ValueError as error:
        raise BadData(f"{path}: {row['id']}: joints are not rows of numbers: {error}") from error
    if joints.shape == (NUM_JOINTS, 3):
        return with_face(joints)
    if joints.shape != (NUM_KEYPOINTS, 3):
        raise BadData(
            f"{path}: {row['id']}: joints have shape {joints.shape}, expected ({NUM_JOINTS}, 3), "
            f"or ({NUM_KEYPOINTS}, 3) with the face"
        )
    return joints


def relabelled(samples: list[Sample], path: Path) -> list[Sample]:
    """The samples with the corrected joints of the file; those it does not name stay as they are. Raises BadData."""
    rows = {str(row["id"]): joints_of(path, row) for row in read_json(path)}
    if rows and not rows.keys() & {s.id for s in samples}:
        raise BadData(f"{path}: names none of the source's {len(samples)} samples: were the labels made for another?")
    return [_with_labels(s, rows[s.id]) if s.id in rows else s for s in samples]


def _with_labels(sample: Sample, joints: NDArray[np.float32]) -> Sample:
    points, labelled = joints[:, :2], joints[:, 2] > 0
    # a box of the data set's own stays; one drawn round the old labels is drawn round the new
    drawn = np.allclose(sample.box, person_box(sample.points, sample.labelled), atol=0.1)
    box = person_box(points, labelled) if drawn else sample.box
    return replace(sample, points=points, labelled=labelled, box=box)


def add_joints(photos: list[Photo], path: Path) -> None:
    """Labels joints that the set leaves out, in place. Raises BadData."""

    def add(photo: Photo, number: int, found: list[tuple[int, float, float]]) -> None:
        for joint, x, y in found:
            photo.joints[number, joint] = x, y, 1

    _apply(photos, path, add)


def count_agreed(photos: list[Photo], path: Path) -> None:
    """Turns `ignore` boxes that hold a person into people, in place. Raises BadData."""

    def count(photo: Photo, number: int, box: list[float]) -> None:
        photo.boxes[number] = box
        photo.ignore[number] = False

    _apply(photos, path, count)


def _apply(photos: list[Photo], path: Path, change: Callable[[Photo, int, Any], None]) -> None:
    """Calls `change` with the photo, the person's number and the rest of each row of a file of labels."""
    named = {photo.id: photo for photo in photos}
    try:
        for name, number, label in read_json(path):
            change(named[name], number, label)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BadData(
            f"{path}: {error!r}: these labels are not of this set's photos: make them again with hpe relabel"
        ) from error


def lookalikes(samples: dict[str, Sample], names: Iterable[str], path: Path) -> list[Sample]:
    """A sample for each false detection that lies in one of the samples' pictures. Raises BadData."""
    try:
        boxes = {str(row["id"]): np.array(row["boxes"], np.float32).reshape(-1, 4) for row in read_json(path)}
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"{path}: {error!r}: expected boxes of photos: make them with hpe relabel") from error
    if boxes and not boxes.keys() & set(names):
        raise BadData(f"{path}: names none of the source's photos: were the labels made for another?")
    return [replace(samples[name], box=box, lookalike=True) for name in boxes if name in samples for box in boxes[name]]
