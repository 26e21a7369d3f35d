"""A picture -> the people in it: a detector finds their boxes, a pose network the keypoints in the crop round each.

Top-down, as Xiao et al. (ECCV 2018) have it. K people.
"""

from collections.abc import Sequence
from os import PathLike
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hpe.engine.bundle import Bundle, open_bundle
from hpe.engine.card import TurnedLook
from hpe.engine.detector import Detector
from hpe.engine.inputs import (
    checked_boxes,
    checked_flip,
    checked_max_people,
    checked_path,
    checked_threads,
    checked_threshold,
)
from hpe.engine.networks import Networks, load
from hpe.engine.people import People, make_pose
from hpe.engine.scores import person_score, person_scores, sizes_in
from hpe.engine.session import runtime
from hpe.engine.turned import likeliest_quarter, turned_picture
from hpe.image.decode import picture_of
from hpe.pose.boxes import one_each, scaled_boxes
from hpe.pose.crops import whole_image_box
from hpe.pose.result import Pose
from hpe.settings import ANALYSED_SIDE, MAX_PEOPLE, Settings

if TYPE_CHECKING:
    from hpe.engine.inputs import BoxesLike
    from hpe.image.decode import DecodedImage, ImageLike


class PoseEstimator:
    """Finds the people in a picture. Build one and keep it: the model is loaded once.

    model: None for the default in `models/`, a path or s3://bucket/key of a manifest (.json) with its networks beside
    it, an opened Bundle, or Networks. threads: per inference, 1 to 256, 0 for all usable cores. threshold: joint score
    below which a joint is unsure, None for the model's own. flip: also process all crops mirrored and average, slower
    and a little better; without it only the doubtful ones are. max_people: at most so many are looked for, 1 to 20.
    providers: onnxruntime's execution providers in the order of preference, like "cuda" or ["coreml", "cpu"], none for
    the processor. Raises ModelUnavailable or BadModel if the model cannot be had, BadSettings for options of another
    type or out of their range. It can be pickled: the copy opens the model for itself.
    """

    def __init__(
        self,
        model: str | PathLike[str] | Bundle | Networks | None = None,
        *,
        threads: int = 0,
        threshold: float | None = None,
        flip: bool = False,
        max_people: int = MAX_PEOPLE,
        cache_dir: str | PathLike[str] | None = None,
        providers: str | Sequence[str] = (),
    ) -> None:
        threads = checked_threads(threads)
        if not isinstance(model, Networks):
            Thread(target=runtime, daemon=True).start()  # the files are hashed beside this import
            if not isinstance(model, Bundle):
                folder = checked_path("cache_dir", cache_dir) or Settings.cache_dir
                model = open_bundle(checked_path("model", model), folder)
            model = load(model, threads, providers)
        self._use(model)
        self.threshold = self.card.threshold if threshold is None else checked_threshold(threshold)
        self.flip = checked_flip(flip)
        self.max_people = checked_max_people(max_people)

    def _use(self, model: Networks) -> None:
        self.networks = model
        self.card, self.detector, self.pose_network = model.card, model.detector, model.pose_network

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("networks", "threshold", "flip", "max_people")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._use(self.networks)

    def __call__(
        self,
        image: "ImageLike | DecodedImage",
        *,
        max_people: int | None = None,
        boxes: "BoxesLike | None" = None,
        flip: bool | None = None,
        threshold: float | None = None,
    ) -> list[Pose]:
        """(H, W, 3) uint8 RGB array, path, bytes or open image file, Pillow image -> the people, best first.

        An empty list means that nobody is there. Points and boxes are px of the image, which is analysed with a longer
        side of at most ANALYSED_SIDE px, as it is everywhere. boxes: (K, 4) x0, y0, x1, y1 of people that are known to
        be there, px: the detector does not run then, and the list has one pose for each box, in their order; no
        boxes, no poses. Raises HpeError's kinds: UnsupportedImage and others for the image, BadRequest for boxes,
        BadSettings for the other options.
        """
        limit = self.threshold if threshold is None else checked_threshold(threshold)
        most = self.max_people if max_people is None else checked_max_people(max_people)
        mirrored = self.flip if flip is None else checked_flip(flip)
        picture = picture_of(image, ANALYSED_SIDE)
        if boxes is None:
            return self._everybody([picture], most, mirrored, limit)[0]
        across, down = _factors(picture)
        given = checked_boxes(boxes, picture.height, picture.width)
        poses = self._in_boxes(picture.rgb, scaled_boxes(given, 1 / across, 1 / down), mirrored, limit)
        return _as_given(poses, picture)

    def batch(
        self,
        images: "Sequence[ImageLike | DecodedImage]",
        *,
        max_people: int | None = None,
        flip: bool | None = None,
        threshold: float | None = None,
    ) -> list[list[Pose]]:
        """A few images -> the people of each, as a call of each gives them, in a little less time with several threads.

        All of them are in memory at once. Raises as a call does, for the first image that cannot be read.
        """
        limit = self.threshold if threshold is None else checked_threshold(threshold)
        most = self.max_people if max_people is None else checked_max_people(max_people)
        mirrored = self.flip if flip is None else checked_flip(flip)
        return self._everybody([picture_of(image, ANALYSED_SIDE) for image in images], most, mirrored, limit)

    def _in_boxes(self, rgb: NDArray[np.uint8], boxes: NDArray[np.float64], flip: bool, threshold: float) -> list[Pose]:
        points, scores = self.pose_network(rgb, boxes, flip or None)
        sizes = sizes_in(boxes, rgb.shape)
        worth = [person_score(None, scores[k], self.card.person, sizes[k]) for k in range(len(boxes))]
        return [make_pose(points[k], scores[k], worth[k], threshold, _size(rgb), box) for k, box in enumerate(boxes)]

    def _everybody(
        self, pictures: "Sequence[DecodedImage]", most: int, flip: bool, threshold: float
    ) -> list[list[Pose]]:
        locate = self.card.locate
        if locate is None:
            return [_as_given(self._only_one(picture.rgb, flip, threshold), picture) for picture in pictures]
        found = []
        for picture, people in zip(
            pictures, self._people([picture.rgb for picture in pictures], most, flip), strict=True
        ):
            best = people.scores.max(initial=0)
            if locate.turned and best < locate.turned.sure:
                turned = self._turned(picture.rgb, locate.turned, most, flip)
                people = turned if turned.scores.max(initial=0) > best else people
            found.append(_as_given(people.poses(threshold, _size(picture.rgb)), picture))
        return found

    def _people(self, pictures: Sequence[NDArray[np.uint8]], most: int, flip: bool) -> list[People]:
        """Who is there in each (H, W, 3) uint8 RGB, each person once, best first."""
        located = [self.detector(rgb, most) for rgb in pictures]
        boxed = [(rgb, boxes) for rgb, (boxes, _) in zip(pictures, located, strict=True)]
        joints = self.pose_network.over(boxed, flip or None)
        sizes = [sizes_in(boxes, rgb.shape) for rgb, boxes in boxed]
        return [self._who(*found, *places, size) for found, places, size in zip(located, joints, sizes, strict=True)]

    def _who(
        self,
        found: NDArray[np.float64],
        located: NDArray[np.float64],
        points: NDArray[np.float64],
        scores: NDArray[np.float32],
        sizes: NDArray[np.float64],
    ) -> People:
        """The detector's (K, 4) boxes and (K,) scores, the pose network's (K, J, 2) and (K, J) -> who is there.

        sizes: (K,) of the boxes, by `sizes_in`.
        """
        people = person_scores(located, scores, self.card.person, sizes)
        # hysteresis: low scores are credible beside a high one, but not on their own
        if people.max(initial=0) < self.card.photo_threshold:
            return People(points[:0], scores[:0], found[:0], people[:0])
        kept = np.flatnonzero(people >= self.card.person_threshold)
        # the card's threshold, so that who is found does not depend on what is drawn
        known = scores[kept] >= self.card.threshold
        kept = kept[one_each(points[kept], known, found[kept], people[kept])]
        return People(points[kept], scores[kept], found[kept], people[kept])

    def _turned(self, rgb: NDArray[np.uint8], look: TurnedLook, most: int, flip: bool) -> People:
        """Who is there in a picture that was stored on its side or upside down, in px of the picture as it is."""
        nobody = People.nobody(len(self.card.keypoints))
        if not isinstance(self.detector, Detector):
            return nobody
        detector, pixels = self.detector, look.pixels
        quarter = likeliest_quarter(rgb, lambda turned: detector.surest(turned, pixels), look.score)
        if not quarter:
            return nobody
        (people,) = self._people([turned_picture(rgb, quarter)], most, flip)
        if people.scores.max(initial=0) < look.person_threshold:
            return nobody
        return people.turned_back(quarter, _size(rgb))

    def _only_one(self, rgb: NDArray[np.uint8], flip: bool, threshold: float) -> list[Pose]:
        """Without a locator: one person, in the frame of the whole picture."""
        points, scores = self.pose_network(
            rgb, whole_image_box(rgb.shape[1], rgb.shape[0])[None], flip or None, margin=1.0
        )
        score = person_score(None, scores[0])
        least = max(self.card.person_threshold, self.card.photo_threshold)
        return [make_pose(points[0], scores[0], score, threshold, _size(rgb))] if score >= least else []


def _size(rgb: NDArray[np.uint8]) -> tuple[int, int]:
    return rgb.shape[1], rgb.shape[0]


def _factors(picture: "DecodedImage") -> tuple[float, float]:
    """How much larger the image was than the picture that is analysed, across and down."""
    return picture.width / picture.rgb.shape[1], picture.height / picture.rgb.shape[0]


def _as_given(poses: list[Pose], picture: "DecodedImage") -> list[Pose]:
    """In px of the image as it was given."""
    across, down = _factors(picture)
    return poses if across == down == 1 else [pose.scaled(across, down) for pose in poses]
