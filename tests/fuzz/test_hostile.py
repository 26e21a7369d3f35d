"""Pictures made to eat memory or time, each decoded in a process of its own that is watched."""

import pytest

from fuzz.hostile import HOSTILE
from fuzz.measured import Cost, cost_of, costs

# Far over what any takes (`python -m fuzz hostile` says what they do): a busy machine must not fail this.
CPU_S = 2.0
MEGABYTES = 200.0


@pytest.fixture(scope="module")
def measured() -> dict[str, Cost]:
    return {name: cost for name, _, cost in costs()}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_is_refused_or_does_no_harm(measured: dict[str, Cost], name: str) -> None:
    cost, readable = measured[name], HOSTILE[name][1]
    assert cost.harmless, cost.outcome
    if readable is not None:
        assert (cost.outcome == "answered") == readable, cost.outcome
    assert cost.cpu_ms < CPU_S * 1000
    assert cost.megabytes < MEGABYTES


def test_what_does_harm_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from hpe.image import decode

    def hungry(*_: object) -> None:
        bytes(b"\1" * 1_500_000_000)  # far over what earlier tests may have left as this process's own peak

    monkeypatch.setattr(decode, "image_type", lambda data: hungry() or "png")
    assert cost_of(b"x").megabytes > MEGABYTES
    monkeypatch.setattr(decode, "image_type", lambda data: 1 / 0)
    cost = cost_of(b"x")
    assert (cost.harmless, cost.outcome) == (False, "ZeroDivisionError: division by zero")
