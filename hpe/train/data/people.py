"""Whole photos with everybody in them boxed: `people.json` beside its tars."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadData
from hpe.pose.skeleton import FACE, NUM_JOINTS, NUM_KEYPOINTS, plain_name
from hpe.train.data.files import decode_rgb, read_json, read_tar
from hpe.train.data.labels import add_joints
from hpe.train.data.samples import Sample, with_face

# One photo of so many is held out where a part is asked for.
HELD_OUT: Final[int] = 8
LEAST_JOINTS: Final[int] = 3  # of people worth training the pose network on


@dataclass(frozen=True)
class Photo:
    """A whole photo and its K people.

    encoded: the image file's bytes, or its path. boxes: (K, 4) float32 x0, y0, x1, y1 px round the whole visible
    person. ignore: (K,) bool, areas that count neither as a person nor as background. joints: (K, 16, 3) float32 x, y
    px and 1 where labelled. squashed: the photo was once resized to a square. face: (K, 5, 3) float32, the same for
    nose, left and right eye, left and right ear. hidden: (K, 16) bool, joints that were placed but could not be seen.
    """

    id: str
    encoded: bytes | Path
    boxes: NDArray[np.float32]
    ignore: NDArray[np.bool_]
    joints: NDArray[np.float32]
    squashed: bool = False
    face: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, len(FACE), 3), np.float32))
    hidden: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, NUM_JOINTS), np.bool_))

    def image(self) -> NDArray[np.uint8]:
        """-> (H, W, 3) uint8 RGB."""
        return decode_rgb(self.encoded, self.id)


def read_photos(path: Path, labels: str = "", without: Sequence[str] = ()) -> list[Photo]:
    """`NAME.json` beside its tars -> whole photos. docs/training.md describes a row.

    labels: a file of joints that the set leaves out, rows of id, the person's number and its (joint, x, y), as
    `hpe relabel` writes them. without: joints of the set that are not believed, by names without a side, such
    as hip. Raises BadData.
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
    if labels:
        add_joints(photos, Path(labels).expanduser())
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
