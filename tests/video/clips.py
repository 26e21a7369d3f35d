"""Clips for tests, made on the spot from the site's sample photos: nothing is downloaded, nothing committed."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SAMPLES = Path(__file__).resolve().parents[2] / "static-site" / "samples"


def sample(name: str, width: int = 480) -> NDArray[np.uint8]:
    """A sample photo as (H, W, 3) uint8 RGB of that width."""
    rgb = cv2.cvtColor(cv2.imread(str(SAMPLES / f"{name}.jpg")), cv2.COLOR_BGR2RGB)
    return cv2.resize(rgb, (width, round(rgb.shape[0] * width / rgb.shape[1]) // 2 * 2), interpolation=cv2.INTER_AREA)


def panned(photo: NDArray[np.uint8], frames: int, step: float = 2.0) -> list[NDArray[np.uint8]]:
    """The photo as a camera sees it that moves `step` px a frame."""
    height, width = photo.shape[:2]
    moves = [np.array([[1.0, 0, -step * n], [0, 1.0, 0]]) for n in range(frames)]
    return [cv2.warpAffine(photo, move, (width, height), borderMode=cv2.BORDER_REPLICATE) for move in moves]


def write_clip(path: Path, frames: list[NDArray[np.uint8]], fps: float = 30.0, codec: str = "mp4v") -> Path:
    """Frames -> a file that OpenCV writes: mp4v for .mp4 and .avi, VP80 for .webm, MJPG for .avi."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), fps, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def plain(frames: int, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Grey pictures, each a little lighter than the one before."""
    return [np.full((height, width, 3), 40 + 4 * n, np.uint8) for n in range(frames)]
