"""What the ways to make labels share: a locator that proposes more than the product's, and the file they write."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpe.engine.estimator import PoseEstimator
from hpe.errors import BadSettings


def with_locator_threshold(estimator: PoseEstimator, threshold: float) -> PoseEstimator:
    """The same networks; boxes count from another score on. Raises BadSettings for a model without a locator."""
    locate = estimator.card.locate
    if locate is None:
        raise BadSettings(f"{estimator.card.name} has no locator: give a manifest that has one, like models/pose.json")
    return PoseEstimator(estimator.networks.with_card(locate=replace(locate, threshold=threshold, photo_threshold=0.0)))


def write_labels(out: Path, rows: Sequence[Any]) -> None:
    """A file for a source's `labels`; its folder is made."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows))
