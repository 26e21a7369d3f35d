"""Estimators that stand in for the real one."""

import pytest
from commands.test_predict import Fake

from hpe.commands.predict import work


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Fake:
    """What `hpe predict` estimates with, but in tests with the real model. Its `sizes` tell how many photos were."""
    found = Fake()
    if "real" not in request.keywords:
        monkeypatch.setattr(work, "open_estimator", lambda _: found)
    return found
