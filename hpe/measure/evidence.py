"""What a model finds in training photos, however unsure, beside their labels: calibrations are fitted on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import Calibration, PersonCalibration
from hpe.engine.estimator import PoseEstimator
from hpe.engine.scores import joint_scores, person_evidence, sizes_in
from hpe.errors import BadSettings
from hpe.measure.found import LEAST_SCORE, Found, find_all
from hpe.measure.shown import scored_joints
from hpe.measure.worth import quality, who_is_there
from hpe.pose.boxes import box_iou
from hpe.pose.skeleton import INDEX
from hpe.score.matching import SAME, pairs
from hpe.train.data.samples import Photo

Scores = NDArray[np.floating]
LEAST_PX: Final[float] = 48  # people smaller than this say little about joints
EDGE_PX: Final[float] = 3


@dataclass(frozen=True)
class Looks:
    """(K,) the locator's scores, (K, J) the heatmaps' peaks, and (K,) sizes (`sizes_in`) of who is found."""

    located: Scores
    peaks: Scores
    sizes: Scores

    @classmethod
    def of(cls, one: Found, rgb: NDArray[np.uint8], counted: NDArray[np.bool_]) -> "Looks":
        return cls(one.scores[counted], one.joint_scores[counted], sizes_in(one.boxes[counted], rgb.shape))

    @classmethod
    def together(cls, several: Sequence["Looks"]) -> "Looks":
        parts = zip(*((one.located, one.peaks, one.sizes) for one in several), strict=True)
        return cls(*(np.concatenate(part) for part in parts))

    def evidence(self, joint: Calibration) -> NDArray[np.float64]:
        """-> (K, 7), as of `person_evidence`."""
        return person_evidence(self.located, scores_of(self.peaks, joint), self.sizes)


@dataclass(frozen=True)
class Evidence:
    """Everybody found in training photos, however unsure, with the locator's own score as the person's.

    right, joints: (M,) whether each joint is in its place, and its peak. people: (K,) whether a person is there. worth:
    (K,) how right the skeleton is (`quality`), nan if nobody knows. seen: their locator's scores, peaks and sizes.
    empty, full: the same for each photo without people and with some.
    """

    right: NDArray[np.bool_]
    joints: Scores
    people: NDArray[np.bool_]
    worth: NDArray[np.float64]
    seen: Looks
    empty: list[Looks]
    full: list[Looks]


def gather(estimator: PoseEstimator, photos: list[Photo], negatives: Sequence[NDArray[np.uint8]]) -> Evidence:
    """Runs the model, without thresholds or calibration, over training photos."""
    locate = estimator.card.locate
    if locate is None:
        raise BadSettings(f"{estimator.card.name} has no locator: its one person needs no calibration")
    # locator * 1 + joints * 0: the person's score is then the locator's
    raw = PoseEstimator(
        estimator.networks.with_card(
            calibration=None,
            person=PersonCalibration(1.0, 0.0, 0.0),
            person_threshold=0.0,
            photo_threshold=0.0,
            locate=replace(locate, threshold=LEAST_SCORE, photo_threshold=0.0),
        )
    )
    images = [photo.image() for photo in photos]
    found = find_all(raw, images, "training photos")
    joints, right = scored_joints(found, photos, LEAST_PX)
    absent: list[float] = []
    people: list[NDArray[np.bool_]] = []
    worth: list[NDArray[np.float64]] = []
    empty: list[Looks] = []
    full: list[Looks] = []
    every: list[Looks] = []
    for one, photo, image in zip(found, photos, images, strict=True):
        there, counted = who_is_there(one, photo)
        right_by, known = quality(one, photo)
        people.append(there[counted])
        worth.append(np.where(known, right_by, np.nan)[counted])
        every.append(Looks.of(one, image, counted))
        for p, k in pairs(box_iou(one.boxes, photo.boxes), SAME).items():
            side = float(max(photo.boxes[p, 2:] - photo.boxes[p, :2]))
            if not photo.ignore[p] and side >= LEAST_PX and photo.joints[p, :, 2].sum() >= 3:
                absent += [float(one.joint_scores[k, j]) for j in cut_off(photo, p, image.shape[0])]
        (empty if photo.ignore.all() else full).append(every[-1])
    for one, image in zip(find_all(raw, negatives, "photos without people"), negatives, strict=True):
        people.append(np.zeros(len(one.scores), np.bool_))
        worth.append(np.zeros(len(one.scores)))
        every.append(Looks.of(one, image, np.ones(len(one.scores), np.bool_)))
        empty.append(every[-1])
    return Evidence(
        np.concatenate([right, np.zeros(len(absent), np.bool_)]),
        np.concatenate([joints, absent]),
        np.concatenate(people),
        np.concatenate(worth),
        Looks.together(every),
        empty,
        full,
    )


def cut_off(photo: Photo, person: int, height: int) -> list[int]:
    """Legs' joints below the photo's lower edge: the box ends there, and neither they nor those after are labelled."""
    if photo.boxes[person, 3] < height - EDGE_PX:
        return []
    known = photo.joints[person, :, 2] > 0
    joints = []
    for side in ("left", "right"):
        knee, ankle = INDEX[f"{side}_knee"], INDEX[f"{side}_ankle"]
        joints += [ankle] if known[knee] and not known[ankle] else []
        joints += [knee, ankle] if not known[knee] and not known[ankle] else []
    return joints


def scores_of(peaks: Scores, joint: Calibration) -> NDArray[np.float64]:
    """(K, J) peaks -> scores; a peak of 0 is outside the picture."""
    return np.where(peaks > 0, joint_scores(np.asarray(peaks, np.float32), joint), 0).astype(np.float64)
