"""This version against an earlier one on the same everyday photos: HPE_BEFORE=PATH, a checkout of that version.

The photos are those of HPE_PHOTOS, a tar, and else of people-val, beside this checkout.
"""

import contextlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.processes import ROOT
from bench.report import Effort, table

PHOTOS: Final = ROOT.parent / "shared" / "data" / "people" / "people-val-0.tar"
GROUPS: Final[Mapping[str, tuple[int, int]]] = {
    "nobody": (0, 0),
    "one": (1, 1),
    "2": (2, 2),
    "3 to 5": (3, 5),
    "6 to 20": (6, 20),
    "all photos": (0, 20),
}
# Both versions have this much of the Python API. The earlier one has a person or None for an answer.
_TIMED: Final = """
import json, sys, time
import cv2
from hpe import PoseEstimator
estimator = PoseEstimator(threads=int(sys.argv[1]))
for line in sys.stdin:
    rgb = cv2.imread(line.strip())[:, :, ::-1].copy()
    estimator(rgb)
    begin = time.perf_counter()
    answer = estimator(rgb)
    ms = (time.perf_counter() - begin) * 1e3
    print(json.dumps([ms, len(answer) if isinstance(answer, list) else int(answer is not None)]), flush=True)
"""


def run(effort: Effort) -> str:
    """The section of results.md. Exits if the earlier version or the photos are not there."""
    text = ["## Against an earlier version"]
    before, photos = os.environ.get("HPE_BEFORE"), Path(os.environ.get("HPE_PHOTOS", PHOTOS))
    if not before or not photos.exists():  # the section that stands is kept
        raise SystemExit(f"This takes HPE_BEFORE, a checkout of an earlier version, and the photos of {photos}.")
    text.append(
        f"The joints of everybody in a decoded photo, ms, by the people that this version finds: the photos of "
        f"`{photos.name}` and scikit-image's astronaut (512x512 px), each once a round by one version and then by the "
        "other, medians of the rounds and then means over the photos."
    )
    with tempfile.TemporaryDirectory() as folder:
        _unpack(photos, Path(folder))
        for threads in (1, 2):
            rounds = [_times([Path(before), ROOT], Path(folder), threads) for _ in range(max(1, effort.rounds // 14))]
            text += [f"### {threads} thread{'s'[: threads > 1]}", compared(rounds)]
    return "\n\n".join(text)


def _unpack(photos: Path, folder: Path) -> None:
    import cv2
    from skimage.data import astronaut

    with tarfile.open(photos) as tar:
        tar.extractall(folder, filter="data")
    cv2.imwrite(str(folder / "astronaut.png"), astronaut()[:, :, ::-1])


def _times(checkouts: Sequence[Path], folder: Path, threads: int) -> list[dict[str, Any]]:
    """Each photo's ms and people, by each checkout. Photo by photo: a host that slows down slows both versions."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(_started(checkout, threads)) for checkout in checkouts]
        found: list[dict[str, Any]] = [{} for _ in checkouts]
        for path in sorted(folder.iterdir()):
            for process, times in zip(running, found, strict=True):
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(f"{path}\n")
                process.stdin.flush()
                times[path.name] = json.loads(process.stdout.readline())
    return found


def _started(checkout: Path, threads: int) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-c", _TIMED, str(threads)]
    return subprocess.Popen(command, cwd=checkout, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def compared(rounds: list[list[dict[str, Any]]]) -> str:
    """Rounds of (before, now), each photo's ms and people -> a table of means by the people found now."""
    names = sorted(rounds[0][0])
    old, new = (np.array([np.median([pair[k][n][0] for pair in rounds]) for n in names]) for k in (0, 1))
    people = np.array([rounds[0][1][n][1] for n in names])
    groups = {name: (people >= low) & (people <= high) for name, (low, high) in GROUPS.items()}
    groups["the astronaut"] = np.array([n == "astronaut.png" for n in names])
    rows = [
        [name, int(chosen.sum()), round(old[chosen].mean(), 1), round(new[chosen].mean(), 1),
         f"{new[chosen].mean() / old[chosen].mean():.2f}"]
        for name, chosen in groups.items() if chosen.any()
    ]  # fmt: skip
    return table(["people found", "photos", "before", "now", "ratio"], rows)
