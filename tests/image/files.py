"""Pictures as files, made by Pillow."""

import io

import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()


def save(picture: Image.Image | np.ndarray, format: str = "PNG", **options: object) -> bytes:
    """A picture, or an array of its pixels -> the file."""
    out = io.BytesIO()
    (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(out, format, **options)
    return out.getvalue()
