"""COCO keypoints (Lin et al., ECCV 2014): its 17 keypoints are 12 of MPII's joints and the face."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from hpe.errors import BadData
from hpe.pose.skeleton import COCO_JOINTS, INDEX, JOINTS, NUM_KEYPOINTS
from hpe.train.data.files import check_images, read_json
from hpe.train.data.samples import Sample, person_box

# (COCO's index, ours) of MPII's joints that COCO has.
SHARED: Final[tuple[tuple[int, int], ...]] = tuple((i, INDEX[n]) for i, n in enumerate(COCO_JOINTS) if n in JOINTS)
# Ours of each of COCO's keypoints.
OURS: Final[list[int]] = [INDEX[name] for name in COCO_JOINTS]


def read_coco(path: Path, images: str = "", box: str = "bbox") -> list[Sample]:
    """person_keypoints_*.json -> people with at least two labelled keypoints; what COCO lacks is unlabelled.

    images: the image folder; by default a folder beside the JSON named like its split (`val2017`). box: "bbox",
    the annotated box of the whole person, or "joints", the tight box of the labelled joints.
    """
    if box not in ("bbox", "joints"):
        raise BadData(f"box {box!r}: choose bbox or joints")
    content = read_json(path)
    try:
        files = {row["id"]: row["file_name"] for row in content["images"]}
        people = content["annotations"]
    except (KeyError, TypeError) as error:
        raise BadData(f"{path}: is no COCO keypoints file: it lacks {error}") from error
    folder = Path(images).expanduser() if images else path.parent / path.stem.split("_")[-1]
    samples = [s for row in people if (s := _sample(row, files, folder, box, path)) is not None]
    check_images(folder, (s.encoded.name for s in samples if isinstance(s.encoded, Path)))
    return samples


def _sample(row: dict[str, Any], files: dict[int, str], folder: Path, box: str, path: Path) -> Sample | None:
    if row.get("iscrowd"):
        return None
    try:
        raw = np.array(row["keypoints"], np.float32)
        name, image = f"coco/{row['image_id']}/{row['id']}", folder / files[row["image_id"]]
        x, y, width, height = (float(v) for v in row["bbox"])
    except (KeyError, ValueError) as error:
        raise BadData(f"{path}: annotation {row.get('id')}: lacks or garbles {error}") from error
    if raw.shape != (3 * len(COCO_JOINTS),):
        raise BadData(f"{path}: annotation {row['id']}: {raw.size} keypoint numbers, expected {3 * len(COCO_JOINTS)}")
    points = np.zeros((NUM_KEYPOINTS, 2), np.float32)
    labelled = np.zeros(NUM_KEYPOINTS, np.bool_)
    table = raw.reshape(-1, 3)
    points[OURS], labelled[OURS] = table[:, :2], table[:, 2] > 0
    if labelled.sum() < 2:
        return None
    whole = np.array([x, y, x + width - 1, y + height - 1], np.float32)
    return Sample(name, image, points, labelled, whole if box == "bbox" else person_box(points, labelled))
