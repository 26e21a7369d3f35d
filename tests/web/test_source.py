"""hpe.web.source: one estimator a process, tried again after a failure, built once however many ask."""

import threading
import time
from typing import Any

import pytest
from web.fakes import FakeEstimator

from hpe.errors import ModelUnavailable
from hpe.settings import Settings
from hpe.web.source import EstimatorSource


class Builds:
    """In place of PoseEstimator: counts, and fails as often as it is told."""

    def __init__(self, failures: int = 0, takes_s: float = 0.0) -> None:
        self.failures, self.takes_s = failures, takes_s
        self.calls: list[tuple[Any, dict[str, Any]]] = []

    def __call__(self, model: Any, **options: Any) -> FakeEstimator:
        self.calls.append((model, options))
        time.sleep(self.takes_s)
        if len(self.calls) <= self.failures:
            raise ModelUnavailable("not yet")
        return FakeEstimator()


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> Builds:
    found = Builds()
    monkeypatch.setattr("hpe.engine.estimator.PoseEstimator", found)
    return found


def test_it_is_built_once(builds: Builds) -> None:
    source = EstimatorSource(Settings())
    assert source() is source()
    assert len(builds.calls) == 1


def test_a_failure_is_passed_on_and_the_next_call_tries_again(builds: Builds) -> None:
    builds.failures = 2
    source = EstimatorSource(Settings())
    for _ in range(2):
        with pytest.raises(ModelUnavailable):
            source()
    assert source() is source()
    assert len(builds.calls) == 3


def test_many_threads_build_it_once(builds: Builds) -> None:
    builds.takes_s = 0.1
    source, found = EstimatorSource(Settings()), []
    threads = [threading.Thread(target=lambda: found.append(source())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds.calls) == 1
    assert len({id(estimator) for estimator in found}) == 1


def test_settings_reach_it(builds: Builds) -> None:
    EstimatorSource(Settings())()
    EstimatorSource(Settings(model="m.json", threads=2, threshold=0.4, max_people=3, cache_dir="/c"))()
    assert builds.calls[0] == (None, {"threads": 0, "threshold": None, "max_people": 20, "cache_dir": "/tmp/hpe"})
    assert builds.calls[1] == ("m.json", {"threads": 2, "threshold": 0.4, "max_people": 3, "cache_dir": "/c"})


def test_warming_fetches_from_s3_ahead_and_survives_a_failure(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead: list[tuple[str, str]] = []

    def prefetch(model: str, folder: str) -> Any:
        ahead.append((model, folder))
        return lambda: "the bundle"

    monkeypatch.setattr("hpe.engine.bundle.prefetch", prefetch)
    builds.failures = 1
    source = EstimatorSource(Settings(model="s3://b/k.json", cache_dir="/c"))
    source.warm()
    assert ahead == [("s3://b/k.json", "/c")]
    assert source().card.name == "fake"
    assert [model for model, _ in builds.calls] == ["the bundle", "s3://b/k.json"]
    EstimatorSource(Settings()).warm()
    assert len(ahead) == 1
