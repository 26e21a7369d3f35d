"""Photographs to time requests with: the astronaut of scikit-image, at the sizes that cameras and sites use."""

from functools import cache

import cv2
import numpy as np


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
