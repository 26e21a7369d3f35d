"""Photos without people: where the locator finds someone all the same."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from engine.stand_ins import CARD, BoxSession, DotSession, estimator_of, person
from train.figures import write_sceneries

from hpe.engine.estimator import PoseEstimator
from hpe.engine.networks import compose
from hpe.errors import BadSettings
from hpe.label.lookalikes import lookalikes, write_lookalikes
from hpe.train.config import Source
from hpe.train.data.readers import read_source


def test_boxes_of_every_view_are_px_of_the_photo() -> None:
    class Left(BoxSession):
        """Finds one person, on the left of any picture."""

        def run(self, batch: np.ndarray) -> np.ndarray:
            height, width = batch.shape[1:3]
            self.boxes = np.array([[0.1 * width, 0.2 * height, 0.4 * width, 0.8 * height]])
            return super().run(batch)

    estimator = PoseEstimator(compose(Left(np.zeros((0, 4))), DotSession(), CARD))
    boxes = lookalikes(estimator, np.zeros((200, 200, 3), np.uint8))
    assert boxes[0] == pytest.approx([20, 40, 80, 160], abs=4)
    # corners of 120 px: the box is 0.6 times as large, and lies in its own corner
    wanted = [[x + 12, y + 24, x + 48, y + 96] for y in (0, 80) for x in (0, 80)]
    np.testing.assert_allclose(boxes[1:], wanted, atol=4)


def test_the_file_of_lookalikes_is_one_that_a_source_reads(tmp_path: Path) -> None:
    source = Source("empty", str(write_sceneries(tmp_path, 10)), options={"part": "lookalikes"})
    estimator = estimator_of([person(30, 30, 12)], (150, 110))
    out = tmp_path / "labels" / "lookalikes.json"
    summary = write_lookalikes(estimator, read_source(source), out)
    assert "20 boxes in 4 of 4 photos" in summary
    assert {row["id"] for row in json.loads(out.read_text())} == {"1.png", "2.png", "6.png", "7.png"}
    samples = read_source(dataclasses.replace(source, labels=str(out)))
    assert [s.lookalike for s in samples].count(True) == 20


def test_a_model_without_a_locator_cannot_say(tmp_path: Path) -> None:
    estimator = PoseEstimator(compose(None, DotSession(), dataclasses.replace(CARD, locate=None)))
    with pytest.raises(BadSettings, match="has no locator"):
        write_lookalikes(estimator, [], tmp_path / "labels.json")
