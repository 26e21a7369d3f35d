"""Writes tests/site/vectors.json: what the Python engine says of small made inputs, for its twin in the browser.

`python tests/site/make_vectors.py`, after every change of hpe/pose, hpe/engine/detector.py, hpe/engine/scores.py or
hpe/video.
tests/site/private.test.js holds static-site/private/ to it, tests/site/test_private.py holds the file to Python.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpe.engine.card import Calibration, CoarseLook, FineLook, LocatorCard, ModelCard, PersonCalibration
from hpe.engine.detector import Detector, together
from hpe.engine.scores import joint_scores, person_score
from hpe.engine.turned import turned_back, turned_picture
from hpe.photo.answer import Answer
from hpe.pose.boxes import decode_boxes, one_each
from hpe.pose.crops import SMOOTH, crop_affine, fit_affine, fit_pixels, undo_affine, warp
from hpe.pose.heatmaps import decode_joints, encode_joints, flip_heatmaps
from hpe.pose.logistic import sigmoid
from hpe.pose.result import Pose
from hpe.pose.skeleton import FLIP_ORDER, JOINTS, KEYPOINTS, LIMB_JOINTS
from hpe.video.follow import Follower
from hpe.video.look import look_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from engine.stand_ins import encode_boxes

FILE = Path(__file__).with_name("vectors.json")
SIZES = [(640, 480), (480, 640), (1600, 900), (97, 33), (31, 500), (512, 512), (1000, 416)]


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array as base64 of its bytes, with its shape."""
    return {"shape": list(array.shape), "data": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()}


def map_of(affine: NDArray[np.float64]) -> dict[str, float]:
    """A (2, 3) map that scales and moves -> scale, tx, ty."""
    return {"scale": float(affine[0, 0]), "tx": float(affine[0, 2]), "ty": float(affine[1, 2])}


def picture(width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3) uint8: waves of several lengths, and an edge."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / a + c) * np.cos(y / b) for a, b, c in ((3.1, 5.3, 0), (7.7, 2.9, 1), (1.9, 11.0, 2))]
    out = 127 + 90 * np.stack(waves, axis=2)
    out[:, width // 2 :] += 30
    return np.clip(out, 0, 255).astype(np.uint8)


def frames() -> dict[str, Any]:
    """Maps and frames."""
    boxes = [[10, 20, 110, 320], [0.5, 0.5, 3, 2], [100, 50, 400, 90]]
    longer, pixels = [], []
    for width, height in SIZES:
        for most in (384, 768):
            affine, frame = fit_affine(width, height, most)
            longer.append({"size": [width, height], "longer": most, "map": map_of(affine), "frame": list(frame)})
        for most in (43008, 16384):
            affine, frame = fit_pixels(width, height, most)
            pixels.append({"size": [width, height], "pixels": most, "map": map_of(affine), "frame": list(frame)})
    crops = [
        {
            "box": box,
            "frame": [224, 192],
            "map": map_of(crop_affine(np.array(box), (224, 192))),
            "undo": undo_affine(np.array([40.0, 70.0]), crop_affine(np.array(box), (224, 192))).tolist(),
        }
        for box in boxes
    ]
    return {"longer": longer, "pixels": pixels, "crops": crops}


def warps() -> list[dict[str, Any]]:
    """Crops with and without smoothing, enlarged, shrunk, beyond the edges, and halved first."""
    cases = [
        ((60, 40), [5.0, 5.0, 45.0, 35.0], (32, 32), 0.0),
        ((60, 40), [-20.0, -15.0, 30.0, 45.0], (32, 32), 0.0),
        ((60, 40), [-0.5, -0.5, 59.5, 39.5], (32, 32), SMOOTH),
        ((85, 71), [-0.5, -0.5, 84.5, 70.5], (32, 32), SMOOTH),
        ((85, 71), [10.0, 4.0, 82.0, 70.0], (32, 32), 0.0),
        ((9, 7), [2.0, 2.0, 6.0, 6.0], (32, 32), 0.0),
    ]
    out = []
    for size, box, frame, smooth in cases:
        image, affine = picture(*size), crop_affine(np.array(box), frame, 1.0)
        result = warp(image, affine, frame, smooth)
        out.append(
            {
                "image": packed(image),
                "map": map_of(affine),
                "frame": list(frame),
                "smooth": smooth,
                "result": packed(result),
            }
        )
    return out


def located() -> dict[str, Any]:
    """Maps of people near and apart, one cut by the edge, decoded with the usual and another calibration."""
    boxes = np.array(
        [[20, 30, 90, 180], [24, 36, 96, 190], [110, 20, 160, 120], [-20, 90, 30, 200], [150, 150, 152, 158]]
    )
    frame, size = (192, 224), (448, 384)
    maps, _ = encode_boxes(boxes, frame, 416)
    maps[0] = maps[0] * 0.9 + 0.04 * np.sin(np.arange(maps[0].size)).reshape(maps[0].shape).astype(np.float32)
    affine, _ = fit_affine(*size, 224)
    out = []
    for slope, intercept, threshold in ((12.0, -6.0, 0.3), (10.0, -4.5, 0.1)):
        found, scores = decode_boxes(maps, affine, size[::-1], 416, threshold, 100, slope=slope, intercept=intercept)
        out.append(
            {
                "threshold": threshold,
                "calibration": {"slope": slope, "intercept": intercept},
                "boxes": found.tolist(), "scores": scores.tolist(),
            }
        )  # fmt: skip
    return {"maps": packed(maps), "map": map_of(affine), "picture": list(size), "unit": 416, "cases": out}


class _Scripted:
    """A session that sees people of given boxes (px of the picture) in whatever frame it gets, and notes its frames."""

    def __init__(self, boxes: NDArray[np.float64], size: tuple[int, int], unit: int) -> None:
        self.boxes, self.size, self.unit, self.frames = boxes, size, unit, []

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        frame = (batch.shape[1], batch.shape[2])
        self.frames.append(list(frame))
        scale = min(1.0, max(frame) / max(self.size))
        return encode_boxes(self.boxes * scale, frame, self.unit)[0][None] * np.float32(0.8)


def looks() -> list[dict[str, Any]]:
    """Which looks a locator takes, by its card and by how small the smallest person is."""
    size, out = (1200, 800), []
    cards = {
        "one": LocatorCard("f", "0", "a", 384, 0.3),
        "both": LocatorCard(
            "f", "0", "a", 384, 0.3, size_unit=416, coarse=CoarseLook(43008, 56, 0.5), fine=FineLook(80, 768),
            photo_threshold=0.4,
        ),
        "coarse": LocatorCard("f", "0", "a", 384, 0.3, Calibration(11.0, -5.0), 416, CoarseLook(43008, 56, 0.5)),
    }  # fmt: skip
    for name, card in cards.items():
        for people in ([[300, 100, 700, 780]], [[300, 100, 700, 780], [900, 500, 960, 640]], []):
            boxes = np.array(people, np.float64).reshape(-1, 4)
            session = _Scripted(boxes, size, card.size_unit or card.input_size)
            found, scores = Detector(session, card)(picture(*size), 20)
            out.append(
                {"card": name, "size": list(size), "people": people, "frames": session.frames, "found": len(found)}
            )
            assert len(scores) == len(found)
    return out


def keypoints() -> dict[str, Any]:
    """Heatmaps of joints inside, at the border, doubled and flat."""
    points = np.array([[50.3, 61.7], [10.0, 2.1], [0.0, 100.0], [95.2, 126.9], [40.0, 40.0], [70.6, 20.2]])
    maps, _ = encode_joints(points, np.ones(len(points)), (128, 96), 1.5)
    maps[0] *= 0.7
    maps[4] = 0.001
    other, _ = encode_joints(points[::-1] + 8, np.ones(len(points)), (128, 96), 2.2)
    maps[5] = np.maximum(maps[5], 0.8 * other[0])
    found, peaks = decode_joints(maps, 1.5)
    return {"maps": packed(maps), "sigma": 1.5, "points": found.tolist(), "peaks": peaks.tolist()}


def flipped() -> dict[str, Any]:
    """A crop's heatmaps and its mirror image's, their mean, and the mean of the limb joints' peaks."""
    rng = np.random.default_rng(9)
    maps = rng.uniform(-0.1, 1.2, (len(KEYPOINTS), 6, 5)).astype(np.float32)
    mirrored = rng.uniform(-0.1, 1.2, maps.shape).astype(np.float32)
    peaks = np.clip(maps[list(LIMB_JOINTS)].max(axis=(1, 2)), 0, 1)
    return {
        "maps": packed(maps),
        "mirrored": packed(mirrored),
        "mean": packed((maps + flip_heatmaps(mirrored, FLIP_ORDER)) / 2),
        "peak": float(peaks.mean(dtype=np.float64)),
        "limbs": list(LIMB_JOINTS),
    }


def scores() -> dict[str, Any]:
    """Joints' and people's scores."""
    peaks = np.array([-0.1, 0.0, 0.2, 0.55, 0.9, 1.3], np.float32)
    calibration = Calibration(9.069, -1.799)
    person = PersonCalibration(0.9, 0.518, -0.419, limbs=(0.4, 0.1, 0.05, 0.3), size=0.27)
    joints = np.linspace(0.02, 0.97, 16)
    return {
        "peaks": peaks.tolist(),
        "calibration": vars(calibration),
        "calibrated": joint_scores(peaks, calibration).tolist(),
        "plain": joint_scores(peaks, None).tolist(),
        "joints": joints.tolist(),
        "person": vars(person),
        "limbs": list(LIMB_JOINTS),
        "people": [
            {
                "located": located, "calibrated": calibrated, "size": size,
                "score": person_score(located, joints, person if calibrated else None, size),
            }
            for located, calibrated, size in (
                (0.9, True, 0.4), (0.31, True, 0.01), (0.9, False, 1.0), (None, False, 1.0), (None, True, 0.2),
            )
        ],
    }  # fmt: skip


def turned() -> list[dict[str, Any]]:
    """A picture and a point of it, turned by each quarter."""
    image = picture(5, 3)
    return [
        {
            "quarter": quarter,
            "image": packed(image),
            "result": packed(turned_picture(image, quarter)),
            "back": turned_back(np.array([1.0, 2.0]), quarter, 3, 5).tolist(),
        }
        for quarter in (1, 2, 3)
    ]


def alike() -> list[dict[str, Any]]:
    """Poses of which some are on one person."""
    rng = np.random.default_rng(4)
    base = rng.uniform(0, 200, (len(JOINTS), 2))
    out = []
    for apart in (2.0, 12.0, 30.0, 90.0):
        points = np.stack([base, base + apart, base + np.array([400, 0])])
        boxes = np.array([[0, 0, 200, 200]] * 3, np.float64) + np.array([[0], [apart], [0]])
        known = rng.random((3, len(JOINTS))) < 0.7
        values = np.array([0.6, 0.8, 0.7])
        out.append(
            {
                "names": list(JOINTS), "points": points.tolist(), "known": known.tolist(), "boxes": boxes.tolist(),
                "scores": values.tolist(), "kept": one_each(points, known, boxes, values).tolist(),
            }
        )  # fmt: skip
    return out


def people() -> list[dict[str, Any]]:
    """People of all kinds: whole, cut by an edge, seen from the side, small; each with states and angles."""
    rng = np.random.default_rng(7)
    out = []
    for number in range(24):
        size = (640, 480)
        low = rng.uniform([-60, -40], [400, 200])
        box = np.concatenate([low, low + rng.uniform([20, 60], [300, 320])]).clip(-0.5, [639.5, 479.5] * 2)
        points = rng.uniform(box[:2] - 15, box[2:] + 15, (len(KEYPOINTS), 2))
        values = sigmoid(rng.normal(number % 3 - 1, 2, len(KEYPOINTS)))
        values[(points < -0.5).any(axis=1) | (points > np.array(size) - 0.5).any(axis=1)] = 0
        pose = Pose(points, values, box, 0.8, 0.4, size)
        found = Answer([pose], *size, size, 0.4, {}, {}, angles=True).to_dict()["people"][0]
        out.append({"threshold": 0.4, "size": list(size), "person": found})
    return out


def colours() -> list[dict[str, Any]]:
    """Trunks' colours: by shoulders and hips, by the box, from the side, beyond the edge."""
    image = picture(90, 70)
    image[20:60, 30:60] = image[20:60, 30:60] // 2 + np.array([90, 20, 10], np.uint8)
    out = []
    for corners, scores in (
        ([[58, 22], [32, 22], [34, 55], [56, 55]], 0.9),
        ([[58, 22], [32, 22], [34, 55], [56, 55]], 0.1),
        ([[44, 20], [43, 21], [44, 50], [45, 51]], 0.9),
        ([[95, 40], [70, 40], [72, 80], [94, 80]], 0.9),
    ):
        points = np.full((len(KEYPOINTS), 2), 45.0)
        points[[13, 12, 2, 3]] = corners
        box = np.array([25.0, 5, 65, 68])
        values = np.full(len(KEYPOINTS), scores)
        look = look_of(image, points, values >= 0.4, box)
        out.append({"points": points.tolist(), "scores": values.tolist(), "box": box.tolist(), "look": look.tolist()})
    return [{"image": packed(image), "cases": out}]


Person = tuple[list[int], float, list[int]]


class _Clip:
    """A grey clip and both networks: who is where in each frame, as (box px, the locator's score of it, colour)."""

    def __init__(self, frames: list[list[Person]]) -> None:
        self.frames, self.now = frames, 0

    def picture(self) -> NDArray[np.uint8]:
        """(240, 400, 3) uint8 RGB."""
        rgb = np.full((240, 400, 3), 128, np.uint8)
        for (x0, y0, x1, y1), _, colour in self.frames[self.now]:
            rgb[y0:y1, x0:x1] = colour
        return rgb

    def locate(self, rgb: NDArray[np.uint8], most: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        there = self.frames[self.now]
        boxes = np.array([box for box, _, _ in there], np.float64).reshape(-1, 4)
        return boxes, np.array([score for _, score, _ in there])

    def joints(self, rgb: NDArray[np.uint8], boxes: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """Of whoever is nearest to a crop and 0.3 of their height away at most."""
        spread = np.column_stack([(np.arange(16) * 7) % 16, np.arange(16)]) / 15
        points, scores = np.zeros((len(boxes), 16, 2)), np.full((len(boxes), 16), 0.02, np.float32)
        for k, crop in enumerate(boxes):
            there = [np.array(box, np.float64) for box, _, _ in self.frames[self.now]]
            apart = [float(np.hypot(*(crop[:2] + crop[2:] - box[:2] - box[2:]) / 2)) for box in there]
            nearest = int(np.argmin(apart)) if there else 0
            box = crop
            if there and apart[nearest] < 0.3 * (there[nearest][3] - there[nearest][1]):
                box, scores[k] = there[nearest], 0.9
            points[k] = box[:2] + (box[2:] - box[:2]) * spread
        return points, scores


def followed() -> list[dict[str, Any]]:
    """Who has which number in each frame, and whether everybody was looked for in it: births, rates, somebody lost."""
    card = ModelCard("f", "f", "0", (224, 192), "a", 0.3, 0.3, 2.0, locate=LocatorCard("f", "0", "a", 384, 0.3))
    grey, red, blue = [128, 128, 128], [200, 40, 40], [40, 40, 200]
    doubt, half, sure = 0.4, 0.6, 0.9

    def walker(n: int, colour: list[int]) -> Person:
        return [80 + 4 * n, 40, 140 + 4 * n, 220], sure, colour

    def at(score: float, box: list[int], colour: list[int] = grey) -> Person:
        return box, score, colour

    here, there, beside = [60, 40, 120, 220], [300, 60, 360, 230], [90, 40, 150, 220]
    cases: list[tuple[str, float, int, list[list[Person]]]] = [
        ("half behind somebody", 30, 5, [[at(sure, here)] + [at(half, beside)] * (n >= 8) for n in range(24)]),
        ("surely half behind somebody", 30, 5, [[at(sure, here)] + [at(sure, beside)] * (n >= 8) for n in range(24)]),
        ("too little to be known by at first", 30, 5,
         [[at(sure, there, blue)] + [walker(n, blue if 20 <= n < 22 else red)] * (not 8 <= n < 20) for n in range(40)]),
        ("out from behind a sign", 30, 5,
         [[walker(n, blue if 20 <= n < 23 else red)] * (not 10 <= n < 20)
          + [at(sure, [161, 44, 221, 214], blue)] * (not 20 <= n < 40) for n in range(60)]),
        ("never more than doubtful", 30, 5, [[at(sure, here)] + [at(doubt, there)] * (n >= 8) for n in range(30)]),
        ("doubtful, then sure", 30, 5, [[at(sure, here), at(sure if n >= 18 else doubt, there)] for n in range(30)]),
        ("new and doubtful, then sure", 30, 5,
         [[at(sure, here)] + [at(sure if n >= 18 else doubt, there)] * (n >= 8) for n in range(30)]),
        ("new and sure", 30, 5, [[at(sure, here)] + [at(sure, there)] * (n >= 9) for n in range(20)]),
        ("for one frame", 30, 5, [[at(sure, here)] + [at(sure, there)] * (n == 10) for n in range(20)]),
        ("for two frames", 30, 5, [[at(sure, here)] + [at(sure, there)] * (n in (10, 11)) for n in range(20)]),
        ("away for a third of a second", 30, 5,
         [[at(sure, here)] + [at(sure, there)] * (not 11 <= n < 21) for n in range(35)]),
        ("away for long", 10, 5, [[at(sure, here)] + [at(sure, there)] * (not 9 <= n < 33) for n in range(45)]),
        ("a jump", 30, 5, [[at(sure, [60 + 70 * (n >= 8), 40, 120 + 70 * (n >= 8), 220])] for n in range(20)]),
        *((f"{fps:g} frames a second, {every}", fps, every, [[at(sure, here)] for _ in range(24)])
          for fps, every in ((60, 5), (25, 5), (24, 5), (12.5, 5), (10, 5), (10, 10), (7, 3), (1, 5), (10, 1))),
    ]  # fmt: skip
    out = []
    for name, fps, every, frames in cases:
        clip = _Clip(frames)
        follower = Follower(clip.locate, clip.joints, card, every, 20)
        seen = []
        for clip.now in range(len(frames)):
            found = follower(clip.picture(), clip.now / fps)
            ids = sorted(follower.ids[key] for key, _ in found.tracks if key in follower.ids)
            seen.append([ids, found.detected])
        out.append({"name": name, "fps": fps, "every": every, "frames": frames, "seen": seen})
    return out


def both_looks() -> dict[str, Any]:
    """Scores of people seen in both looks."""
    fine = (np.array([[0, 0, 50, 100], [60, 0, 90, 90.0]]), np.array([0.8, 0.7]))
    coarse = (np.array([[2, 3, 51, 96.0]]), np.array([0.3]))
    boxes, values = together(fine, coarse)
    return {
        "fine": [fine[0].tolist(), fine[1].tolist()],
        "coarse": [coarse[0].tolist(), coarse[1].tolist()],
        "boxes": boxes.tolist(),
        "scores": values.tolist(),
    }


def vectors() -> dict[str, Any]:
    """All of them."""
    return {
        "frames": frames(), "warps": warps(), "located": located(), "looks": looks(), "keypoints": keypoints(),
        "flipped": flipped(), "turned": turned(), "scores": scores(), "alike": alike(), "together": both_looks(),
        "people": people(), "colours": colours(), "followed": followed(),
    }  # fmt: skip


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), separators=(",", ":")) + "\n")
    sys.stdout.write(f"{FILE}: {FILE.stat().st_size} bytes\n")
