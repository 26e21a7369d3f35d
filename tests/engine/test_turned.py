"""A photo stored on its side or upside down: how points and boxes come back, and when it is looked at turned."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from engine.stand_ins import CARD, BoxSession, DotSession

from hpe.engine.card import TurnedLook
from hpe.engine.detector import Detector
from hpe.engine.estimator import PoseEstimator
from hpe.engine.networks import compose
from hpe.engine.people import People
from hpe.engine.turned import QUARTERS, boxes_turned_back, likeliest_quarter, turned_back, turned_picture
from hpe.pose.boxes import box_iou

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("quarter", QUARTERS)
def test_a_pixel_of_the_turned_picture_comes_back_to_where_it_was(quarter: int) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    turned = turned_picture(picture, quarter)
    ys, xs = np.mgrid[: turned.shape[0], : turned.shape[1]]
    back = turned_back(np.stack([xs, ys], axis=-1), quarter, 5, 7).astype(int)
    assert (picture[back[..., 1], back[..., 0]] == turned).all()


@pytest.mark.parametrize("quarter", QUARTERS)
def test_a_box_comes_back_round_the_same_pixels(quarter: int) -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[10:20, 30:55] = 255
    ys, xs = np.nonzero(turned_picture(picture, quarter)[..., 0])
    box = np.array([[xs.min(), ys.min(), xs.max(), ys.max()]])
    assert boxes_turned_back(box, quarter, 40, 60).tolist() == [[30, 10, 54, 19]]


def test_the_surest_turn_is_taken_if_it_is_sure_enough() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[0] = 200  # the top row; turned by three quarters it is the right column

    def surest(turned: np.ndarray) -> float:
        return float(turned[:, -1].mean()) / 255

    assert likeliest_quarter(picture, surest, 0.5) == 3
    assert likeliest_quarter(picture, surest, 0.9) == 0


@pytest.mark.parametrize(
    ("as_it_is", "turned", "reported", "looks"),
    [
        (0.70, 0.75, 0.75, 2),  # somebody on their side is found as well, but less surely
        (0.70, 0.65, 0.70, 2),  # somebody lies, or stands beside a thing that looks like somebody lying
        (0.82, 0.95, 0.82, 1),  # sure of it: no look is wasted
        (0.00, 0.65, 0.65, 2),
        (0.00, 0.55, 0.00, 2),  # less would be reported where nobody is
    ],
)
def test_whoever_scores_more_as_the_picture_is_or_turned_is_reported(
    as_it_is: float, turned: float, reported: float, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = TurnedLook(12_288, 0.5, 0.6, 0.8)
    locate = dataclasses.replace(CARD.locate, turned=look)  # type: ignore[type-var]
    card = dataclasses.replace(CARD, locate=locate)
    seen = []

    def people(self: PoseEstimator, pictures: list[np.ndarray], most: int, flip: bool) -> list[People]:
        score = as_it_is if pictures[0].shape[:2] == (60, 80) else turned
        seen.append(score)
        count = int(score > 0)
        return [
            People(
                np.ones((count, 16, 2)), np.ones((count, 16), np.float32), np.ones((count, 4)), np.full(count, score)
            )
        ]

    monkeypatch.setattr(PoseEstimator, "_people", people)
    monkeypatch.setattr(Detector, "surest", lambda self, rgb, pixels: 0.9 if rgb.shape[:2] == (80, 60) else 0.1)
    found = PoseEstimator(compose(BoxSession(np.zeros((0, 4))), DotSession(), card))(np.zeros((60, 80, 3), np.uint8))
    assert max([pose.score for pose in found], default=0) == reported
    assert len(seen) == looks


@pytest.mark.real
@pytest.mark.parametrize("quarter", QUARTERS)
def test_people_in_a_photo_on_its_side_are_found_in_its_own_pixels(quarter: int) -> None:
    rgb = cv2.cvtColor(cv2.imread(str(ROOT / "static-site" / "samples" / "people.jpg")), cv2.COLOR_BGR2RGB)
    estimator = PoseEstimator(threads=1)
    upright = estimator(rgb)
    found = estimator(turned_picture(rgb, quarter))
    assert len(found) == len(upright) == 3
    for pose in found:
        box = boxes_turned_back(pose.box[None], quarter, *rgb.shape[:2])
        assert box_iou(box, np.stack([one.box for one in upright])).max() > 0.7
