"""What people's own photos take: those of coco-val, beside another version if its checkout is given.

Run as a program, with a checkout on PYTHONPATH, it times that checkout's estimator: `everyday.py FOLDER`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from bench.report import Effort

ROOT: Final = Path(__file__).resolve().parents[1]
VAL: Final = ROOT.parent / "shared" / "data" / "coco" / "coco-val.json"
EVERY: Final = 5  # of 651 photos
COUNTS: Final = {"nobody": (0, 0), "one": (1, 1), "2 to 5": (2, 5), "6 and more": (6, 99)}
# milliseconds, and how many people were found
Row = tuple[float, int]


def run(effort: "Effort") -> str:
    """The section of results.md."""
    from bench.report import table

    if not VAL.exists():
        return "## Everyday photos\n\nNot measured: ../shared/data is not beside this checkout."
    with tempfile.TemporaryDirectory() as name:
        written = write_photos(Path(name))
        checkouts = {"this": ROOT} | ({"the other": Path(effort.beside).resolve()} if effort.beside else {})
        found: dict[str, list[list[Row]]] = {who: [] for who in checkouts}
        for _ in range(max(2, effort.rounds // 7)):  # in turn, so that a busy moment hits all of them
            for who, checkout in checkouts.items():
                found[who].append(timed(checkout, Path(name)))
    best = {who: fastest(rounds) for who, rounds in found.items()}
    rows = []
    for kind, (least, most) in {**COUNTS, "all": (0, 99)}.items():
        chosen = [n for n, (_, people) in enumerate(best["this"]) if least <= people <= most]
        means = [float(np.mean([best[who][n][0] for n in chosen])) if chosen else 0.0 for who in best]
        rows.append([kind, len(chosen), *means, *([means[0] / max(means[1], 1e-9)] if effort.beside else [])])
    beside = ["another version's, ms", "ratio"] if effort.beside else []
    return "\n\n".join(
        [
            "## Everyday photos",
            f"Every {EVERY}th photo of `coco-val`, {written} of up to 640 px, from pixels to everybody's keypoints; "
            f"one thread, a photo's fastest of {len(found['this'])} rounds, means by how many people are found."
            + (f" Beside it {described(effort.beside)}, in turns." if effort.beside else ""),
            table(["people found", "photos", "ms", *beside], rows),
        ]
    )


def write_photos(folder: Path) -> int:
    """The photos as JPEG files. -> how many"""
    from hpe.train.data.people import read_photos

    photos = read_photos(VAL)[::EVERY]
    for number, photo in enumerate(photos):
        cv2.imwrite(str(folder / f"{number:04}.jpg"), photo.image()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    return len(photos)


def timed(checkout: Path, folder: Path) -> list[Row]:
    """What a version takes for each photo of a folder, in a process of its own."""
    environ = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(folder)]
    done = subprocess.run(command, cwd=checkout, env=environ, stdout=subprocess.PIPE, check=True)
    return [(float(ms), int(people)) for ms, people in json.loads(done.stdout)]


def fastest(rounds: list[list[Row]]) -> list[Row]:
    """-> each photo's fastest round."""
    return [min(rows) for rows in zip(*rounds, strict=True)]


def described(checkout: str) -> str:
    """Which version it is, by git."""
    command = ["git", "-C", checkout, "describe", "--tags", "--always"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def main() -> None:
    """Time the version on the path."""
    from hpe import PoseEstimator

    cv2.setNumThreads(1)
    pictures: list[Any] = [cv2.imread(str(path))[..., ::-1].copy() for path in sorted(Path(sys.argv[1]).glob("*.jpg"))]
    estimator = PoseEstimator(threads=1)
    for picture in pictures[:3]:
        estimator(picture)
    rows = []
    for picture in pictures:
        start = time.process_time()
        people = len(estimator(picture))
        rows.append(((time.process_time() - start) * 1e3, people))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
