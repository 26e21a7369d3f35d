"""Sessions whose answers are known: coloured dots are joints, and the locator is told where people are."""

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import LocatorCard, ModelCard
from hpe.engine.estimator import PoseEstimator
from hpe.engine.networks import compose
from hpe.pose.boxes import MIN_SIGMA, SIGMA
from hpe.pose.crops import apply_affine, fit_affine
from hpe.pose.heatmaps import STRIDE, encode_joints

HEIGHT, WIDTH, LONGER = 128, 96, 416
LOCATE = LocatorCard("locate.onnx", "1" * 64, "a fake that reads green", LONGER, 0.3)
CARD = ModelCard("dots", "dots.onnx", "0" * 64, (HEIGHT, WIDTH), "a fake that reads dots", 0.3, 0.3, 2.0, locate=LOCATE)


def encode_boxes(
    boxes: NDArray[np.floating], frame: tuple[int, int], unit: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(K, 4) network px, the frame's (height, width) -> (3, h, w) float32 maps and (h, w) bool: near a centre.

    Channel 0 is each cell's highest Gaussian, 1 at a centre: the target of the score, and a map that decodes. Channels
    1 and 2 are the width and height, in shares of `unit` px, of the person whose Gaussian is the highest there. The
    cells near a centre (Gaussian above 0.5, or the cell nearest to it) are those where sizes are read.
    """
    rows, columns = frame[0] // STRIDE, frame[1] // STRIDE
    maps = np.zeros((3, rows, columns), dtype=np.float32)
    near = np.zeros((rows, columns), dtype=np.bool_)
    if len(boxes) == 0:
        return maps, near
    corners = np.asarray(boxes, dtype=np.float64).reshape(-1, 2, 2)
    sides = corners[:, 1] - corners[:, 0]
    centres = corners.mean(axis=1) / STRIDE
    sigmas = np.maximum(SIGMA * sides / STRIDE, MIN_SIGMA)
    gx = np.exp(-((np.arange(columns) - centres[:, :1]) ** 2) / (2 * sigmas[:, :1] ** 2))
    gy = np.exp(-((np.arange(rows) - centres[:, 1:]) ** 2) / (2 * sigmas[:, 1:] ** 2))
    heat = gy[:, :, None] * gx[:, None, :]
    owner = heat.argmax(axis=0)
    maps[0] = heat.max(axis=0)
    maps[1:] = (sides / unit)[owner].transpose(2, 0, 1)
    near |= maps[0] > 0.5
    cells = np.rint(centres).astype(int)
    inside = ((cells >= 0) & (cells < [columns, rows])).all(axis=1)
    near[cells[inside, 1], cells[inside, 0]] = True
    return maps, near


class DotSession:
    """Sees joint j where the picture's red channel is 100 + 8 j: an exact stand-in for a trained network.

    Like a real one it knows left from right only by position: on a mirrored picture it must be fed mirrored
    joints, which is what the flip test undoes.
    """

    def __init__(self, peak: float = 0.9) -> None:
        self.peak = peak
        self.batches: list[NDArray[np.uint8]] = []

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.batches.append(batch)
        return np.stack([self.heatmaps(picture) for picture in batch])

    def heatmaps(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        points, seen = np.zeros((16, 2), np.float32), np.zeros(16, np.float32)
        middle = np.array([picture.shape[1], picture.shape[0]]) / 2
        for j in range(16):
            # green shows that it is not the mixed edge of a brighter dot, which has this one's red
            ys, xs = np.nonzero((np.abs(picture[..., 0].astype(int) - (100 + 8 * j)) <= 2) & (picture[..., 1] > 198))
            if len(xs):  # of several people the one in the middle, dot by dot
                near = np.argmin(np.hypot(xs - middle[0], ys - middle[1]))
                dot = np.hypot(xs - xs[near], ys - ys[near]) < 12
                points[j], seen[j] = (xs[dot].mean(), ys[dot].mean()), 1
        return encode_joints(points, seen, picture.shape[:2], 2.0)[0] * self.peak


class BoxSession:
    """Says that people are in the given boxes, in network px, whatever it is shown; the first is the surest.

    of_width: other boxes in frames of that width.
    """

    def __init__(self, boxes: NDArray[np.floating], of_width: dict[int, NDArray[np.floating]] | None = None) -> None:
        self.boxes, self.of_width = boxes, of_width or {}
        self.frames: list[tuple[int, int]] = []

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert len(batch) == 1
        frame = (batch.shape[1], batch.shape[2])
        self.frames.append(frame)
        maps = np.zeros((3, frame[0] // 4, frame[1] // 4), np.float32)
        for n, box in enumerate(self.of_width.get(frame[1], self.boxes)):
            one, near = encode_boxes(box[None], frame, LONGER)
            maps[0] = np.maximum(maps[0], one[0] * (1 - 0.02 * n))
            maps[1:, near] = one[1:, near]
        return maps[None]


def person(x: float, y: float, scale: float) -> NDArray[np.float64]:
    """(16, 2) px: joints on a grid of 4 x 4."""
    grid = np.array([(i % 4, i // 4) for i in range(16)], np.float64)
    return np.array([x, y]) + grid * scale


def box_of(points: NDArray[np.floating], room: float = 10) -> NDArray[np.float64]:
    return np.concatenate([points.min(axis=0) - room, points.max(axis=0) + room])


def scene(width: int, height: int, people: list[NDArray[np.floating]], dot: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB with people's joints as dots; the last on top."""
    image = np.full((height, width, 3), (10, 20, 30), np.uint8)
    for points in people:
        for j, (x, y) in enumerate(points):
            image[int(y) - dot : int(y) + dot + 1, int(x) - dot : int(x) + dot + 1] = (100 + 8 * j, 200, 30)
    return image


def estimator_of(
    people: list[NDArray[np.floating]], picture: tuple[int, int], session: DotSession | None = None, **options: object
) -> PoseEstimator:
    """An estimator of stand-ins that locates these people in pictures of (width, height)."""
    boxes = np.array([box_of(points) for points in people]).reshape(-1, 4)
    network = apply_affine(boxes.reshape(-1, 2), fit_affine(*picture, LONGER)[0]).reshape(-1, 4)
    return PoseEstimator(compose(BoxSession(network), session or DotSession(), CARD), **options)  # type: ignore[arg-type]
