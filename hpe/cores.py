"""How many threads this process can keep busy."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CGROUPS: Final = Path("/sys/fs/cgroup")
OWN_CGROUPS: Final = Path("/proc/self/cgroup")
# More threads than any machine has cores: ten thousand of them would stop one.
MAX_THREADS: Final = 256


def usable_cores(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> int:
    """Cores that this process may run on: in a container or a systemd unit often fewer than it sees."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cpu_quota(cgroups, own)
    return max(1, min(seen, MAX_THREADS, seen if share is None else whole_cores(share)))


def whole_cores(share: float) -> int:
    """A share of CPU in cores -> how many threads it keeps busy.

    1.7 feeds two; with 1.45 or less, two threads wait for each other's turn and one alone is faster
    (docs/decisions/threads.md).
    """
    return int(share + 0.3)


def cpu_quota(cgroups: Path = CGROUPS, own: Path = OWN_CGROUPS) -> float | None:
    """The CPU limit in cores (docker --cpus, Kubernetes' limits, systemd's CPUQuota), None if there is none.

    A group is held to the limits of all groups that it lies in, so the least of them counts; cgroups v1 and v2.
    cgroups: where they are mounted. own: the kernel's list of this process's groups.
    """
    quotas = [quota for group in _groups(cgroups, own) if (quota := _quota(group)) is not None]
    return min(quotas, default=None)


def _groups(cgroups: Path, own: Path) -> Iterator[Path]:
    """The folders of this process's groups that can limit its CPU, outermost last."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        lines = []
    mounts = {"": cgroups, "cpu": cgroups / "cpu"}  # of v2, of v1
    paths = dict.fromkeys(mounts, "/")
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers == "":
            paths[""] = path
        elif "cpu" in controllers.split(","):
            paths["cpu"] = path
            if not mounts["cpu"].is_dir():  # mounted with another: cpu,cpuacct
                mounts["cpu"] = cgroups / controllers
    for kind, mount in mounts.items():
        group = _mounted(mount, paths[kind])
        yield from (mount / part for part in (group, *group.parents))


def _mounted(mount: Path, path: str) -> Path:
    """A group's path as the kernel gives it -> the same within the mount.

    A container may see only its own group, mounted as the root, while the kernel gives the path on the host: then the
    outer names are not there. '..' leads to groups that are not mounted.
    """
    parts = [part for part in path.split("/") if part not in ("", "..")]
    tails = (Path(*parts[start:]) for start in range(len(parts) + 1))
    return next((tail for tail in tails if (mount / tail).is_dir()), Path())


def _quota(group: Path) -> float | None:
    """The limit in cores that one group states by itself; None if it states none."""
    try:
        if (v2 := group / "cpu.max").exists():
            limit, per = v2.read_text().split()
        else:
            limit, per = (group / "cpu.cfs_quota_us").read_text(), (group / "cpu.cfs_period_us").read_text()
        return None if limit.strip() in ("max", "-1") else int(limit) / int(per)
    except (OSError, ValueError, ZeroDivisionError):
        return None
