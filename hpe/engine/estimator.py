"""A picture -> the people in it: a locator finds their boxes, the pose network the joints in the crop round each.

Top-down, as Xiao et al. (ECCV 2018) have it. N crops, K people.
"""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.bundle import Bundle, open_bundle
from hpe.engine.inputs import checked_boxes, checked_max_people, checked_threshold
from hpe.engine.locator import Locator
from hpe.engine.manifest import ModelCard
from hpe.engine.scores import joint_scores, person_score, person_scores
from hpe.engine.session import OnnxSession, Session, runtime
from hpe.errors import BadModel
from hpe.image.decode import as_rgb
from hpe.pose.boxes import Boxes, one_each
from hpe.pose.crops import MARGIN, crop_affine, undo_affine, warp, whole_image_box
from hpe.pose.heatmaps import decode_joints, flip_heatmaps
from hpe.pose.result import Pose
from hpe.pose.skeleton import FLIP_ORDER, NUM_JOINTS
from hpe.settings import MAX_PEOPLE, Settings

if TYPE_CHECKING:
    from hpe.engine.inputs import BoxesLike
    from hpe.image.decode import ImageLike

# Crops a run of the pose network. On one thread it makes no difference; on two, four crops take 0.8 to 0.9 of the time
# of four runs, since threads wait for each other at every layer, and twenty at once would only take more memory.
BATCH: Final[int] = 4
# Of a locator: centres, widths, heights.
LOCATOR_MAPS: Final[int] = 3


class PoseEstimator:
    """Finds the people in a picture. Build one and keep it: the model is loaded once.

    model: None for the default in `models/`, a path or s3://bucket/key of a manifest (.json) with its networks beside
    it, or an opened Bundle. threads: per inference, 0 for all usable cores. threshold: joint score below which a joint
    is unsure, None for the model's own. flip: also process the mirrored crops and average, slower and a little better.
    max_people: at most so many are looked for, 1 to 20. Raises ModelUnavailable or BadModel if the model cannot be had,
    BadSettings for a threshold that is not from 0 to 1 or another number of people.
    """

    def __init__(
        self,
        model: str | PathLike[str] | Bundle | None = None,
        *,
        threads: int = 0,
        threshold: float | None = None,
        flip: bool = False,
        max_people: int = MAX_PEOPLE,
        cache_dir: str | PathLike[str] | None = None,
    ) -> None:
        Thread(target=runtime, daemon=True).start()  # the files are hashed beside this import
        bundle = model if isinstance(model, Bundle) else open_bundle(str(model or ""), cache_dir or Settings.cache_dir)
        locator, session = _load(bundle, threads)
        self._assemble(locator, session, bundle.card, threshold, flip, max_people)

    @classmethod
    def of(
        cls,
        locator: Session | None,
        session: Session,
        card: ModelCard,
        *,
        threshold: float | None = None,
        flip: bool = False,
        max_people: int = MAX_PEOPLE,
    ) -> "PoseEstimator":
        """An estimator of networks that are there already; locator is None if the card has none."""
        made = cls.__new__(cls)
        made._assemble(locator, session, card, threshold, flip, max_people)
        return made

    def with_card(self, **changes: Any) -> "PoseEstimator":
        """The same networks with other values on their card, as for choosing thresholds."""
        locator = None if self._locator is None else self._locator.session
        card = dataclasses.replace(self.card, **changes)
        return self.of(locator, self._session, card, flip=self.flip, max_people=self.max_people)

    def _assemble(
        self,
        locator: Session | None,
        session: Session,
        card: ModelCard,
        threshold: float | None,
        flip: bool,
        max_people: int,
    ) -> None:
        if (locator is None) != (card.locate is None):
            raise BadModel(f"{card.name}: a locator comes with a card that describes it, and the other way round")
        self.card, self._session = card, session
        self._locator = None if locator is None or card.locate is None else Locator(locator, card.locate)
        self.threshold = card.threshold if threshold is None else checked_threshold(threshold)
        self.flip = flip
        self.max_people = checked_max_people(max_people)

    def __call__(
        self,
        image: "ImageLike",
        *,
        max_people: int | None = None,
        boxes: "BoxesLike | None" = None,
        flip: bool | None = None,
        threshold: float | None = None,
    ) -> list[Pose]:
        """(H, W, 3) uint8 RGB array, path, image file bytes or Pillow image -> the people found, best first.

        An empty list means that nobody is there. Points and boxes are px of the image. boxes: (K, 4) x0, y0, x1, y1 of
        people that are known to be there, px: the locator does not run then, and the list has one pose for each box, in
        their order. Raises HpeError's kinds: UnsupportedImage and others for the image, BadRequest for boxes,
        BadSettings for the other options.
        """
        limit = self.threshold if threshold is None else checked_threshold(threshold)
        most = self.max_people if max_people is None else checked_max_people(max_people)
        mirrored = self.flip if flip is None else flip
        rgb = as_rgb(image)
        if boxes is not None:
            given = checked_boxes(boxes, rgb.shape[0], rgb.shape[1])
            points, scores = self.joints(rgb, given, mirrored)
            return [
                make_pose(points[k], scores[k], person_score(None, scores[k]), limit, given[k])
                for k in range(len(given))
            ]
        if self._locator is None:
            return self._only_one(rgb, mirrored, limit)
        found, located = self._locator.find(rgb, most)
        points, scores = self.joints(rgb, found, mirrored)
        people = person_scores(located, scores, self.card.person)
        # hysteresis: low scores are credible beside a high one, but not on their own
        if people.max(initial=0) < self.card.photo_threshold:
            return []
        kept = np.flatnonzero(people >= self.card.person_threshold)
        # the card's threshold, so that who is found does not depend on what is drawn
        known = scores[kept] >= self.card.threshold
        kept = kept[one_each(points[kept], known, found[kept], people[kept])]
        return [make_pose(points[k], scores[k], float(people[k]), limit, found[k]) for k in kept]

    def locate(self, image: "ImageLike", max_people: int | None = None) -> tuple[Boxes, NDArray[np.float64]]:
        """The first half alone: -> (K, 4) float64 boxes in px of the image, (K,) locator scores, best first.

        A model without a locator has one box, of the whole picture, with a score of 1.
        """
        most = self.max_people if max_people is None else checked_max_people(max_people)
        rgb = as_rgb(image)
        if self._locator is None:
            return whole_image_box(rgb.shape[1], rgb.shape[0])[None], np.ones(1)
        return self._locator.find(rgb, most)

    def joints(
        self, rgb: NDArray[np.uint8], boxes: NDArray[np.floating], flip: bool = False, margin: float = MARGIN
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """The second half alone: (H, W, 3) uint8 RGB, (K, 4) px -> (K, 16, 2) float64 px, (K, 16) float32 scores.

        Scores are in 0..1, and 0 for joints that lie outside the picture. margin: how much larger than the box the crop
        is.
        """
        points = np.zeros((len(boxes), NUM_JOINTS, 2))
        scores = np.zeros((len(boxes), NUM_JOINTS), dtype=np.float32)
        affines = [crop_affine(box, self.card.frame, margin) for box in boxes]
        for start in range(0, len(boxes), BATCH):
            batch = slice(start, start + BATCH)
            heatmaps = self._heatmaps(np.stack([warp(rgb, affine, self.card.frame) for affine in affines[batch]]), flip)
            for k, maps in enumerate(heatmaps, start):
                found, peaks = decode_joints(maps, self.card.sigma)
                points[k] = undo_affine(found, affines[k])
                scores[k] = joint_scores(peaks, self.card.calibration)
        inside = (points >= -0.5) & (points <= np.array([rgb.shape[1], rgb.shape[0]]) - 0.5)
        return points, np.where(inside.all(axis=2), scores, np.float32(0))

    def _heatmaps(self, crops: NDArray[np.uint8], flip: bool) -> NDArray[np.float32]:
        """(N, h, w, 3) -> (N, 16, h/4, w/4); with `flip` the mean of each crop and its mirror image."""
        if not flip:
            return self._session.run(crops)
        both = self._session.run(np.concatenate([crops, crops[:, :, ::-1]]))
        pairs = zip(both[: len(crops)], both[len(crops) :], strict=True)
        return np.stack([(seen + flip_heatmaps(mirror, FLIP_ORDER)) / 2 for seen, mirror in pairs])

    def _only_one(self, rgb: NDArray[np.uint8], flip: bool, threshold: float) -> list[Pose]:
        """Without a locator: one person, in the frame of the whole picture."""
        points, scores = self.joints(rgb, whole_image_box(rgb.shape[1], rgb.shape[0])[None], flip, margin=1.0)
        score = person_score(None, scores[0])
        least = max(self.card.person_threshold, self.card.photo_threshold)
        return [make_pose(points[0], scores[0], score, threshold)] if score >= least else []


def _load(bundle: Bundle, threads: int) -> tuple[Session | None, Session]:
    """Both networks at once, so that a cold start with two takes hardly longer than with one."""
    if bundle.locate is None:
        return None, OnnxSession(bundle.pose, threads, bundle.card.frame, NUM_JOINTS)
    with ThreadPoolExecutor(1) as beside:
        locator = beside.submit(OnnxSession, bundle.locate, threads, None, LOCATOR_MAPS)
        session = OnnxSession(bundle.pose, threads, bundle.card.frame, NUM_JOINTS)
        return locator.result(), session


def make_pose(
    points: NDArray[np.floating],
    scores: NDArray[np.float32],
    score: float,
    threshold: float,
    box: NDArray[np.floating] | None = None,
) -> Pose:
    """Joints and box in image px -> Pose; without a box, one round the confident joints (all if none is)."""
    if box is None:
        chosen = points[scores >= threshold] if bool((scores >= threshold).any()) else points
        box = np.concatenate([chosen.min(axis=0), chosen.max(axis=0)])
    return Pose(points.astype(np.float32), scores.astype(np.float32), box.astype(np.float32), score, threshold)
