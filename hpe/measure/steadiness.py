"""The same photo saved, shifted and scaled otherwise: who comes or goes, and how far joints move."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.engine.estimator import PoseEstimator
from hpe.measure.report import Figure, percent
from hpe.pose.boxes import box_iou
from hpe.pose.crops import undo_affine
from hpe.pose.result import Pose
from hpe.score.matching import pairs
from hpe.train.data.files import decode_rgb
from hpe.train.data.samples import Photo

# People of this score or more are counted on their own as well.
STEADY_SCORE: Final[float] = 0.9


def variants(rgb: NDArray[np.uint8], photo: str) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.float64]]]:
    """The photo saved, shifted and scaled otherwise -> by name the picture and its (2, 3) map from the photo's px."""
    same = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    made = {}
    for quality in (95, 88, 70):
        data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        made[f"JPEG {quality}"] = decode_rgb(data, photo), same
    moved = np.ascontiguousarray(np.pad(rgb, ((0, 0), (1, 0), (0, 0)), mode="edge")[:, :-1])
    made["shifted by 1 px"] = moved, np.array([[1.0, 0, 1.0], [0, 1.0, 0]])
    height, width = rgb.shape[:2]
    w, h = max(1, round(width * 0.97)), max(1, round(height * 0.97))
    small = cv2.resize(rgb, (w, h), interpolation=cv2.INTER_AREA)
    x, y = w / width, h / height
    made["scaled by 0.97"] = np.asarray(small, np.uint8), np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5]])
    return made


@dataclass
class Steadiness:
    """What changed, over all photos. moves: of confident joints, in percent of the person."""

    come_or_go: int = 0
    people: int = 0
    gone: list[bool] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)

    def add(self, estimator: PoseEstimator, photo: Photo, rgb: NDArray[np.uint8], before: Sequence[Pose]) -> None:
        """One photo. before: who is shown in it as it is."""
        old = np.stack([p.box for p in before]) if before else np.zeros((0, 4))
        for picture, affine in variants(rgb, photo.id).values():
            after = estimator(picture)
            self.people += max(len(before), len(after))
            back = [undo_affine(p.points, affine) for p in after]
            corners = [undo_affine(p.box.reshape(2, 2), affine) for p in after]
            new = np.stack(corners).reshape(-1, 4) if after else np.zeros((0, 4))
            same = pairs(box_iou(new, old))
            self.come_or_go += len(before) + len(after) - 2 * len(same)
            self.gone += [p not in same for p, pose in enumerate(before) if pose.score >= STEADY_SCORE]
            for p, k in same.items():
                both = before[p].confident & after[k].confident
                side = float(max(before[p].box[2:] - before[p].box[:2]))
                self.moves += (100 * np.linalg.norm(back[k][both] - before[p].points[both], axis=1) / side).tolist()

    def figures(self) -> dict[str, Figure]:
        share = 100 * self.come_or_go / max(1, self.people)
        return {
            "come_or_go": Figure(
                "of {of} people come or go when a photo is saved, shifted or scaled", share, self.people
            ),
            "sure_ones_gone": percent(f"of {{of}} people with a score from {STEADY_SCORE:g} are gone then", self.gone),
            "joint_moves_median": self._moves(0.5, "median"),
            "joint_moves_p95": self._moves(0.95, "p95"),
        }

    def _moves(self, quantile: float, name: str) -> Figure:
        value = float(np.quantile(self.moves, quantile)) if self.moves else float("nan")
        return Figure(f"of the person: how far a joint moves then, {name}", value, len(self.moves))
