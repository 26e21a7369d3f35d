"""The README's example: what the committed model finds in a sample photo, as a picture and as JSON.

`make figures` runs it after every change of the model: it writes docs/result.jpg, and the JSON into README.md.
"""

import json
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hpe import PoseEstimator, draw_pose
from hpe.photo.analyse import analyse
from hpe.photo.recipe import OWN_PHOTOS
from hpe.photo.stages import Stages

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "static-site" / "samples" / "people.jpg"
SHOWN_KEYPOINT = "left_shoulder"


def main() -> None:
    """Write both."""
    estimator = PoseEstimator()
    found = analyse(PHOTO.read_bytes(), OWN_PHOTOS, lambda: estimator, Stages())
    drawn = draw_pose(PHOTO, found.answer.people)
    cv2.imwrite(str(ROOT / "docs" / "result.jpg"), drawn[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    cv2.imwrite(str(ROOT / "static-site" / "preview.jpg"), preview(drawn)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    answer = found.answer.to_dict()
    readme = ROOT / "README.md"
    text = re.sub(
        r"(<!-- answer -->\n).*?(<!-- end -->)", lambda m: m[1] + block(answer) + m[2], readme.read_text(), flags=re.S
    )
    readme.write_text(text)


def preview(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) RGB -> (630, 1200, 3): as sites show it that link to the page, on the page's own dark."""
    canvas = np.full((630, 1200, 3), (21, 17, 14), np.uint8)
    height = round(drawn.shape[0] * 1200 / drawn.shape[1])
    top = (630 - height) // 2
    canvas[top : top + height] = cv2.resize(drawn, (1200, height), interpolation=cv2.INTER_CUBIC)
    return canvas


def block(answer: dict) -> str:
    """The answer as a block of Markdown, with one keypoint of its first person."""
    first = answer["people"][0]
    keypoint = next(k for k in first["keypoints"] if k["name"] == SHOWN_KEYPOINT)
    model = {"name": answer["model"]["name"]}
    lines = [
        "{",
        f'  "width": {answer["width"]}, "height": {answer["height"]}, "threshold": {answer["threshold"]},',
        '  "people": [',
        f'    {{"score": {first["score"]}, "box": {first["box"]},',
        f'     "keypoints": [{json.dumps(keypoint)}, ...]}}{"," if len(answer["people"]) > 1 else ""}',
        *(["    ..."] if len(answer["people"]) > 1 else []),
        "  ],",
        f'  "model": {json.dumps(model)[:-1]}, ...}},',
        f'  "skeleton": {json.dumps(answer["skeleton"][:3])[:-1]}, ...]',
        "}",
    ]
    return "```json\n" + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    main()
