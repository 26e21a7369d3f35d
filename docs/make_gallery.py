"""Makes the pictures of docs/gallery.md: the page's own Python, run on the photos that it names.

`make figures` runs it. The photos are the website's samples (public domain), and a person drawn here.
"""

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
from drawn_person import BODY, Body, render
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "static-site" / "samples"
LEGS = ("knee", "ankle")
# How deep the drawn person squats from frame to frame, 0 to 1: two squats.
DEPTHS = (0, 0.5, 1, 0.5, 0, 0.5, 1, 0.5, 0)
WIDTH_PX = 480


def squatting(depth: float) -> Body:
    """The drawn person, arms down, hips lowered between knees that go apart."""
    body = {name: (x, y + round(150 * depth)) for name, (x, y) in BODY.items()}
    for side, out in (("right", -1), ("left", 1)):
        hip = body[f"{side}_hip"]
        body[f"{side}_ankle"] = BODY[f"{side}_ankle"]
        body[f"{side}_knee"] = (hip[0] + out * round(20 + 110 * depth), round(690 + 40 * depth))
        shoulder = body[f"{side}_shoulder"]
        body[f"{side}_elbow"] = (shoulder[0] + out * 45, shoulder[1] + 110)
        body[f"{side}_wrist"] = (shoulder[0] + out * 60, shoulder[1] + 215)
    return body


def fallen() -> NDArray[np.uint8]:
    """The drawn person on the ground: (900, 1000, 3) uint8 RGB."""
    return np.ascontiguousarray(np.rot90(render()))


def write(path: Path, rgb: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    small = cv2.resize(rgb, (WIDTH_PX, round(WIDTH_PX * rgb.shape[0] / rgb.shape[1])), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])


def photos(folder: Path) -> None:
    """What the page's Python reads."""
    folder.mkdir(exist_ok=True)
    for name in ("people", "volleyball"):
        shutil.copy(SAMPLES / f"{name}.jpg", folder)
    write(folder / "fallen.jpg", fallen())
    for number, depth in enumerate(DEPTHS):
        write(folder / "squats" / f"{number:02}.jpg", render(body=squatting(depth)))


def blocks() -> list[str]:
    """The page's Python."""
    return re.findall(r"```python\n(.*?)```", (HERE / "gallery.md").read_text("utf-8"), re.S)


def main() -> None:
    """Run the page in a folder of its own, and keep the pictures that it shows."""
    shown = re.findall(r'src="gallery/([\w.-]+)"', (HERE / "gallery.md").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        photos(Path("photos"))
        for block in blocks():
            exec(compile(block, "docs/gallery.md", "exec"), {})  # noqa: S102  # nosec B102 (the page beside this file)
        (HERE / "gallery").mkdir(exist_ok=True)
        for picture in shown:
            source = cv2.imread(picture)
            side = max(source.shape[:2])
            small = cv2.resize(source, None, fx=min(1, 640 / side), fy=min(1, 640 / side), interpolation=cv2.INTER_AREA)
            cv2.imwrite(os.fspath(HERE / "gallery" / picture), small, [cv2.IMWRITE_JPEG_QUALITY, 85])


if __name__ == "__main__":
    main()
