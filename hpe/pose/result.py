"""Pose: what is found of one person, and its dict form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpe.pose.skeleton import COCO_JOINTS, INDEX, JOINTS


@dataclass(frozen=True, eq=False)
class Pose:
    """One person. Poses with the same values are equal.

    points: (16, 2) float32 x, y in image px, MPII order. scores: (16,) float32 in 0..1, how likely each joint is where
    it was found; 0 outside the picture. box: (4,) float32 x0, y0, x1, y1, image px: the person's as it was located, or
    given by the caller; round the confident joints if the model has no locator. score: 0..1, how likely a person is
    there. threshold: joints scoring below it are unsure, and are not drawn. The arrays are copies, and cannot be
    written to: another person is another Pose.
    """

    points: NDArray[np.float32]
    scores: NDArray[np.float32]
    box: NDArray[np.float32]
    score: float
    threshold: float

    def __post_init__(self) -> None:
        for name in ("points", "scores", "box"):
            array = np.array(getattr(self, name), dtype=np.float32)
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __reduce__(self) -> "tuple[type[Pose], tuple[object, ...]]":
        # copies and what comes from another process cannot be written to either
        return Pose, (self.points, self.scores, self.box, self.score, self.threshold)

    @property
    def confident(self) -> NDArray[np.bool_]:
        """(16,) bool: which joints are sure enough to be drawn; one outside the picture never is."""
        return np.asarray((self.scores >= self.threshold) & (self.scores > 0))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pose) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def _values(self) -> tuple[object, ...]:
        arrays = (self.points, self.scores, self.box)
        return (*(array.tobytes() for array in arrays), self.score, self.threshold)

    def scaled(self, factor_x: float, factor_y: float) -> "Pose":
        """The same person in a picture that is `factor` times as large; pixel centres at integers."""
        factor = np.array([factor_x, factor_y], dtype=np.float32)
        points = (self.points + 0.5) * factor - 0.5
        box = (self.box.reshape(2, 2) + 0.5) * factor - 0.5
        return Pose(
            points.astype(np.float32), self.scores, box.reshape(4).astype(np.float32), self.score, self.threshold
        )

    def to_dict(self) -> dict[str, Any]:
        """{"score", "box": [x0, y0, x1, y1], "keypoints": [{"name", "x", "y", "score", "confident"}]}, plain numbers.

        The shape that TensorFlow.js pose-detection made common; px to two decimals, scores to four.
        """
        return {
            "score": round(float(self.score), 4),
            "box": [round(float(v), 2) for v in self.box],
            "keypoints": [
                {
                    "name": name,
                    "x": round(float(x), 2),
                    "y": round(float(y), 2),
                    "score": round(float(score), 4),
                    "confident": bool(confident),
                }
                for name, (x, y), score, confident in zip(JOINTS, self.points, self.scores, self.confident, strict=True)
            ],
        }

    def to_coco(self) -> dict[str, Any]:
        """{"keypoints": 17 times x, y, score, "bbox": [x, y, width, height]} in COCO's order, plain numbers.

        The five keypoints of the face, which are not estimated, are 0, 0, 0.
        """
        keypoints: list[float] = []
        for name in COCO_JOINTS:
            x, y, score = (
                (*self.points[INDEX[name]], self.scores[INDEX[name]]) if INDEX[name] < len(self.points) else (0, 0, 0)
            )
            keypoints += [round(float(x), 2), round(float(y), 2), round(float(score), 4)]
        x0, y0, x1, y1 = (float(v) for v in self.box)
        return {"keypoints": keypoints, "bbox": [round(v, 2) for v in (x0, y0, x1 - x0, y1 - y0)]}
