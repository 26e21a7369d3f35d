"""Photos that may be used, made here: skimage's astronaut (NASA, public domain) in five framings."""

import io
from pathlib import Path


def make_photos(folder: Path) -> list[Path]:
    """Write five JPEGs of different sizes and framings; the last is larger than a direct call may be."""
    import numpy as np
    import skimage.data
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    astronaut = Image.fromarray(skimage.data.astronaut())
    wide = Image.new("RGB", (1200, 700), (90, 110, 130))
    wide.paste(astronaut, (500, 120))
    noise = np.random.default_rng(7).integers(0, 30, (2400, 2400, 3))
    big = np.asarray(astronaut.resize((2400, 2400))).astype(int) + noise
    pictures = {
        "plain": astronaut,
        "mirrored": astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "off-centre": wide,
        "small": astronaut.resize((200, 200)),
        "big": Image.fromarray(big.clip(0, 255).astype("uint8")),
    }
    paths = []
    for name, picture in pictures.items():
        path = folder / f"{name}.jpg"
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=97 if name == "big" else 92)
        path.write_bytes(out.getvalue())
        paths.append(path)
    return paths
