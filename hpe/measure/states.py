"""What is said of joints beside what labels say: seen, hidden, or beyond the edge of a photo.

Labels say what could not be seen. Beyond the edge nobody labels, so each photo is also cut through a person, whose
joints on the other side of the cut are then known to be outside. Joints of arms and legs of labelled people whose box
was found.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from hpe.engine.estimator import PoseEstimator
from hpe.measure.angles import beside_labels
from hpe.measure.report import Figure, percent
from hpe.measure.shown import NEAR
from hpe.pose.result import Pose
from hpe.pose.skeleton import KEYPOINTS, LIMB_JOINTS
from hpe.pose.states import State, gaps, hidden_figures, outside_figures
from hpe.train.data.samples import Photo

# Cuts go through people at least so large, with so many labelled joints, in turn at these edges and shares of the box.
CUT_PX: Final[float] = 48
CUT_JOINTS: Final[int] = 8
CUTS: Final[tuple[tuple[str, float], ...]] = (
    *(("bottom", 0.5), ("left", 0.4), ("bottom", 0.7), ("right", 0.6), ("top", 0.2)),
    *(("bottom", 0.35), ("right", 0.4), ("bottom", 0.6), ("left", 0.6), ("top", 0.35)),
)
LIMBS: Final[list[int]] = list(LIMB_JOINTS)


@dataclass
class States:
    """One entry per labelled joint. truth: 'visible', 'hidden' or 'outside'. said: the product's. wrong: whether it is
    further from its place than a tenth of the box's longer side. settled: whether it is sure, or found beyond the edge.
    beyond, behind: the figures that tell of it.
    """

    truth: list[str] = field(default_factory=list)
    said: list[State] = field(default_factory=list)
    wrong: list[bool] = field(default_factory=list)
    settled: list[bool] = field(default_factory=list)
    beyond: list[NDArray[np.float64]] = field(default_factory=list)
    behind: list[NDArray[np.float64]] = field(default_factory=list)
    photos: int = 0

    def add(self, estimator: PoseEstimator, photo: Photo, rgb: NDArray[np.uint8], poses: Sequence[Pose]) -> None:
        """One photo and who is shown in it; then the same photo, cut."""
        for pose, person in beside_labels(photo, poses):
            self._add(pose, photo.joints[person], photo.hidden[person], photo.boxes[person])
        cut = through_somebody(photo, rgb, *CUTS[self.photos % len(CUTS)])
        self.photos += 1
        if cut is not None:
            smaller, picture = cut
            for pose, person in beside_labels(smaller, estimator(picture)):
                self._add(pose, smaller.joints[person], smaller.hidden[person], photo.boxes[person])

    def _add(
        self,
        pose: Pose,
        labels: NDArray[np.floating],
        hidden: NDArray[np.bool_],
        box: NDArray[np.floating],
    ) -> None:
        """box: the labelled one, before any cut."""
        gap = gaps(pose.points, pose.box, pose.size)
        beyond, behind = outside_figures(pose.scores, gap), hidden_figures(pose.points, pose.scores, pose.box, gap)
        for row, joint in enumerate(LIMBS):
            if not labels[joint, 2]:
                continue
            inside = ((labels[joint, :2] >= -0.5) & (labels[joint, :2] <= np.array(pose.size) - 0.5)).all()
            self.truth.append("outside" if not inside else "hidden" if hidden[joint] else "visible")
            self.said.append(pose.states[KEYPOINTS[joint]])
            apart = float(np.linalg.norm(pose.points[joint] - labels[joint, :2]))
            self.wrong.append(apart > NEAR * float((box[2:] - box[:2]).max()) or not inside)
            self.settled.append(bool(pose.confident[joint]) or pose.scores[joint] <= 0)
            self.beyond.append(beyond[joint])
            self.behind.append(behind[row])

    def figures(self) -> dict[str, Figure]:
        """Precision and recall of each state; of `unsure`, that the joint is not where it was found."""
        found = {}
        for state in get_args(State):
            said = [one == state for one in self.said]
            true = self.wrong if state == "unsure" else [one == state for one in self.truth]
            right = "is elsewhere" if state == "unsure" else f"is {state}"
            among = [good for good, one in zip(true, said, strict=True) if one]
            found[f"{state}_precision"] = percent(f"of {{of}} joints called {state}: {right}", among)
            kept = [one for good, one in zip(true, said, strict=True) if good]
            what = "that are elsewhere" if state == "unsure" else f"that are {state}"
            found[f"{state}_recall"] = percent(f"of {{of}} joints {what}: called {state}", kept)
        return found


def through_somebody(
    photo: Photo, rgb: NDArray[np.uint8], edge: str, share: float
) -> tuple[Photo, NDArray[np.uint8]] | None:
    """A photo cut at one edge, at a share of the box of its largest labelled person, who is then the only one to count.

    -> the photo with labels in px of what is left, and that picture; None if nobody is large enough, or little is left.
    """
    sides = photo.boxes[:, 2:] - photo.boxes[:, :2]
    able = ~photo.ignore & (photo.joints[:, :, 2].sum(axis=1) >= CUT_JOINTS) & (sides.max(axis=1, initial=0) >= CUT_PX)
    if not able.any() or not len(photo.hidden):
        return None
    person = int(np.argmax(sides.prod(axis=1) * able))
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = (float(v) for v in photo.boxes[person])
    across, down = round(x0 + share * (x1 - x0)), round(y0 + share * (y1 - y0))
    left, top = across if edge == "left" else 0, down if edge == "top" else 0
    right, bottom = across if edge == "right" else width, down if edge == "bottom" else height
    if right - left < CUT_PX or bottom - top < CUT_PX:
        return None
    joints = photo.joints.copy()
    joints[:, :, :2] -= (left, top)
    low, high = np.array([left, top] * 2), np.array([right - left, bottom - top] * 2) - 0.5
    boxes = np.clip(photo.boxes - low, -0.5, high).astype(np.float32)
    ignore = np.arange(len(boxes)) != person
    smaller = Photo(photo.id, b"", boxes, ignore, joints, photo.squashed, photo.face, photo.hidden)
    return smaller, np.ascontiguousarray(rgb[top:bottom, left:right])
