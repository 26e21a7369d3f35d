"""A world whose truth is known: people as points that move, and the two networks that see them, with made-up noise."""

from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import LocatorCard, ModelCard
from hpe.pose.skeleton import JOINTS

SIZE = (480, 640)
CARD = ModelCard(
    "world",
    "world.onnx",
    "0" * 64,
    (224, 192),
    "a stand-in",
    0.3,
    0.3,
    2.0,
    locate=LocatorCard("l.onnx", "1" * 64, "a stand-in", 384, 0.3),
)
# A standing person of height 1, centred at 0: x, y of each joint in the order of JOINTS.
STANDING = {
    "right_ankle": (-0.1, 0.45),
    "right_knee": (-0.1, 0.22),
    "right_hip": (-0.08, 0.0),
    "left_hip": (0.08, 0.0),
    "left_knee": (0.1, 0.22),
    "left_ankle": (0.1, 0.45),
    "pelvis": (0.0, 0.0),
    "thorax": (0.0, -0.27),
    "upper_neck": (0.0, -0.31),
    "head_top": (0.0, -0.46),
    "right_wrist": (-0.2, 0.02),
    "right_elbow": (-0.17, -0.12),
    "right_shoulder": (-0.13, -0.26),
    "left_shoulder": (0.13, -0.26),
    "left_elbow": (0.17, -0.12),
    "left_wrist": (0.2, 0.02),
}
SHAPE = np.array([STANDING[name] for name in JOINTS])

_SQUARE, _STEP = 32, 3  # px, grey levels to a frame: 85 frames at most


class World:
    """People at places that change with the frame. path: frame -> one (x, y, height, colour) for each, None if hidden.

    A frame's number is a grey square in its corner, so that the networks see it in the picture as real ones would, also
    after a codec.
    """

    def __init__(self, path, noise: float = 0.0, seed: int = 0) -> None:
        self.path, self.noise = path, noise
        self._random = np.random.default_rng(seed)
        self.detections: list[int] = []
        self.crops: list[int] = []

    def frame(self, number: int) -> NDArray[np.uint8]:
        """(480, 640, 3) uint8 RGB: grey, with a coloured trunk for everybody in view."""
        rgb = np.full((*SIZE, 3), 90, np.uint8)
        for person in self.people(number):
            x, y, height, colour = person
            x0, x1 = int(x - 0.2 * height), int(x + 0.2 * height)
            y0, y1 = int(y - 0.4 * height), int(y + 0.1 * height)
            rgb[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = colour
        rgb[:_SQUARE, :_SQUARE] = _STEP * number
        return rgb

    def people(self, number: int):
        return [person for person in self.path(number) if person is not None]

    @staticmethod
    def number(rgb) -> int:
        return round(float(rgb[4 : _SQUARE - 4, 4 : _SQUARE - 4].mean()) / _STEP)

    @staticmethod
    def box(person):
        x, y, height, _ = person
        return np.array([x - 0.25 * height, y - 0.5 * height, x + 0.25 * height, y + 0.5 * height])

    def detector(self, rgb, most):
        """Everybody's box."""
        number = self.number(rgb)
        self.detections.append(number)
        boxes = [self.box(person) + self._random.normal(0, self.noise, 4) for person in self.people(number)]
        return np.array(boxes[:most]).reshape(-1, 4), np.full(len(boxes[:most]), 0.9)

    def pose_network(self, rgb, boxes):
        """In each crop the person whose middle is nearest to the crop's; low scores if nobody's is near."""
        number = self.number(rgb)
        self.crops.append(len(boxes))
        points, scores = np.zeros((len(boxes), len(JOINTS), 2)), np.full((len(boxes), len(JOINTS)), 0.02, np.float32)
        people = self.people(number)
        for k, box in enumerate(boxes):
            middle = (box[:2] + box[2:]) / 2
            points[k] = middle
            apart = [np.hypot(*(middle - person[:2])) / person[2] for person in people]
            if people and min(apart) < 0.4:
                x, y, height, _ = people[int(np.argmin(apart))]
                points[k] = SHAPE * height + (x, y) + self._random.normal(0, self.noise, SHAPE.shape)
                scores[k] = 0.9
        return points, scores


def estimator_of(world: World) -> SimpleNamespace:
    """What stands in for a PoseEstimator: the same two callables, card and options."""
    found = SimpleNamespace(card=CARD, threshold=CARD.threshold, flip=False, max_people=20, detector=world.detector)
    found.pose_network = lambda rgb, boxes, flip=False: world.pose_network(rgb, boxes)
    return found
