"""Whole frames that are turned: everybody's box turns with them."""

import dataclasses
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from train.figures import png, write_tar

from hpe.train.augment.chance import Chance
from hpe.train.augment.mosaic import IGNORE, NOBODY, PERSON, Photos, mosaics, turned
from hpe.train.augment.pixels import Draw
from hpe.train.config import Augmentation
from hpe.train.data.people import read_photos

CPU = torch.device("cpu")
PERSONS, DOUBTFUL = (220, 20, 20), (20, 20, 220)
HEIGHT, WIDTH = 96, 80
TURNED = Augmentation(
    flip_p=0.5, turn_p=1.0, colour=0, grey_p=0, blur_p=0, motion_p=0, low_resolution_p=0, jpeg_p=0, occlude_p=0,
    mosaic=(1.0, 0.0), zoom=(0.6, 0.9),
)  # fmt: skip


def photo_of_a_person(folder: Path) -> Photos:
    """A person drawn as an ellipse that fills its box, and an area to ignore as a rectangle."""
    image = np.full((120, 100, 3), 90, np.uint8)
    cv2.ellipse(image, (35, 60), (15, 40), 0, 0, 360, PERSONS, -1, cv2.LINE_AA)
    cv2.rectangle(image, (65, 40), (84, 79), DOUBTFUL, -1)
    people = [{"box": [19.5, 19.5, 50.5, 100.5]}, {"box": [64.5, 39.5, 84.5, 79.5], "ignore": True}]
    write_tar(folder / "turned-0.tar", {"0.png": png(image)})
    row = {"id": "turned/0", "shard": "turned-0.tar", "file": "0.png", "people": people}
    (folder / "turned.json").write_text(json.dumps([row]))
    return Photos(read_photos(folder / "turned.json"), CPU)


def drawn(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """The edges x0, y0, x1, y1 of what has about that colour."""
    ys, xs = (np.abs(picture.astype(int) - colour).max(axis=2) < 70).nonzero()
    return np.array([xs.min() - 0.5, ys.min() - 0.5, xs.max() + 0.5, ys.max() + 0.5])


@pytest.mark.parametrize("degrees", [0, 30, -30, 90, 180, 270])
def test_the_box_encloses_the_person_who_was_turned_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, degrees: int
) -> None:
    angle = torch.tensor(math.radians(degrees))
    monkeypatch.setattr("hpe.train.augment.mosaic._angles", lambda settings, chance: angle.repeat(chance.count))
    frames = mosaics(photo_of_a_person(tmp_path), Draw([1.0], CPU), HEIGHT, WIDTH, TURNED, Chance(1, 0, 3, CPU))
    for picture, boxes, kind in zip(*(part.numpy() for part in frames), strict=True):
        assert kind[:2].tolist() == [PERSON, IGNORE]
        np.testing.assert_allclose(boxes[0], drawn(picture, PERSONS), atol=2.5)
        np.testing.assert_allclose(boxes[1], drawn(picture, DOUBTFUL), atol=2.5)  # with all of its corners
    still = dataclasses.replace(TURNED, zoom=(0.9, 0.9))
    (box,) = (
        mosaics(photo_of_a_person(tmp_path), Draw([1.0], CPU), HEIGHT, WIDTH, still, Chance(1, 0, 1, CPU))[1][:, 0]
    ).numpy()
    wide = bool(box[2] - box[0] > box[3] - box[1])
    assert wide == (degrees in (90, 270))  # the person stands, leans or lies


def test_frames_are_turned_as_often_as_asked(tmp_path: Path) -> None:
    photos = photo_of_a_person(tmp_path)

    def boxes(turn_p: float) -> np.ndarray:
        settings = dataclasses.replace(TURNED, turn_p=turn_p)
        return mosaics(photos, Draw([1.0], CPU), HEIGHT, WIDTH, settings, Chance(1, 0, 60, CPU))[1][:, 0].numpy()

    upright = boxes(0.0)
    assert (upright[:, 3] - upright[:, 1] > 1.5 * (upright[:, 2] - upright[:, 0])).all()
    changed = np.abs(boxes(0.3) - upright).max(axis=1) > 0.5
    assert 0.15 < changed.mean() < 0.45


def test_every_quarter_and_tilts_to_both_sides_occur(tmp_path: Path) -> None:
    frames = mosaics(photo_of_a_person(tmp_path), Draw([1.0], CPU), HEIGHT, WIDTH, TURNED, Chance(2, 0, 40, CPU))
    lying = 0
    for picture, boxes, kind in zip(*(part.numpy() for part in frames), strict=True):
        x0, y0, x1, y1 = drawn(picture, PERSONS)
        lying += x1 - x0 > y1 - y0
        assert kind[0] == PERSON
        np.testing.assert_allclose(boxes[0], [x0, y0, x1, y1], atol=2.5)
    assert 5 < lying < 27  # a half is turned by quarters, and two of three of those put a person on their side


def test_who_is_turned_out_of_the_frame_is_no_person() -> None:
    boxes = torch.tensor([[[0.0, 0.0, 20.0, 10.0], [0.0, 60.0, 20.0, 130.0], [90.0, 90.0, 110.0, 110.0]]])
    kind = torch.full((1, 3), PERSON)
    seen, kinds = turned(boxes, kind, torch.tensor([math.pi / 2]), 200, 400)
    assert kinds[0].tolist() == [NOBODY, NOBODY, PERSON]
    # the third one's middle, 99.5 px to the left of the frame's, comes to lie as far above it
    np.testing.assert_allclose(seen[0, 2], [189.0, -0.5, 209.0, 10.0], atol=0.01)
