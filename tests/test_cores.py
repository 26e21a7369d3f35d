"""Threads follow the share of CPU that a container, a pod or a systemd unit has."""

from pathlib import Path

import pytest

from hpe.cores import MAX_THREADS, cpu_quota, usable_cores


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of control groups, on a machine of eight cores."""
    (tmp_path / "cpu").mkdir()
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


def own(cgroups: Path, *lines: str) -> Path:
    """The kernel's list of a process's groups."""
    path = cgroups / "own"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def v2(group: Path, limit: str) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.max").write_text(f"{limit}\n")


def v1(group: Path, quota: int, per: int = 100_000) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (group / "cpu.cfs_period_us").write_text(f"{per}\n")


@pytest.mark.parametrize(
    ("limit", "threads"),
    [("max 100000", 8), ("50000 100000", 1), ("145000 100000", 1), ("170000 100000", 2), ("900000 100000", 8)],
)
def test_a_container_with_part_of_the_cores_gets_as_many_threads(cgroups: Path, limit: str, threads: int) -> None:
    v2(cgroups, limit)
    assert usable_cores(cgroups) == threads


def test_the_older_kind_of_cgroup_is_read_as_well(cgroups: Path) -> None:
    v1(cgroups / "cpu", 200_000)
    assert cpu_quota(cgroups) == 2.0
    v1(cgroups / "cpu", -1)
    assert cpu_quota(cgroups) is None


@pytest.mark.parametrize("limited", ["system.slice/hpe.service", "system.slice"])
def test_a_systemd_unit_is_held_to_its_quota_and_to_its_slices(cgroups: Path, limited: str) -> None:
    v2(cgroups / "system.slice/hpe.service", "max 100000")
    v2(cgroups / "system.slice", "max 100000")
    v2(cgroups / limited, "300000 100000")
    assert usable_cores(cgroups, own(cgroups, "0::/system.slice/hpe.service")) == 3


def test_of_nested_limits_the_least_counts(cgroups: Path) -> None:
    v2(cgroups / "a", "200000 100000")
    v2(cgroups / "a/b", "600000 100000")
    v2(cgroups / "a/b/c", "max 100000")
    assert cpu_quota(cgroups, own(cgroups, "0::/a/b/c")) == 2.0
    v2(cgroups / "other", "100000 100000")
    assert cpu_quota(cgroups, own(cgroups, "0::/a/b/c")) == 2.0, "another group's limit is not ours"


@pytest.mark.parametrize("limited", ["kubepods/burstable/pod1/box", "kubepods/burstable/pod1", "kubepods"])
@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_nested_groups_of_the_older_kind_are_read(cgroups: Path, limited: str, mount: str) -> None:
    (cgroups / "cpu").rmdir()
    v1(cgroups / mount / "kubepods/burstable/pod1/box", -1)
    v1(cgroups / mount / limited, 400_000)
    lines = ("5:memory:/elsewhere", f"4:{mount}:/kubepods/burstable/pod1/box", "0::/")
    assert usable_cores(cgroups, own(cgroups, *lines)) == 4


def test_a_container_that_sees_its_own_group_as_the_root_is_held_to_it(cgroups: Path) -> None:
    v2(cgroups, "250000 100000")
    for path in ("/docker/0123abc", "/", "/../../other.slice"):
        assert cpu_quota(cgroups, own(cgroups, f"0::{path}")) == 2.5
    v2(cgroups / "system.slice/worker.service", "100000 100000")
    assert cpu_quota(cgroups, own(cgroups, "0::/docker/0123abc/system.slice/worker.service")) == 1.0


def test_what_is_no_limit_limits_nothing(cgroups: Path) -> None:
    for text in ("", "0 0", "garbage", "100000 0"):
        (cgroups / "cpu.max").write_text(text)
        assert cpu_quota(cgroups, own(cgroups, "no line", "", "0::")) is None


def test_without_cgroups_every_core_is_used(cgroups: Path) -> None:
    assert cpu_quota(cgroups) is None
    assert usable_cores(cgroups) == 8
    assert usable_cores(cgroups / "none", cgroups / "none") == 8


def test_no_machine_is_too_large(cgroups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(1024)))
    assert usable_cores(cgroups) == MAX_THREADS


def test_systems_that_count_cores_in_another_way_have_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1
