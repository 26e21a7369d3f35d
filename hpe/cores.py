"""How many threads this process can keep busy."""

import os
from pathlib import Path
from typing import Final

CGROUPS: Final = Path("/sys/fs/cgroup")


def usable_cores(cgroups: Path = CGROUPS) -> int:
    """Cores that this process may run on: in a container often fewer than it sees."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cpu_quota(cgroups)
    return seen if share is None else max(1, min(seen, whole_cores(share)))


def whole_cores(share: float) -> int:
    """A share of CPU in cores -> how many threads it keeps busy.

    1.7 feeds two; with 1.45 or less, two threads wait for each other's turn and one alone is faster
    (docs/decisions/threads.md).
    """
    return int(share + 0.3)


def cpu_quota(cgroups: Path = CGROUPS) -> float | None:
    """The container's CPU limit in cores (docker --cpus), None if there is none. cgroups v2, then v1."""
    v2, v1 = cgroups / "cpu.max", cgroups / "cpu"
    try:
        if v2.exists():
            limit, per = v2.read_text().split()
        else:
            limit, per = (v1 / "cpu.cfs_quota_us").read_text().strip(), (v1 / "cpu.cfs_period_us").read_text()
        return None if limit in ("max", "-1") else int(limit) / int(per)
    except (OSError, ValueError):
        return None
