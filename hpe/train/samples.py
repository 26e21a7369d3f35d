"""Samples: what a reader yields and how they are held in memory."""

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadData
from hpe.pose.skeleton import NUM_JOINTS


@dataclass(frozen=True)
class Sample:
    """One person in one picture, or a picture without people (`box` is then the whole picture).

    encoded: the image file's bytes. points: (16, 2) float32 px of that image; labelled: (16,) bool;
    box: (4,) float32 x0, y0, x1, y1, the tight box of the labelled joints, px. head_px: the data set's own
    PCKh reference length, or nan.
    """

    id: str
    encoded: bytes
    points: NDArray[np.float32]
    labelled: NDArray[np.bool_]
    box: NDArray[np.float32]
    empty: bool = False
    head_px: float = float("nan")

    def image(self) -> NDArray[np.uint8]:
        """-> (H, W, 3) uint8 RGB."""
        return decode_rgb(self.encoded, self.id)


def decode_rgb(encoded: bytes, name: str) -> NDArray[np.uint8]:
    """Image file bytes -> (H, W, 3) uint8 RGB. Raises BadData naming the file."""
    image = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise BadData(f"{name}: the image cannot be decoded: is the data set complete?")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def tight_box(points: NDArray[np.float32], labelled: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(16, 2), (16,) -> (4,) box of the labelled joints."""
    chosen = points[labelled]
    return np.concatenate([chosen.min(axis=0), chosen.max(axis=0)]).astype(np.float32)


def read_tar(path: Path) -> dict[str, bytes]:
    """A tar of images -> {file name: bytes}. Raises BadData where it is missing or broken."""
    try:
        data = path.read_bytes()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return {m.name: tar.extractfile(m).read() for m in tar.getmembers() if m.isfile()}  # type: ignore[union-attr]
    except OSError as error:
        raise BadData(f"{path}: {error.strerror or error}: give the data set's folder") from error
    except tarfile.TarError as error:
        raise BadData(f"{path} is not a complete tar file: {error}") from error


def empty_sample(name: str, encoded: bytes) -> Sample:
    """A picture with nobody in it: every joint has weight and an empty target."""
    height, width = decode_rgb(encoded, name).shape[:2]
    return Sample(
        id=name,
        encoded=encoded,
        points=np.zeros((NUM_JOINTS, 2), np.float32),
        labelled=np.ones(NUM_JOINTS, np.bool_),
        box=np.array([0, 0, width, height], np.float32),
        empty=True,
    )


class ImageCache:
    """Decoded images of many samples, decoded once. About 150 kB a sample of this project's data."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.images = [sample.image() for sample in samples]

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return self.images[index]
