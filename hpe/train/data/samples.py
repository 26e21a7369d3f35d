"""What readers yield: samples of one person, and whole photos."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpe.pose.skeleton import FACE, INDEX, NUM_JOINTS, NUM_KEYPOINTS
from hpe.train.data.files import decode_rgb

MIDPOINTS = {"pelvis": ("right_hip", "left_hip"), "thorax": ("right_shoulder", "left_shoulder")}


@dataclass(frozen=True)
class Sample:
    """One person in one picture, or a picture without people (`box` is then the whole picture).

    encoded: the image file's bytes, or its path where the data set is too large for memory. points: (21, 2) float32 px
    of that image; labelled: (21,) bool; box: (4,) float32 x0, y0, x1, y1 px, the person's box as the data set defines
    it, or `person_box` of the labelled joints. whole_box: the box is known to hold the whole visible person, so that no
    joint lies outside it. squashed: the picture was once resized to a square. absent: (21,) bool, keypoints that are
    known not to be seen. lookalike: `box` is a false detection of a locator. head_px: the data set's own PCKh reference
    length in px, or nan. upright: points are px of the picture turned as its EXIF orientation says.
    """

    id: str
    encoded: bytes | Path
    points: NDArray[np.float32]
    labelled: NDArray[np.bool_]
    box: NDArray[np.float32]
    empty: bool = False
    head_px: float = float("nan")
    whole_box: bool = False
    squashed: bool = False
    absent: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(NUM_KEYPOINTS, np.bool_))
    lookalike: bool = False
    upright: bool = False

    def image(self) -> NDArray[np.uint8]:
        """-> (H, W, 3) uint8 RGB."""
        return decode_rgb(self.encoded, self.id, self.upright)


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


def tight_box(points: NDArray[np.floating], labelled: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(21, 2), (21,) -> (4,) box of the labelled joints."""
    chosen = points[labelled]
    return np.concatenate([chosen.min(axis=0), chosen.max(axis=0)]).astype(np.float32)


def person_box(points: NDArray[np.floating], labelled: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(21, 2), (21,) -> (4,) about the box of the whole person: the joints' tight box and the flesh round it.

    On 3,296 people of `people.json` with all limb joints the hands and feet reach 0.06 to 0.11 of the tight box's
    longer side beyond it (medians of the sides).
    """
    box = tight_box(points, labelled)
    grow = 0.08 * float(max(box[2:] - box[:2]))
    return box + np.array([-grow, -grow, grow, grow], np.float32)


def with_midpoints(
    points: NDArray[np.floating], labelled: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(21, 2), (21,) -> the same with pelvis and thorax midway between the hips and the shoulders.

    For data sets that label neither. A midpoint is labelled where both its ends are.
    """
    points, labelled = points.astype(np.float32), labelled.copy()
    for name, ends in MIDPOINTS.items():
        pair = [INDEX[end] for end in ends]
        points[INDEX[name]] = points[pair].mean(axis=0)
        labelled[INDEX[name]] = labelled[pair].all()
    return points, labelled


def with_face(joints: NDArray[np.floating], face: NDArray[np.floating] | None = None) -> NDArray[np.float32]:
    """(..., 16, C) joints, (..., 5, C) of the face if it is known -> (..., 21, C) float32, zero where unknown."""
    if face is None:
        face = np.zeros((*joints.shape[:-2], len(FACE), joints.shape[-1]))
    return np.concatenate([joints, face], axis=-2).astype(np.float32)


def empty_sample(name: str, encoded: bytes | Path) -> Sample:
    """A picture with nobody in it: every joint has weight and an empty target."""
    height, width = decode_rgb(encoded, name).shape[:2]
    return Sample(
        id=name,
        encoded=encoded,
        points=np.zeros((NUM_KEYPOINTS, 2), np.float32),
        labelled=np.ones(NUM_KEYPOINTS, np.bool_),
        box=np.array([0, 0, width, height], np.float32),
        empty=True,
    )
