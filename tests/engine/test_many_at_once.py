"""Several pictures at a time, other processes, and onnxruntime's providers."""

import pickle

import numpy as np
import pytest
from engine.stand_ins import DotSession, estimator_of, person, scene

from hpe.engine.bundle import open_bundle
from hpe.engine.estimator import PoseEstimator
from hpe.engine.networks import load
from hpe.errors import BadSettings
from hpe.settings import Settings

PEOPLE = [person(60, 60, 30), person(300, 80, 30)]
PICTURE = (480, 320)


def test_a_batch_gives_each_picture_what_a_call_gives_it() -> None:
    session = DotSession()
    estimator = estimator_of(PEOPLE, PICTURE, session)
    images = [scene(*PICTURE, PEOPLE, 4), scene(*PICTURE, PEOPLE[:1], 4), np.zeros((320, 480, 3), np.uint8)] * 2
    one_by_one = [estimator(image) for image in images]
    runs = len(session.batches)
    assert estimator.batch(images) == one_by_one
    assert [len(poses) for poses in one_by_one] == [2, 1, 0] * 2
    assert len(session.batches) - runs < runs, "crops of several pictures share a run"
    assert max(len(batch) for batch in session.batches) == 4
    assert estimator.batch([]) == []


def test_poses_know_the_size_of_their_image() -> None:
    estimator = estimator_of(PEOPLE, PICTURE)
    assert [pose.size for pose in estimator(scene(*PICTURE, PEOPLE, 4))] == [PICTURE] * 2


@pytest.mark.real
def test_an_estimator_is_opened_again_in_another_process(astronaut: np.ndarray) -> None:
    estimator = PoseEstimator(threads=1, threshold=0.4, max_people=3)
    copy = pickle.loads(pickle.dumps(estimator))
    assert (copy.threshold, copy.max_people, copy.card) == (0.4, 3, estimator.card)
    assert copy(astronaut) == estimator(astronaut)


@pytest.mark.real
def test_a_changed_card_goes_along() -> None:
    networks = PoseEstimator(threads=1).networks.with_card(person_threshold=0.123)
    assert pickle.loads(pickle.dumps(PoseEstimator(networks))).card.person_threshold == 0.123


def test_networks_that_were_not_loaded_cannot_be_sent() -> None:
    with pytest.raises(BadSettings, match="not loaded from files"):
        pickle.dumps(estimator_of(PEOPLE, PICTURE))


@pytest.mark.real
@pytest.mark.parametrize("providers", ["CPUExecutionProvider", "cpu", ["CPU"], ("cpu",)])
def test_the_processor_is_a_provider_by_name(astronaut: np.ndarray, providers: str) -> None:
    estimator = PoseEstimator(threads=1, providers=providers)
    assert estimator.networks.origin is not None
    assert estimator.networks.origin.providers == ("CPUExecutionProvider",)
    assert len(estimator(astronaut)) == 1


@pytest.mark.real
@pytest.mark.parametrize("providers", ["cuda", ["CoreMLExecutionProvider", "cpu"], "gpu", [7]])
def test_a_provider_that_is_not_installed_is_told_with_those_that_are(providers: str) -> None:
    with pytest.raises(BadSettings, match=r"not in this onnxruntime, which has .*CPUExecutionProvider.*: install"):
        PoseEstimator(providers=providers)


@pytest.mark.real
def test_a_provider_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    there = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)
    with pytest.raises(BadSettings, match="CUDAExecutionProvider could not be started"):
        load(open_bundle("", Settings.cache_dir), providers="cuda")
