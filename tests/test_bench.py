"""What the tables of bench/ are made of."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bench import cost, everyday
from bench.photos import crowd


@pytest.mark.parametrize("people", [0, 1, 2, 5, 10, 20])
def test_a_crowd_has_a_box_for_each_of_its_people(people: int) -> None:
    data, boxes = crowd(640, people)
    photo = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert photo.shape == (480, 640, 3)
    assert boxes.shape == (people, 4)
    assert len(np.unique(boxes[:, :2], axis=0)) == people
    assert (boxes >= 0).all()
    assert (boxes[:, 2] <= 640).all()
    assert (boxes[:, 3] <= 480).all()
    for x0, y0, x1, y1 in boxes.astype(int):
        assert photo[y0:y1, x0:x1].std() > 30, "a person is in it"


def test_cost_follows_memory_threads_and_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "measure", lambda people, threads, rounds: {"all": {1: 100.0, 2: 60.0}[threads]})
    assert cost.milliseconds(1, 1769, 9) == 100
    assert cost.milliseconds(1, 1769 // 2, 9) == pytest.approx(200, rel=0.01)
    assert cost.milliseconds(1, 3538, 9) == 60
    assert cost.milliseconds(1, 3008, 9) == pytest.approx(60 / 0.85, rel=0.01)
    # 1.7275 GB for 0.1 s at $1 a GB-second, a thousand times, and $1.20 a million requests
    assert cost.dollars(1, 1769, 1.0, 9) == pytest.approx(1769 / 1024 * 100 + 0.0012)


def test_a_photo_counts_with_its_fastest_round() -> None:
    rounds = [[(12.0, 1), (40.0, 3)], [(15.0, 1), (31.0, 3)]]
    assert everyday.fastest(rounds) == [(12.0, 1), (31.0, 3)]


def test_every_photo_of_a_folder_is_timed_by_the_version_on_the_path(tmp_path: Path, root: Path) -> None:
    photo = np.full((96, 128, 3), 90, np.uint8)
    for name in ("a.jpg", "b.jpg"):
        cv2.imwrite(str(tmp_path / name), photo)
    rows = everyday.timed(root, tmp_path)
    assert [people for _, people in rows] == [0, 0]
    assert all(ms > 0 for ms, _ in rows)
