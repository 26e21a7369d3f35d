"""Photographs to time requests with: the astronaut of scikit-image, at the sizes that cameras and sites use."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray


@cache
def jpeg(width: int) -> bytes:
    """JPEG bytes of a 4:3 photo `width` px wide, quality 88, as noisy as a camera's."""
    from skimage.data import astronaut

    height = width * 3 // 4
    person = cv2.resize(astronaut(), (height, height), interpolation=cv2.INTER_CUBIC)
    edge = (width - height) // 2
    photo = cv2.copyMakeBorder(person, 0, 0, edge, width - height - edge, cv2.BORDER_REFLECT)
    noise = np.random.default_rng(0).normal(0, 3, photo.shape)
    photo = np.clip(photo + noise, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1])


@cache
def crowd(width: int, people: int) -> tuple[bytes, NDArray[np.float64]]:
    """A noisy 4:3 JPEG `width` px wide with so many astronauts side by side, and their boxes (people, 4) in its px."""
    from skimage.data import astronaut

    height = width * 3 // 4
    rows = max(1, round(np.sqrt(people * 3 / 4)))
    columns = -(-people // rows) if people else 1
    side = min(width // columns, height // rows)
    person = cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    photo = np.full((height, width, 3), 120.0)
    boxes = []
    for number in range(people):
        top, left = number // columns * side, number % columns * side
        photo[top : top + side, left : left + side] = person
        boxes.append([left + 0.1 * side, top, left + 0.8 * side, top + 1.0 * side])
    photo = np.clip(photo + np.random.default_rng(0).normal(0, 3, photo.shape), 0, 255).astype(np.uint8)
    data = bytes(cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1])
    return data, np.array(boxes, dtype=np.float64).reshape(people, 4)
