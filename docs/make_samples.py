"""Makes the website's samples: photos of public domain, one drawing, and what the committed model says of them.

`make figures` writes static-site/samples/: NAME.jpg, NAME-thumb.jpg and NAME.json, the API's own answer to that very
file without its timings. Run it again whenever the model changes; tests/site/test_samples.py says when it is due.
With `--answers` the pictures stay as they are and only the answers are made again.
"""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from drawn_person import Body, render, shade
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "static-site" / "samples"
MOST_BYTES, THUMB = 60_000, 112
# A volleyball player in the air, seen from the front.
SMASH: Body = {
    "head": (470, 236), "neck": (464, 318),
    "right_shoulder": (394, 340), "left_shoulder": (536, 350),
    "right_elbow": (322, 250), "left_elbow": (628, 408),
    "right_wrist": (338, 132), "left_wrist": (712, 338),
    "right_hip": (420, 572), "left_hip": (508, 576),
    "right_knee": (346, 702), "left_knee": (602, 684),
    "right_ankle": (250, 812), "left_ankle": (566, 836),
}  # fmt: skip


def astronaut() -> Picture:
    """(512, 512, 3) uint8 RGB: Eileen Collins, NASA, public domain."""
    from skimage import data

    return np.asarray(data.astronaut())


def photographer() -> Picture:
    """(512, 512, 3) uint8 RGB, grey: by Lav Varshney, CC0."""
    from skimage import data

    return cv2.cvtColor(np.asarray(data.camera()), cv2.COLOR_GRAY2RGB).astype(np.uint8)


def admiral() -> Picture:
    """(600, 512, 3) uint8 RGB: Grace Hopper, US Navy, public domain; matplotlib ships it."""
    from matplotlib import cbook
    from PIL import Image

    return np.asarray(Image.open(cbook.get_sample_data("grace_hopper.jpg")).convert("RGB"))


def people() -> Picture:
    """(512, 1080, 3) uint8 RGB: three photos side by side, as large as the first and the last are."""
    middle = cv2.resize(admiral(), (437, 512), interpolation=cv2.INTER_AREA)
    return np.hstack([photographer()[:, :340], middle[:, 67:437], astronaut()[:, 70:440]]).astype(np.uint8)


def volleyball() -> Picture:
    """(700, 630, 3) uint8 RGB: a drawn player at the top of a jump, about to hit the ball."""
    picture = render(seed=3, body=SMASH).astype(np.float32)
    centre = np.array([372, 62], np.float32)
    shade(picture, centre - 2, centre + 2, 46, 46, (236, 222, 150))
    return cv2.resize(picture, (630, 700), interpolation=cv2.INTER_AREA).astype(np.uint8)


PICTURES = {"astronaut": astronaut, "people": people, "volleyball": volleyball}


def jpeg(picture: Picture, limit: int) -> bytes:
    """The best JPEG under `limit` bytes."""
    for quality in range(90, 30, -2):
        options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
        data = cv2.imencode(".jpg", picture[..., ::-1], options)[1].tobytes()
        if len(data) <= limit:
            return data
    raise ValueError(f"no JPEG of {picture.shape} fits {limit} bytes")


def thumb(picture: Picture) -> Picture:
    """The middle square, (THUMB, THUMB, 3)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return cv2.resize(
        picture[top : top + side, left : left + side], (THUMB, THUMB), interpolation=cv2.INTER_AREA
    ).astype(np.uint8)


def answer(photo: bytes) -> dict[str, Any]:
    """What POST /pose?format=json says of a photo, without what differs from run to run."""
    from hpe.settings import Settings
    from hpe.web.api import handle
    from hpe.web.messages import Request
    from hpe.web.source import EstimatorSource

    settings = Settings()
    request = Request("POST", "/pose", {"format": "json"}, {"content-type": "image/jpeg"}, photo)
    answer = handle(request, EstimatorSource(settings), settings)
    if answer.status != 200:
        raise RuntimeError(answer.body)
    body: dict[str, Any] = json.loads(answer.body)
    body.pop("timings_ms", None)
    return body


def main() -> None:
    """Write everything."""
    SAMPLES.mkdir(exist_ok=True)
    for name, make in PICTURES.items():
        file = SAMPLES / f"{name}.jpg"
        if "--answers" not in sys.argv:
            picture = make()
            file.write_bytes(jpeg(picture, MOST_BYTES))
            (SAMPLES / f"{name}-thumb.jpg").write_bytes(jpeg(thumb(picture), 4_000))
        body = answer(file.read_bytes())
        (SAMPLES / f"{name}.json").write_text(json.dumps(body, separators=(",", ":")) + "\n")
        sys.stdout.write(f"{name}: {file.stat().st_size} bytes, {len(body['people'])} people\n")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    main()
