"""The two networks of a model, as the two callables that an estimator is composed of."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.bundle import Bundle
from hpe.engine.detector import Detector, whole_picture
from hpe.engine.manifest import ModelCard
from hpe.engine.pose_network import PoseNetwork
from hpe.engine.session import OnnxSession, Session
from hpe.errors import BadModel
from hpe.pose.boxes import Boxes

# Of a locator: centres, widths, heights.
LOCATOR_MAPS: Final[int] = 3
# (H, W, 3) uint8 RGB, at most so many people -> (K, 4) float64 boxes in px, (K,) scores in 0..1, best first
Detect = Callable[[NDArray[np.uint8], int], tuple[Boxes, NDArray[np.float64]]]


@dataclass(frozen=True)
class Networks:
    """A model that runs. detector(rgb, max_people) gives boxes, pose_network(rgb, boxes) the keypoints in them."""

    card: ModelCard
    detector: Detect
    pose_network: PoseNetwork

    def with_card(self, **changes: Any) -> "Networks":
        """The same networks with other values on their card, as for choosing thresholds."""
        locator = self.detector.session if isinstance(self.detector, Detector) else None
        return compose(locator, self.pose_network.session, dataclasses.replace(self.card, **changes))


def compose(locator: Session | None, pose: Session, card: ModelCard) -> Networks:
    """Sessions and what is known of them -> the model. locator: None if the card has none. Raises BadModel."""
    if (locator is None) != (card.locate is None):
        raise BadModel(f"{card.name}: a locator comes with a card that describes it, and the other way round")
    detector = whole_picture if locator is None or card.locate is None else Detector(locator, card.locate)
    return Networks(card, detector, PoseNetwork(pose, card))


def load(bundle: Bundle, threads: int = 0) -> Networks:
    """Both files at once, so that a cold start with two takes hardly longer than with one. Raises BadModel."""
    keypoints = len(bundle.card.keypoints)
    if bundle.locate is None:
        return compose(None, OnnxSession(bundle.pose, threads, bundle.card.frame, keypoints), bundle.card)
    with ThreadPoolExecutor(1) as beside:
        locator = beside.submit(OnnxSession, bundle.locate, threads, None, LOCATOR_MAPS)
        pose = OnnxSession(bundle.pose, threads, bundle.card.frame, keypoints)
        return compose(locator.result(), pose, bundle.card)
