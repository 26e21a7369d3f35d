"""Draw docs/skeleton.png, the 21 named keypoints on a generated figure: `python docs/make_skeleton.py`."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hpe.pose.draw import draw_pose
from hpe.pose.result import Pose
from hpe.pose.skeleton import COLOURS_RGB, KEYPOINTS, NUM_KEYPOINTS, side

WIDTH, HEIGHT = 1200, 1040
GROUND_RGB = (30, 36, 48)
# Halfway along a wave, seen from the front; px. The person's left is on the right.
FIGURE = {
    "head_top": (604, 80),
    "upper_neck": (602, 212),
    "thorax": (600, 266),
    "pelvis": (594, 532),
    "right_shoulder": (492, 278),
    "right_elbow": (420, 420),
    "right_wrist": (352, 536),
    "left_shoulder": (708, 272),
    "left_elbow": (850, 382),
    "left_wrist": (944, 250),
    "right_hip": (530, 536),
    "right_knee": (500, 758),
    "right_ankle": (458, 966),
    "left_hip": (660, 532),
    "left_knee": (714, 750),
    "left_ankle": (722, 968),
    "nose": (603, 162),
    "left_eye": (640, 134),
    "right_eye": (566, 134),
    "left_ear": (676, 148),
    "right_ear": (530, 148),
}
# Where a label stands beside its keypoint: (px to the right, px down, the text's anchor).
BESIDE = {"left": (30, 0, "lm"), "right": (-30, 0, "rm")}
MOVED = {
    "head_top": (30, -14, "lm"),
    "nose": (24, 34, "lm"),
    "left_eye": (20, -28, "lm"),
    "left_ear": (28, 10, "lm"),
    "right_eye": (-20, -28, "rm"),
    "right_ear": (-28, 10, "rm"),
    "upper_neck": (-30, -6, "rm"),
    "thorax": (26, 46, "lm"),
    "pelvis": (-28, -42, "rm"),
    "right_hip": (-32, 46, "rm"),
    "left_shoulder": (0, -42, "lm"),
}


def figure() -> Pose:
    """The figure above as a pose that is sure of all keypoints."""
    points = np.array([FIGURE[name] for name in KEYPOINTS], dtype=np.float32)
    box = np.concatenate([points.min(axis=0), points.max(axis=0)])
    return Pose(points, np.ones(NUM_KEYPOINTS, dtype=np.float32), box, 1.0, 0.5)


def label(picture: Image.Image, pose: Pose) -> None:
    """Write each keypoint's number and name beside it, and which side is which."""
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(26)
    for number, name in enumerate(KEYPOINTS):
        dx, dy, anchor = MOVED[name] if name in MOVED else BESIDE[side(number)]
        x, y = pose.points[number]
        draw.text((x + dx, y + dy), f"{number}  {name}", COLOURS_RGB[side(number)], font, anchor)
    small = ImageFont.load_default(22)
    draw.text((40, HEIGHT - 40), "the person's right", COLOURS_RGB["right"], small, "lm")
    draw.text((WIDTH - 40, HEIGHT - 40), "the person's left", COLOURS_RGB["left"], small, "rm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", type=Path, default=Path(__file__).with_name("skeleton.png"))
    output: Path = parser.parse_args().output
    picture = Image.fromarray(draw_pose(np.full((HEIGHT, WIDTH, 3), GROUND_RGB, dtype=np.uint8), [figure()]))
    label(picture, figure())
    # 128 colours are enough for a drawing, and a third of the bytes.
    picture.quantize(128, dither=Image.Dither.NONE).save(output, optimize=True)


if __name__ == "__main__":
    main()
