"""A locator that proposes more than the product's."""

from dataclasses import replace

from hpe.engine.estimator import PoseEstimator
from hpe.errors import BadSettings


def with_locator_threshold(estimator: PoseEstimator, threshold: float) -> PoseEstimator:
    """The same networks; boxes count from another score on. Raises BadSettings for a model without a locator."""
    locate = estimator.card.locate
    if locate is None:
        raise BadSettings(f"{estimator.card.name} has no locator: give a manifest that has one, like models/pose.json")
    return PoseEstimator(estimator.networks.with_card(locate=replace(locate, threshold=threshold, photo_threshold=0.0)))
