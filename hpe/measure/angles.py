"""Angles of people in photos beside those of their labels: how far off they are, and whether they are told to be.

Labelled people whose box was found, and angles of which every joint is labelled and sure. Neck and head top are not
labelled in whole photos, so the neck's angle is not among them.

N angles.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.measure.found import as_found
from hpe.measure.report import Figure
from hpe.pose.angles import ANGLES, UP, angles, expected_error
from hpe.pose.boxes import box_iou
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX, JOINTS
from hpe.score.matching import pairs
from hpe.train.data.samples import Photo

# Expected errors between two of these, degrees, are looked at together.
EDGES: Final[tuple[float, ...]] = (0, 5, 10, 15, 20, 30, 90)
KINDS: Final = tuple(dict.fromkeys(name.split("_")[-1] for name in ANGLES if name != "neck"))


@dataclass
class Angles:
    """One entry per angle. told, off: degrees that it is said to be off, and that it is off.

    arms: (2, 2) px from its corner to both ends. scores: of an end, the corner and the other end. sides: the box's, px.
    """

    kinds: list[str] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    off: list[float] = field(default_factory=list)
    arms: list[NDArray[np.float64]] = field(default_factory=list)
    scores: list[list[float]] = field(default_factory=list)
    sides: list[float] = field(default_factory=list)

    def add(self, photo: Photo, poses: Sequence[Pose]) -> None:
        """One photo, and who is shown in it."""
        for pose, person in beside_labels(photo, poses):
            labels = {name: photo.joints[person, INDEX[name]] for name in JOINTS}
            known = {name: bool(place[2] > 0) for name, place in labels.items()}
            found = pose.angles()
            for name, truth in angles(labels, known, 1.0).items():
                told = found[name]
                if truth and told:
                    self.kinds.append(name.split("_")[-1])
                    self.told.append(told.error)
                    self.off.append(abs(told.degrees - truth.degrees))
                    self._evidence(pose, name)

    def _evidence(self, pose: Pose, name: str) -> None:
        a, at, b = ANGLES[name]
        corner = np.array(pose[at][:2])
        up = b == UP
        self.arms.append(np.array([pose[a][:2] - corner, (0.0, -1.0) if up else pose[b][:2] - corner]))
        self.scores.append([pose[a].score, pose[at].score, 1.0 if up else pose[b].score])
        self.sides.append(float((pose.box[2:] - pose.box[:2]).max()))

    def figures(self) -> dict[str, Figure]:
        """How far off each kind of angle is on average, and those that are told to be off by so much."""
        kinds, told, off = np.array(self.kinds), np.array(self.told), np.array(self.off)
        found = {}
        for kind in KINDS:
            found[f"angle_{kind}"] = _mean(f"off on average, of {{of}} angles: {kind}", off[kinds == kind])
        for low, high in itertools.pairwise(EDGES):
            among = (told >= low) & (told < high)
            said = f"{told[among].mean():.1f}" if among.any() else "-"
            text = f"off on average, of {{of}} angles told to be off by {low:g} to {high:g} degrees ({said} on average)"
            found[f"angles_told_{low:g}_to_{high:g}"] = _mean(text, off[among])
        return found

    def fit(self) -> tuple[float, float]:
        """-> AT_HALF and SLOPE of `hpe.pose.angles` that are nearest to how far off these angles are."""
        arms, scores, off = np.array(self.arms), np.array(self.scores), np.array(self.off)
        trunk = np.array(self.kinds) == "trunk"

        def wrong(at_half: float, slope: float) -> float:
            total = 0.0
            for rows, up in ((trunk, True), (~trunk, False)):
                sides, second = np.array(self.sides)[rows], None if up else arms[rows, 1]
                told = expected_error(arms[rows, 0], second, scores[rows], sides, at_half, slope)
                total += float(((told - off[rows]) ** 2).sum())
            return total

        grid = itertools.product(np.arange(-5, -1.5, 0.1), np.arange(-1, 0.01, 0.04))
        best = min(grid, key=lambda pair: wrong(*pair))
        return round(float(best[0]), 2), round(float(best[1]), 2)


def _mean(text: str, errors: NDArray[np.float64]) -> Figure:
    return Figure(text, float(errors.mean()) if len(errors) else float("nan"), len(errors), "\N{DEGREE SIGN}")


def beside_labels(photo: Photo, poses: Sequence[Pose]) -> Iterator[tuple[Pose, int]]:
    """-> each labelled person's pose and number, of those whose box was found and who are not to be ignored."""
    for person, number in pairs(box_iou(as_found(poses).boxes, photo.boxes)).items():
        if not photo.ignore[person]:
            yield poses[number], person
