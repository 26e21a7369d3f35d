"""How many keypoints are answered is the model's to say: MPII's 16 joints, or these and the five of the face."""

from dataclasses import replace

import numpy as np
import pytest
from engine.stand_ins import CARD, HEIGHT, WIDTH
from numpy.typing import NDArray

from hpe import PoseEstimator
from hpe.engine.card import FlipTest
from hpe.engine.networks import compose
from hpe.engine.pose_network import PoseNetwork
from hpe.pose.crops import crop_affine, undo_affine
from hpe.pose.heatmaps import encode_joints
from hpe.pose.skeleton import FLIP_ORDER, JOINTS, KEYPOINTS

BOX = np.array([20.0, 30.0, 110.0, 150.0])


class PlacesSession:
    """Sees keypoints at given places of the crop, (J, 2) px, and at their mirror images in a crop that is mirrored.

    The left half of the picture is the brighter one, which tells the two crops apart.
    """

    def __init__(self, places: NDArray[np.float64], peak: float = 1.0) -> None:
        self.places, self.peak, self.runs = places, peak, 0

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.runs += 1
        return self.peak * np.stack([self._maps(crop) for crop in batch])

    def _maps(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        places = self.places
        if crop[:, : WIDTH // 2].mean() < crop[:, WIDTH // 2 :].mean():
            places = (places * [-1, 1] + [WIDTH - 1, 0])[list(FLIP_ORDER[: len(places)])]
        return encode_joints(places, np.ones(len(places)), (HEIGHT, WIDTH), 2.0)[0]


def picture() -> NDArray[np.uint8]:
    """A photo whose left half, in and about `BOX`, is bright."""
    image = np.full((180, 130, 3), 40, np.uint8)
    image[:, :65] = 220
    return image


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("keypoints", [JOINTS, KEYPOINTS])
def test_a_model_answers_the_keypoints_that_its_manifest_names(keypoints: tuple[str, ...], flip: bool) -> None:
    places = np.random.default_rng(len(keypoints)).uniform([16, 16], [WIDTH - 16, HEIGHT - 16], (len(keypoints), 2))
    card = replace(CARD, keypoints=keypoints, locate=None)
    estimator = PoseEstimator(compose(None, PlacesSession(places), card), flip=flip)
    (pose,) = estimator(picture(), boxes=[BOX.tolist()])
    assert (pose.points.shape, pose.scores.shape) == ((len(keypoints), 2), (len(keypoints),))
    np.testing.assert_allclose(pose.points, undo_affine(places, crop_affine(BOX, card.frame)), atol=1.0)
    assert pose.confident.all()


@pytest.mark.parametrize(("peak", "runs"), [(0.2, 1), (0.5, 2), (0.8, 1)])
def test_a_crop_in_doubt_is_averaged_with_its_mirror_image(peak: float, runs: int) -> None:
    places = np.random.default_rng(5).uniform([16, 16], [WIDTH - 16, HEIGHT - 16], (len(KEYPOINTS), 2))
    session = PlacesSession(places, peak)
    network = PoseNetwork(session, replace(CARD, keypoints=KEYPOINTS, flip_test=FlipTest(0.3, 0.7)))
    points, _ = network(picture(), BOX[None])
    assert session.runs == runs
    np.testing.assert_allclose(points[0], undo_affine(places, crop_affine(BOX, CARD.frame)), atol=1.0)
    network(picture(), BOX[None], flip=False)
    assert session.runs == runs + 1
