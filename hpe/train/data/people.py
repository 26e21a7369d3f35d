"""Whole photos with everybody in them boxed: `people.json` beside its tars."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from hpe.errors import BadData
from hpe.pose.skeleton import FACE, NUM_JOINTS, NUM_KEYPOINTS, plain_name
from hpe.train.data.files import read_json, read_tar
from hpe.train.data.labels import add_joints
from hpe.train.data.samples import Photo, Sample, with_face

# One photo of so many is held out where a part is asked for.
HELD_OUT: Final[int] = 8
LEAST_JOINTS: Final[int] = 3  # of people worth training the pose network on


def read_photos(path: Path, labels: str = "", without: Sequence[str] = (), human: str = "") -> list[Photo]:
    """`NAME.json` beside its tars -> whole photos. docs/training.md describes a row.

    labels: a file of joints that count in the place of the set's, rows of id, the person's number and its
    (joint, x, y), as `hpe relabel` writes them. human: a file of the same form, of joints placed by people, which count
    before all others. without: joints of the set that are not believed, by names without a side, such as hip. Raises
    BadData.
    """
    dropped = _named(without)
    rows = read_json(path)
    if not isinstance(rows, list) or not rows:
        raise BadData(f"{path}: expected a non-empty list of photos")
    shards: dict[str, dict[str, bytes]] = {}
    photos = []
    for row in rows:
        try:
            if row["shard"] not in shards:
                shards[row["shard"]] = read_tar(path.parent / row["shard"])
            people = row["people"]
            boxes = np.array([p["box"] for p in people], np.float32).reshape(-1, 4)
            ignore = np.array([p.get("ignore", False) for p in people], np.bool_)
            joints = np.zeros((len(people), NUM_JOINTS, 3), np.float32)
            face = np.zeros((len(people), len(FACE), 3), np.float32)
            hidden = np.zeros((len(people), NUM_JOINTS), np.bool_)
            for k, person in enumerate(people):
                if person.get("joints"):
                    joints[k] = person["joints"]
                if person.get("face"):
                    face[k] = person["face"]
                hidden[k, person.get("hidden", [])] = True
            encoded = shards[row["shard"]][row["file"]]
            squashed = bool(row.get("squashed", False))
            photos.append(Photo(str(row["id"]), encoded, boxes, ignore, joints, squashed, face, hidden))
        except KeyError as error:
            raise BadData(f"{path}: {_name(row)}: the row or its tar lacks {error}") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise BadData(f"{path}: {_name(row)}: {error}: docs/training.md describes a row") from error
    for photo in photos:
        photo.joints[:, [j for j in dropped if j < NUM_JOINTS]] = 0
        photo.face[:, [j - NUM_JOINTS for j in dropped if j >= NUM_JOINTS]] = 0
    for file in (labels, human):
        if file:
            add_joints(photos, Path(file).expanduser())
    return photos


def photos_of(photos: list[Photo], part: str) -> list[Photo]:
    """Those of a part: "all", "held-out" (every eighth by name, for choices and calibrations) or "train" (the others).

    Raises BadData for an unknown one.
    """
    if part == "all":
        return photos
    if part not in ("held-out", "train"):
        raise BadData(f"part {part!r}: choose all, train or held-out")
    held = {name for i, name in enumerate(sorted(photo.id for photo in photos)) if i % HELD_OUT == 0}
    return [photo for photo in photos if (photo.id in held) == (part == "held-out")]


def _named(names: Sequence[str]) -> list[int]:
    """Names without a side -> the keypoints' numbers. Raises BadData."""
    plain = [plain_name(number) for number in range(NUM_KEYPOINTS)]
    unknown = [name for name in names if name not in plain]
    if unknown:
        raise BadData(f"without {unknown[0]!r}: choose from {', '.join(dict.fromkeys(plain))}")
    return [number for number, name in enumerate(plain) if name in names]


def _name(row: object) -> str:
    return str(row.get("id", "a row")) if isinstance(row, dict) else repr(row)


def people_of(
    photos: list[Photo], min_px: float = 32.0, min_joints: int = LEAST_JOINTS, whole_faces: bool = False
) -> list[Sample]:
    """Everybody with keypoints, as samples for the pose network.

    min_px: the least longer side of their box. whole_faces: all points of a face that can be seen are labelled, so that
    the others are known to be turned away or covered.
    """
    found = []
    for photo in photos:
        for k, box in enumerate(photo.boxes):
            joints = with_face(photo.joints[k], photo.face[k] if len(photo.face) else None)
            if photo.ignore[k] or max(box[2:] - box[:2]) < min_px or (joints[:, 2] > 0).sum() < min_joints:
                continue
            points, labelled = joints[:, :2], joints[:, 2] > 0
            absent = ~labelled & whole_faces & (np.arange(NUM_KEYPOINTS) >= NUM_JOINTS)
            one = Sample(f"{photo.id}#{k}", photo.encoded, points, labelled, box, whole_box=True)
            found.append(replace(one, squashed=photo.squashed, absent=absent))
    return found
