"""The two networks of a model, as the two callables that an estimator is composed of."""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.bundle import Bundle, open_bundle
from hpe.engine.card import ModelCard
from hpe.engine.detector import Detector, whole_picture
from hpe.engine.pose_network import PoseNetwork
from hpe.engine.session import CPU, OnnxSession, Session, checked_providers
from hpe.errors import BadModel, BadSettings
from hpe.pose.boxes import Boxes
from hpe.settings import Settings

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
    origin: "Origin | None" = None

    def with_card(self, **changes: Any) -> "Networks":
        """The same networks with other values on their card, as for choosing thresholds."""
        locator = self.detector.session if isinstance(self.detector, Detector) else None
        changed = compose(locator, self.pose_network.session, dataclasses.replace(self.card, **changes))
        return dataclasses.replace(changed, origin=self.origin)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as what they were loaded from: another process opens the model for itself."""
        if self.origin is None:
            raise BadSettings("these networks were not loaded from files, and cannot be sent to another process")
        return reopen, (self.origin, self.card)


@dataclass(frozen=True)
class Origin:
    """What Networks were loaded from, and how."""

    bundle: Bundle
    threads: int
    providers: tuple[str, ...]


def compose(locator: Session | None, pose: Session, card: ModelCard) -> Networks:
    """Sessions and what is known of them -> the model. locator: None if the card has none. Raises BadModel."""
    if (locator is None) != (card.locate is None):
        raise BadModel(f"{card.name}: a locator comes with a card that describes it, and the other way round")
    detector = whole_picture if locator is None or card.locate is None else Detector(locator, card.locate)
    return Networks(card, detector, PoseNetwork(pose, card))


def load(bundle: Bundle, threads: int = 0, providers: str | Sequence[str] = ()) -> Networks:
    """Both files at once, so that a cold start with two takes hardly longer than with one.

    providers: onnxruntime's, none for the processor. Raises BadModel, BadSettings for a provider that is not there.
    """
    chosen = checked_providers(providers) if providers else (CPU,)
    with ThreadPoolExecutor(1) as beside:
        found = bundle.locate and beside.submit(OnnxSession, bundle.locate, threads, None, LOCATOR_MAPS, chosen)
        pose = OnnxSession(bundle.pose, threads, bundle.card.frame, len(bundle.card.keypoints), chosen)
        made = compose(found.result() if found else None, pose, bundle.card)
    return dataclasses.replace(made, origin=Origin(bundle, threads, chosen))


def reopen(origin: Origin, card: ModelCard) -> Networks:
    """Load again, with this card. Files that are gone, as on another machine, are opened by the model's name."""
    bundle = origin.bundle
    if not bundle.pose.exists():
        bundle = open_bundle(bundle.model, Settings.cache_dir)
    networks = load(bundle, origin.threads, origin.providers)
    return networks if card == networks.card else networks.with_card(**vars(card))
