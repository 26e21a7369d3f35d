"""Where the product fails, by kind of person: seen from behind, lying, hidden, small, close to somebody else.

A kind is told by the labels alone. P people labelled.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.measure.found import Found
from hpe.measure.shown import LIMBS, NEAR, found_by_box, found_by_joints, is_portrait, longer_sides, near
from hpe.pose.boxes import box_iou
from hpe.pose.skeleton import FLIP_ORDER, INDEX
from hpe.train.data.samples import Photo

Vector = NDArray[np.float64]

# Of the torso's length: shoulders nearer to each other than that tell no side.
WIDE: Final[float] = 0.2
# Degrees between the torso and upright.
TILTED, LYING, UPSIDE_DOWN = 30.0, 60.0, 120.0
SMALL_PX: Final[int] = 96
# IoU of the boxes of two people who stand, dance or hug close together.
CLOSE: Final[float] = 0.3
CROWD: Final[int] = 6
# Where each limb joint's mirror joint is among the limb joints.
MIRROR: Final[list[int]] = [LIMBS.index(FLIP_ORDER[j]) for j in LIMBS]


def torso(photo: Photo, person: int) -> tuple[Vector, Vector, Vector] | None:
    """-> (2,) px each: from the hips' middle to the shoulders', from right to left shoulder, from right to left hip.

    None unless all four joints are labelled.
    """
    ends = [INDEX[name] for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]
    if not photo.joints[person, ends, 2].all():
        return None
    left, right, left_hip, right_hip = photo.joints[person, ends, :2].astype(np.float64)
    return (left + right - left_hip - right_hip) / 2, left - right, left_hip - right_hip


def side_seen(photo: Photo, person: int) -> str:
    """ "front", "behind" or "" where the labels do not tell.

    Looking along the torso from the hips up, the left shoulder of a person seen from the front is on the picture's
    right, by at least a fifth of the torso, and the left hip is not on the other side; nose labelled. From behind it is
    the other way round; neither the nose nor an eye is labelled.
    """
    axes = torso(photo, person)
    if axes is None or not len(photo.face):
        return ""
    up, shoulders, hips = axes
    length = max(float(up @ up), 1e-6)
    across, hips_across = ((up[0] * axis[1] - up[1] * axis[0]) / length for axis in (shoulders, hips))
    face = photo.face[person, :, 2] > 0
    if across >= WIDE and hips_across >= 0 and face[0]:
        return "front"
    if across <= -WIDE and hips_across <= 0 and not face[:3].any():
        return "behind"
    return ""


def tilt(photo: Photo, person: int) -> float:
    """Degrees between the torso and upright, 0 to 180; nan unless shoulders and hips are labelled."""
    axes = torso(photo, person)
    if axes is None:
        return float("nan")
    up = axes[0]
    return float(np.degrees(np.arctan2(abs(up[0]), -up[1])))


def headless(photo: Photo, person: int) -> bool:
    """No point of the face is labelled, the shoulders are, and the box ends at the upper edge of the photo."""
    if not len(photo.face) or photo.face[person, :, 2].any():
        return False
    shoulders = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
    return bool(photo.joints[person, shoulders, 2].all() and photo.boxes[person, 1] <= 2)


def half_hidden(photo: Photo, person: int) -> bool:
    """At least half of the labelled limb joints were placed but could not be seen."""
    known = photo.joints[person, LIMBS, 2] > 0
    return bool(len(photo.hidden) and 2 * (photo.hidden[person, LIMBS] & known).sum() >= known.sum())


def close(photo: Photo, person: int) -> bool:
    """Somebody else's box overlaps this one by an IoU of 0.3 or more."""
    alike = box_iou(photo.boxes[person : person + 1], photo.boxes[~photo.ignore])[0]
    return bool((alike >= CLOSE).sum() > 1)  # their own is among them


# Those of people of at least 96 px, but for the small ones.
KINDS: Final[dict[str, Callable[[Photo, int], bool]]] = {
    "all": lambda photo, p: True,
    "from the front": lambda photo, p: side_seen(photo, p) == "front",
    "from behind": lambda photo, p: side_seen(photo, p) == "behind",
    "half-length portraits": is_portrait,
    "tilted by 30 to 60 degrees": lambda photo, p: TILTED < tilt(photo, p) <= LYING,
    "lying": lambda photo, p: tilt(photo, p) > LYING,
    "upside down": lambda photo, p: tilt(photo, p) > UPSIDE_DOWN,
    "half hidden": half_hidden,
    "head outside the photo": headless,
    "close together": close,
    "in groups of six and more": lambda photo, p: int((~photo.ignore).sum()) >= CROWD,
}
SMALL_KIND: Final[str] = "smaller than 96 px"


@dataclass
class Tally:
    """found: of each person of the kind, by OKS of 0.5. The rest: of each limb joint of those who were located."""

    found: list[bool] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    confident_wrong: list[bool] = field(default_factory=list)
    swapped: list[bool] = field(default_factory=list)

    def as_row(self) -> dict[str, float]:
        """-> counts and percentages by name."""

        def share(marks: list[bool]) -> float:
            return 100 * float(np.mean(marks)) if marks else float("nan")

        return {
            "people": len(self.found),
            "found": share(self.found),
            "joints": len(self.right),
            "right": share(self.right),
            "confident_wrong": share(self.confident_wrong),
            "swapped": share(self.swapped),
        }


def by_kind(found: Sequence[Found], photos: Sequence[Photo], threshold: float) -> dict[str, dict[str, float]]:
    """What users see, by kind of person -> `Tally.as_row` by kind. threshold: joint score from which joints are drawn.

    right: within 0.1 of the box's longer side of the label. confident_wrong: drawn, and not right. swapped: not right,
    and that near to the label of the same joint of the other side.
    """
    tallies = {name: Tally() for name in (*KINDS, SMALL_KIND)}
    for one, photo in zip(found, photos, strict=True):
        by_joints, by_box, sides = found_by_joints(one, photo), found_by_box(one, photo), longer_sides(photo)
        for p in range(len(photo.boxes)):
            if photo.ignore[p] or not photo.joints[p, LIMBS, 2].any():
                continue
            kinds = [name for name, is_one in KINDS.items() if is_one(photo, p)]
            for name in kinds if sides[p] >= SMALL_PX else [SMALL_KIND]:
                tallies[name].found.append(p in by_joints)
                if p in by_box:
                    _count_joints(tallies[name], one, by_box[p], photo, p, threshold)
    return {name: tally.as_row() for name, tally in tallies.items()}


def _count_joints(tally: Tally, one: Found, k: int, photo: Photo, p: int, threshold: float) -> None:
    labels = photo.joints[p, LIMBS]
    known = labels[:, 2] > 0
    right = near(one.points[k], photo, p)
    other = labels[MIRROR]
    apart = np.linalg.norm(one.points[k][LIMBS] - other[:, :2], axis=1)
    swapped = ~right & (other[:, 2] > 0) & (apart <= NEAR * longer_sides(photo)[p])
    drawn = one.joint_scores[k][LIMBS] >= threshold
    tally.right += right[known].tolist()
    tally.confident_wrong += (drawn & ~right)[known].tolist()
    tally.swapped += swapped[known].tolist()
