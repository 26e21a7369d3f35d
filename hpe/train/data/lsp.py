"""Leeds Sports Pose (Johnson and Everingham, BMVC 2010) and its extension LSPET (CVPR 2011), as published."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadData
from hpe.pose.skeleton import INDEX, NUM_KEYPOINTS
from hpe.train.data.files import check_images, read_mat
from hpe.train.data.samples import Sample, person_box, with_midpoints

# the order of the 14 joints in joints.mat; its "neck" is our upper neck
ORDER = (
    "right_ankle",
    "right_knee",
    "right_hip",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_wrist",
    "right_elbow",
    "right_shoulder",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "upper_neck",
    "head_top",
)


def read_lsp(path: Path, first: int = 1, last: int = 0) -> list[Sample]:
    """A folder with joints.mat and images/ -> people with at least two labelled joints.

    joints.mat holds (3, 14, N) in LSP, where every joint is labelled and the third value says "occluded", and
    (14, 3, N) in LSPET, where the third value says "labelled". Pelvis and thorax become midpoints. `first` and
    `last` (0: the end) choose image numbers, counted from 1: LSP trains on 1-1000 and tests on 1001-2000.
    """
    joints, extended = _joints(path / "joints.mat")
    last = last or len(joints)
    if not 1 <= first <= last <= len(joints):
        raise BadData(f"{path}: images {first} to {last} were asked for; there are 1 to {len(joints)}")
    name, digits = ("lspet", 5) if extended else ("lsp", 4)
    numbers = range(first, last + 1)
    check_images(path / "images", (f"im{n:0{digits}d}.jpg" for n in numbers))
    samples = []
    for number in numbers:
        row = joints[number - 1]
        points = np.zeros((NUM_KEYPOINTS, 2), np.float32)
        labelled = np.zeros(NUM_KEYPOINTS, np.bool_)
        order = [INDEX[joint] for joint in ORDER]
        points[order] = row[:, :2]
        labelled[order] = row[:, 2] > 0 if extended else True
        if labelled.sum() < 2:  # no box to crop by
            continue
        points, labelled = with_midpoints(points, labelled)
        image = path / "images" / f"im{number:0{digits}d}.jpg"
        samples.append(Sample(f"{name}/{number:0{digits}d}", image, points, labelled, person_box(points, labelled)))
    return samples


def _joints(path: Path) -> tuple[NDArray[np.float64], bool]:
    """-> (N, 14, 3) x, y, flag and whether it is LSPET."""
    joints = np.asarray(read_mat(path, "joints"))
    if joints.ndim == 2:  # a single person, squeezed
        joints = joints[..., None]
    if joints.ndim == 3 and joints.shape[:2] == (3, len(ORDER)):
        return joints.transpose(2, 1, 0).astype(np.float64), False
    if joints.ndim == 3 and joints.shape[:2] == (len(ORDER), 3):
        return joints.transpose(2, 0, 1).astype(np.float64), True
    raise BadData(f"{path}: joints have shape {joints.shape}, expected (3, 14, N) as in LSP or (14, 3, N) as in LSPET")
