"""Everybody in photos, as the product finds them, as arrays to measure. K people, J joints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.engine.scores import person_score, sizes_in
from hpe.pose.result import Pose
from hpe.pose.skeleton import COCO_JOINTS, INDEX, NUM_JOINTS
from hpe.train.data.samples import Photo, with_face

# For precision and recall, boxes and people down to this score count.
LEAST_SCORE: Final[float] = 0.05


@dataclass(frozen=True)
class Found:
    """The people found in one photo, best first.

    boxes: (K, 4) px. scores: (K,) person scores. points: (K, J, 2) px. joint_scores: (K, J).
    """

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    points: NDArray[np.float64]
    joint_scores: NDArray[np.float64]


@dataclass
class Seen:
    """One entry per photo. ranked: everybody, however unsure. shown: whom users see. boxed: the joints in the labelled
    boxes of the people who have labelled joints, and `who` they are; without a locator that is all there is.
    """

    photos: list[Photo]
    ranked: list[Found] = field(default_factory=list)
    shown: list[Found] = field(default_factory=list)
    boxed: list[Found] = field(default_factory=list)
    who: list[NDArray[np.intp]] = field(default_factory=list)


def unsure(estimator: PoseEstimator) -> PoseEstimator:
    """The same networks, without thresholds on people."""
    locate = estimator.card.locate
    changed = locate and replace(locate, threshold=min(LEAST_SCORE, locate.threshold), photo_threshold=0.0)
    networks = estimator.networks.with_card(person_threshold=0.0, photo_threshold=0.0, locate=changed)
    return PoseEstimator(networks, flip=estimator.flip, max_people=estimator.max_people)


def find_all(estimator: PoseEstimator, images: Sequence[NDArray[np.uint8]], what: str = "photos") -> list[Found]:
    """(H, W, 3) uint8 RGB each -> who is found."""
    bar = tqdm(images, desc=what, unit="photo", leave=False, disable=None)
    return [as_found(estimator(image), len(estimator.card.keypoints)) for image in bar]


def as_found(poses: Sequence[Pose], keypoints: int = NUM_JOINTS) -> Found:
    """keypoints: how many the model has, for a photo in which nobody is found."""
    if not poses:
        return Found(np.zeros((0, 4)), np.zeros(0), np.zeros((0, keypoints, 2)), np.zeros((0, keypoints)))
    return Found(
        np.stack([p.box for p in poses]).astype(np.float64),
        np.array([p.score for p in poses], np.float64),
        np.stack([p.points for p in poses]).astype(np.float64),
        np.stack([p.scores for p in poses]).astype(np.float64),
    )


def look(estimator: PoseEstimator, seen: Seen) -> Iterator[tuple[Photo, NDArray[np.uint8], list[Pose]]]:
    """Fills `seen`, a photo at a time: each is decoded once -> the photo, its (H, W, 3) uint8 RGB, and who is shown."""
    every = unsure(estimator)
    for photo in tqdm(seen.photos, desc="photos", unit="photo", leave=False, disable=None):
        rgb = photo.image()
        poses: list[Pose] = []
        if estimator.card.locate is not None:
            poses = estimator(rgb)
            seen.shown.append(as_found(poses))
            seen.ranked.append(as_found(every(rgb)))
        # as COCO does: people without joints do not count
        who = np.flatnonzero(~photo.ignore & (coco_labels(photo)[:, :, 2] > 0).any(axis=1))
        seen.who.append(who)
        seen.boxed.append(_in_boxes(estimator, rgb, photo.boxes[who].astype(np.float64)))
        yield photo, rgb, poses


def _in_boxes(estimator: PoseEstimator, rgb: NDArray[np.uint8], boxes: NDArray[np.float64]) -> Found:
    """The joints in boxes that are known, ranked as the product ranks them."""
    if not len(boxes):
        return as_found([])
    points, scores = estimator.pose_network(rgb, boxes, estimator.flip or None)
    sizes = sizes_in(boxes, rgb.shape)
    worth = [person_score(None, scores[k], estimator.card.person, sizes[k]) for k in range(len(boxes))]
    return Found(boxes, np.array(worth), points.astype(np.float64), scores.astype(np.float64))


def coco_labels(photo: Photo) -> NDArray[np.float32]:
    """-> (P, 17, 3) float32 x, y px and 1 where labelled, in COCO's order."""
    joints = with_face(photo.joints, photo.face if len(photo.face) else None)
    return joints[:, [INDEX[name] for name in COCO_JOINTS]]
