"""What docs/training.md shows works as it stands there."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from train.figures import stick_figure

from hpe.train.config import read_config
from hpe.train.data.people import people_of, read_photos


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs/training.md").read_text("utf-8")


def block(page: str, language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)[0]


def test_its_code_writes_a_set_that_is_read_with_joints_in_place(page, tmp_path):
    image, points = stick_figure(1, 200)
    points = points[:16]
    joints = [[float(x), float(y), 1] for x, y in points]
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), image)
    names: dict[str, object] = {}
    exec(block(page, "python"), names)
    photos = [(tmp_path / "a.png", [{"box": [20, 10, 180, 190], "joints": joints}]), (tmp_path / "b.png", [])]
    names["write_set"](tmp_path / "mine.json", photos, longest=100)
    first, second = read_photos(tmp_path / "mine.json")
    assert first.image().shape == (100, 100, 3)
    np.testing.assert_allclose(first.boxes, [[9.75, 4.75, 89.75, 94.75]])
    (person,) = people_of([first, second])
    np.testing.assert_allclose(person.points[:16], (points + 0.5) / 2 - 0.5, atol=1e-3)
    assert len(second.boxes) == 0


def test_its_configuration_is_read(page, tmp_path):
    (tmp_path / "mine.yaml").write_text(block(page, "yaml"))
    assert read_config(tmp_path / "mine.yaml").name == "mine"


def test_it_names_every_configuration_of_the_repository(page, root):
    assert all(path.name in page for path in (root / "configs").glob("*.yaml"))
