"""Pose: what is found of one person, by name and in the layouts that others use."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpe.errors import UnknownJoint
from hpe.pose.angles import Angle, angles
from hpe.pose.skeleton import COCO_JOINTS, JOINTS, KEYPOINTS
from hpe.pose.states import State, states

Floats = NDArray[np.float32]


class Joint(NamedTuple):
    """Where a joint is, px of the image, and how likely it is there, 0..1."""

    x: float
    y: float
    score: float


@dataclass(frozen=True, eq=False, repr=False)
class Pose:
    """One person. Poses with the same values are equal.

    J joints, as many as the model has: MPII's 16, then those of the face (`hpe.KEYPOINTS`). points: (J, 2) float32
    x, y in image px. scores: (J,) float32 in 0..1, how likely each joint is where it was found; 0 outside the picture.
    box: (4,) float32 x0, y0, x1, y1, image px: the person's as it was located, or given by the caller; round the
    confident joints if the model has no locator. score: 0..1, how likely a person is there. threshold: joints scoring
    below it are unsure, and are not drawn. size: (width, height) of the image in px, None if it is not known.
    The arrays are copies, and cannot be written to: another person is another Pose.
    """

    points: Floats
    scores: Floats
    box: Floats
    score: float
    threshold: float
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name in ("points", "scores", "box"):
            array = np.array(getattr(self, name), dtype=np.float32)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __reduce__(self) -> "tuple[type[Pose], tuple[object, ...]]":
        # copies and what comes from another process cannot be written to either
        return Pose, (self.points, self.scores, self.box, self.score, self.threshold, self.size)

    @property
    def names(self) -> tuple[str, ...]:
        """The J joints' names, in the order of the points."""
        return KEYPOINTS[: len(self.points)]

    @property
    def confident(self) -> NDArray[np.bool_]:
        """(J,) bool: which joints are sure enough to be drawn; one outside the picture never is."""
        return np.asarray((self.scores >= self.threshold) & (self.scores > 0))

    def __getitem__(self, name: str) -> Joint:
        """A joint by its name: nan, nan, 0 if the model does not estimate it. Raises UnknownJoint (a KeyError)."""
        if name not in KEYPOINTS:
            raise UnknownJoint(f"there is no joint {name!r}: the joints are {', '.join(KEYPOINTS)}", limit=KEYPOINTS)
        x, y, score = self._rows((name,))[0].tolist()
        return Joint(x, y, score)

    def coco(self) -> Floats:
        """(17, 3) float32 x, y, score in COCO's order; nan, nan, 0 for what the model does not estimate."""
        return self._rows(COCO_JOINTS)

    def mpii(self) -> Floats:
        """(16, 3) float32 x, y, score in MPII's order."""
        return self._rows(JOINTS)

    def _rows(self, names: tuple[str, ...]) -> Floats:
        missing = np.array([np.nan, np.nan, 0], np.float32)
        found = np.concatenate([self.points, self.scores[:, None]], axis=1).astype(np.float32)
        at = [KEYPOINTS.index(name) for name in names]
        return np.stack([found[index] if index < len(found) else missing for index in at])

    def angles(self) -> dict[str, Angle | None]:
        """Of elbows, shoulders, hips, knees, trunk and neck, degrees and expected error; None with an unsure joint."""
        joints = dict(zip(self.names, np.concatenate([self.points, self.scores[:, None]], axis=1), strict=True))
        x0, y0, x1, y1 = self.box.tolist()
        known = {name: bool(sure) for name, sure in zip(self.names, self.confident, strict=True)}
        return angles(joints, known, max(x1 - x0, y1 - y0))

    @property
    def states(self) -> dict[str, State]:
        """Of each joint: 'visible', 'hidden' (behind something), 'outside' (beyond the image's edge) or 'unsure'."""
        found = states(self.points, self.scores, self.confident, self.box, self.size)
        return dict(zip(self.names, found, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pose) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def _values(self) -> tuple[object, ...]:
        arrays = (self.points, self.scores, self.box)
        return (*(array.tobytes() for array in arrays), self.score, self.threshold, self.size)

    def __repr__(self) -> str:
        x0, y0, x1, y1 = (round(float(v)) for v in self.box)
        sure = f"{int(self.confident.sum())} of {len(self.points)} joints sure"
        return f"Pose(score {self.score:.2f}, {sure}, box {x0},{y0},{x1},{y1})"

    def _repr_html_(self) -> str:
        """A drawing, in notebooks."""
        from hpe.pose.svg import picture

        return picture([self])

    def scaled(self, factor_x: float, factor_y: float) -> "Pose":
        """The same person in a picture that is `factor` times as large; pixel centres at integers."""
        factor = np.array([factor_x, factor_y], dtype=np.float32)
        points = (self.points + 0.5) * factor - 0.5
        box = (self.box.reshape(2, 2) + 0.5) * factor - 0.5
        size = self.size and (round(self.size[0] * factor_x), round(self.size[1] * factor_y))
        return Pose(
            points.astype(np.float32), self.scores, box.reshape(4).astype(np.float32), self.score, self.threshold, size
        )

    def to_dict(self, *, angles: bool = False) -> dict[str, Any]:
        """{"score", "box": [x0, y0, x1, y1], "keypoints": [{"name", "x", "y", "score", "confident", "state"}]}.

        Plain numbers, in the shape that TensorFlow.js pose-detection made common; px to two decimals, scores to four.
        With `angles` also {"angles": {name: {"degrees", "error"} or None}}, to a tenth of a degree.
        """
        found = {
            "score": round(float(self.score), 4),
            "box": [round(float(v), 2) for v in self.box],
            "keypoints": [
                {
                    "name": name,
                    "x": round(float(x), 2),
                    "y": round(float(y), 2),
                    "score": round(float(score), 4),
                    "confident": bool(confident),
                    "state": state,
                }
                for (name, state), (x, y), score, confident in zip(
                    self.states.items(), self.points, self.scores, self.confident, strict=True
                )
            ],
        }
        if angles:
            found["angles"] = {
                name: angle and {"degrees": round(angle.degrees, 1), "error": round(angle.error, 1)}
                for name, angle in self.angles().items()
            }
        return found

    def to_coco(self) -> dict[str, Any]:
        """{"keypoints": 17 times x, y, score, "bbox": [x, y, width, height]} in COCO's order, plain numbers.

        A keypoint that the model does not estimate is 0, 0, 0.
        """
        rows = np.nan_to_num(self.coco(), nan=0.0)
        keypoints = [round(float(value), 2 + 2 * (i == 2)) for row in rows for i, value in enumerate(row)]
        x0, y0, x1, y1 = (float(v) for v in self.box)
        return {"keypoints": keypoints, "bbox": [round(v, 2) for v in (x0, y0, x1 - x0, y1 - y0)]}
