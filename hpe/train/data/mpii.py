"""MPII Human Pose (Andriluka et al., CVPR 2014): its own .mat, or the widely used train.json and valid.json.

Both count pixels from 1, as MATLAB does: 1 is taken off, as the published training code does. A person's box
is the square of 200 px * scale round the annotated centre, moved down by 15 px * scale so that the feet stay
inside: with this project's margin of 1.25 that is the crop of Xiao et al.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadData
from hpe.pose.skeleton import NUM_JOINTS, NUM_KEYPOINTS
from hpe.train.data.files import check_images, read_json, read_mat
from hpe.train.data.samples import Sample, with_face

HEAD_FACTOR = 0.6  # PCKh's reference length: this share of the head box's diagonal


def read_mpii(path: Path, images: str = "", head_boxes: str = "") -> list[Sample]:
    """The official mpii_human_pose_*.mat, or a train/valid JSON -> people with labelled joints.

    images: the image folder; by default `images` beside the annotations. head_boxes: for a JSON, the .mat with
    `headboxes_src` (2, 2, N) in the same order (usually gt_valid.mat), needed for the official PCKh.
    """
    folder = Path(images).expanduser() if images else path.parent / "images"
    if path.suffix == ".mat":
        samples = list(_from_mat(path, folder))
    else:
        samples = list(_from_json(path, folder, _head_lengths(head_boxes)))
    check_images(folder, (s.encoded.name for s in samples if isinstance(s.encoded, Path)))
    return samples


def _person_box(centre: NDArray[np.float64], scale: float) -> NDArray[np.float32]:
    x, y = centre[0], centre[1] + 15 * scale
    half = 100 * scale
    return np.array([x - half, y - half, x + half, y + half], np.float32)


def _head_lengths(head_boxes: str) -> NDArray[np.float64] | None:
    if not head_boxes:
        return None
    path = Path(head_boxes).expanduser()
    boxes = np.asarray(read_mat(path, "headboxes_src"), np.float64)
    if boxes.ndim == 2:
        boxes = boxes[..., None]
    if boxes.ndim != 3 or boxes.shape[:2] != (2, 2):
        raise BadData(f"{path}: headboxes_src has shape {boxes.shape}, expected (2, 2, N)")
    return np.asarray(HEAD_FACTOR * np.linalg.norm(boxes[1] - boxes[0], axis=0))


def _from_json(path: Path, folder: Path, heads: NDArray[np.float64] | None) -> Iterator[Sample]:
    rows = read_json(path)
    if not isinstance(rows, list) or not rows:
        raise BadData(f"{path}: expected a non-empty list of people")
    if heads is not None and len(heads) != len(rows):
        raise BadData(f"{path}: {len(rows)} people but {len(heads)} head boxes: give the .mat of the same split")
    for i, row in enumerate(rows):
        try:
            points = np.array(row["joints"], np.float32)
            visible = np.array(row["joints_vis"], np.float32)
            centre, scale, image = np.array(row["center"], np.float64) - 1, float(row["scale"]), row["image"]
        except (KeyError, TypeError, ValueError) as error:
            raise BadData(f"{path}: person {i}: lacks or garbles {error}") from error
        if points.shape != (NUM_JOINTS, 2) or visible.shape != (NUM_JOINTS,):
            raise BadData(f"{path}: person {i}: joints have shape {points.shape}, expected ({NUM_JOINTS}, 2)")
        if (visible > 0).any():
            head = float("nan") if heads is None else float(heads[i])
            name = f"mpii/{Path(image).stem}/{i}"
            box = _person_box(centre, scale)
            shown = with_face(visible[:, None])[:, 0] > 0
            yield Sample(name, folder / image, with_face(points - 1), shown, box, head_px=head)


def _from_mat(path: Path, folder: Path) -> Iterator[Sample]:
    release = read_mat(path, "RELEASE")
    try:
        pictures = _many(release.annolist)
        training = _many(release.img_train)
    except AttributeError as error:
        raise BadData(f"{path}: RELEASE lacks a field: {error}") from error
    for picture, is_train in zip(pictures, training, strict=True):
        if not is_train:  # the test half's joints were never published
            continue
        for i, person in enumerate(_many(getattr(picture, "annorect", []))):
            sample = _from_rect(person, str(picture.image.name), i, folder)
            if sample is not None:
                yield sample


def _from_rect(person: Any, image: str, number: int, folder: Path) -> Sample | None:
    """One annorect -> a sample, or None where it has a head box only, as many bystanders do."""
    joints = _many(getattr(getattr(person, "annopoints", None), "point", []))
    where: Any = getattr(person, "objpos", None)
    scale: Any = getattr(person, "scale", None)
    if not joints or not hasattr(where, "x") or scale is None or np.size(scale) != 1:
        return None
    points = np.zeros((NUM_KEYPOINTS, 2), np.float32)
    labelled = np.zeros(NUM_KEYPOINTS, np.bool_)
    for joint in joints:
        points[int(joint.id)] = float(joint.x) - 1, float(joint.y) - 1
        labelled[int(joint.id)] = True
    corners = np.array([person.x1, person.y1, person.x2, person.y2], np.float64)
    head = HEAD_FACTOR * float(np.hypot(corners[2] - corners[0], corners[3] - corners[1]))
    box = _person_box(np.array([float(where.x) - 1, float(where.y) - 1]), float(scale))
    return Sample(f"mpii/{Path(image).stem}/{number}", folder / image, points, labelled, box, head_px=head)


def _many(value: Any) -> list[Any]:
    """MATLAB's scalar, empty or array -> a list."""
    return list(np.atleast_1d(value).ravel())
