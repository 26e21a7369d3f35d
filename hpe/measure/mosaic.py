"""Whole photos side by side in one: larger photos with smaller people than a data set has."""

import cv2
import numpy as np

from hpe.train.data.people import Photo


def mosaics(photos: list[Photo], across: int) -> list[Photo]:
    """M photos -> ceil(M / across^2) photos of across x across of them, black where there is none.

    Each photo keeps its px and lies in the middle of its cell; a cell is a square of the longest side of all photos.
    """
    images = [photo.image() for photo in photos]
    cell = max((max(image.shape[:2]) for image in images), default=0)
    made = []
    for start in range(0, len(photos), across**2):
        rgb = np.zeros((across * cell, across * cell, 3), np.uint8)
        boxes, joints, faces, count = [], [], set[int](), 0
        members = photos[start : start + across**2]
        for k, (photo, image) in enumerate(zip(members, images[start:], strict=False)):
            height, width = image.shape[:2]
            x, y = k % across * cell + (cell - width) // 2, k // across * cell + (cell - height) // 2
            rgb[y : y + height, x : x + width] = image
            boxes.append(photo.boxes + np.array([x, y, x, y], np.float32))
            joints.append(photo.joints + np.array([x, y, 0], np.float32))
            faces |= {count + face for face in photo.faces}
            count += len(photo.boxes)
        made.append(
            Photo(
                " + ".join(photo.id for photo in members),
                cv2.imencode(".png", rgb[..., ::-1])[1].tobytes(),
                np.concatenate(boxes),
                np.concatenate([photo.ignore for photo in members]),
                np.concatenate(joints),
                faces=frozenset(faces),
            )
        )
    return made
