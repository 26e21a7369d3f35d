"""Threads follow the share of CPU that a container has."""

from pathlib import Path

import pytest

from hpe.cores import cpu_quota, usable_cores


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of control groups, on a machine of eight cores."""
    (tmp_path / "cpu").mkdir()
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("limit", "threads"),
    [("max 100000", 8), ("50000 100000", 1), ("145000 100000", 1), ("170000 100000", 2), ("900000 100000", 8)],
)
def test_a_container_with_part_of_the_cores_gets_as_many_threads(cgroups: Path, limit: str, threads: int) -> None:
    (cgroups / "cpu.max").write_text(limit + "\n")
    assert usable_cores(cgroups) == threads


def test_the_older_kind_of_cgroup_is_read_as_well(cgroups: Path) -> None:
    (cgroups / "cpu/cpu.cfs_period_us").write_text("100000\n")
    (cgroups / "cpu/cpu.cfs_quota_us").write_text("200000\n")
    assert cpu_quota(cgroups) == 2.0
    (cgroups / "cpu/cpu.cfs_quota_us").write_text("-1\n")
    assert cpu_quota(cgroups) is None


def test_without_cgroups_every_core_is_used(cgroups: Path) -> None:
    assert cpu_quota(cgroups) is None
    assert usable_cores(cgroups) == 8


def test_systems_that_count_cores_in_another_way_have_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1
