"""A person drawn with plain shapes: for docs/make_figures.py and a sample of the website."""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Body = Mapping[str, tuple[int, int]]  # joint -> x, y in px of the final picture
WIDTH, HEIGHT, SAMPLES = 900, 1000, 2
SKIN, SHIRT, SHORTS, HAIR, SHOE = (206, 150, 118), (184, 42, 48), (38, 44, 70), (52, 34, 24), (235, 235, 230)
# A person seen from the front, px of the final picture; left is the person's own left.
BODY: Body = {
    "head": (452, 178), "neck": (452, 262),
    "right_shoulder": (380, 290), "left_shoulder": (524, 290),
    "right_elbow": (318, 398), "left_elbow": (604, 380),
    "right_wrist": (352, 506), "left_wrist": (662, 282),
    "right_hip": (408, 524), "left_hip": (496, 524),
    "right_knee": (378, 690), "left_knee": (540, 684),
    "right_ankle": (356, 858), "left_ankle": (574, 846),
}  # fmt: skip


def capsule(canvas: Image, body: Body, a: str, b: str, ra: float, rb: float, colour: tuple[int, int, int]) -> None:
    """A shaded, tapered limb from joint a to joint b, lit from the upper left (in place)."""
    pa, pb = (np.array(body[name], np.float32) * SAMPLES for name in (a, b))
    shade(canvas, pa, pb, ra * SAMPLES, rb * SAMPLES, colour)


def shade(
    canvas: Image, pa: NDArray[np.float32], pb: NDArray[np.float32], ra: float, rb: float, colour: tuple[int, int, int]
) -> None:
    """A tapered round bar between two points of the canvas, shaded like a cylinder (in place)."""
    low = np.maximum(np.minimum(pa, pb) - max(ra, rb) - 2, 0).astype(int)
    high = (np.maximum(pa, pb) + max(ra, rb) + 2).astype(int)
    xs, ys = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    dx, dy = pb - pa
    t = np.clip(((xs - pa[0]) * dx + (ys - pa[1]) * dy) / max(dx * dx + dy * dy, 1e-6), 0, 1)
    ox, oy = xs - (pa[0] + t * dx), ys - (pa[1] + t * dy)
    radius = ra + t * (rb - ra)
    inside = ox**2 + oy**2 <= radius**2
    facing = np.sqrt(np.clip(1 - (ox**2 + oy**2) / radius**2, 0, 1))
    light = 0.5 + 0.4 * facing - 0.28 * (ox + 0.6 * oy) / radius
    patch = canvas[low[1] : high[1], low[0] : high[0]]
    patch[inside[: patch.shape[0], : patch.shape[1]]] = (
        np.array(colour, np.float32) * light[: patch.shape[0], : patch.shape[1], None]
    )[inside[: patch.shape[0], : patch.shape[1]]]


def scenery(rng: np.random.Generator) -> Image:
    """Sky, a hedge and grass, each with soft noise."""
    height, width = HEIGHT * SAMPLES, WIDTH * SAMPLES
    ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    canvas = np.array([150, 190, 226], np.float32) * (1 - ramp) + np.array([226, 232, 232], np.float32) * ramp
    canvas = np.repeat(canvas, width, axis=1)
    for top, roughness, colour in ((0.36, 9, (58, 88, 52)), (0.58, 3, (112, 146, 74))):
        coarse = rng.normal(0, 1, (40, 60)).astype(np.float32)
        rough = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        fine = cv2.resize(rng.normal(0, 1, (400, 500)).astype(np.float32), (width, height))
        band = (np.arange(height)[:, None] + roughness * SAMPLES * rough) / height >= top
        canvas[band] = (np.array(colour, np.float32) * (1 + 0.10 * rough + 0.10 * fine)[..., None])[band]
    return canvas


def render(seed: int = 7, body: Body = BODY) -> NDArray[np.uint8]:
    """-> (1000, 900, 3) uint8 RGB: one person, seen from the front, over grass."""
    rng = np.random.default_rng(seed)
    canvas = scenery(rng)
    ground = cv2.GaussianBlur(
        cv2.ellipse(np.zeros(canvas.shape[:2], np.float32), (930, 1760), (330, 46), 0, 0, 360, 1.0, -1), (0, 0), 22
    )
    canvas *= 1 - 0.45 * ground[..., None]
    for side in ("right", "left"):
        foot = np.array(body[f"{side}_ankle"], np.float32) * SAMPLES
        toe = foot + np.array([-26 if side == "right" else 26, 40], np.float32) * SAMPLES / 1.4
        capsule(canvas, body, f"{side}_knee", f"{side}_ankle", 29, 17, SKIN)
        shade(canvas, foot + 6, toe, 18 * SAMPLES, 15 * SAMPLES, SHOE)
        capsule(canvas, body, f"{side}_hip", f"{side}_knee", 44, 28, SKIN)
    for side in ("right", "left"):
        hip, knee = (np.array(body[f"{side}_{j}"], np.float32) * SAMPLES for j in ("hip", "knee"))
        shade(canvas, hip, hip + (knee - hip) * 0.55, 54 * SAMPLES, 46 * SAMPLES, SHORTS)
    torso(canvas, body)
    capsule(canvas, body, "head", "neck", 24, 28, SKIN)
    head = np.array(body["head"], np.float32) * SAMPLES
    crown = head - np.array([0, 11 * SAMPLES], np.float32)
    shade(
        canvas,
        crown - np.array([0, 14], np.float32),
        crown + np.array([0, 14], np.float32),
        52 * SAMPLES,
        50 * SAMPLES,
        HAIR,
    )
    shade(canvas, head, head + np.array([0, 24 * SAMPLES], np.float32), 42 * SAMPLES, 33 * SAMPLES, SKIN)
    face(canvas, head)
    for side in ("right", "left"):
        capsule(canvas, body, f"{side}_elbow", f"{side}_wrist", 22, 15, SKIN)
        wrist, elbow = (np.array(body[f"{side}_{j}"], np.float32) * SAMPLES for j in ("wrist", "elbow"))
        shade(canvas, wrist, wrist + (wrist - elbow) * 0.25, 17 * SAMPLES, 13 * SAMPLES, SKIN)
        capsule(canvas, body, f"{side}_shoulder", f"{side}_elbow", 30, 22, SKIN)
        shoulder = np.array(body[f"{side}_shoulder"], np.float32) * SAMPLES
        shade(canvas, shoulder, shoulder + (elbow - shoulder) * 0.5, 36 * SAMPLES, 31 * SAMPLES, SHIRT)
    canvas += rng.normal(0, 5, canvas.shape).astype(np.float32)
    small = cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.clip(cv2.GaussianBlur(small, (0, 0), 0.7), 0, 255).astype(np.uint8)


def torso(canvas: Image, body: Body) -> None:
    """The shirt: a bundle of vertical bars from shoulders to hips (in place)."""
    top = [np.array(body[f"{s}_shoulder"], np.float32) * SAMPLES for s in ("right", "left")]
    bottom = [np.array(body[f"{s}_hip"], np.float32) * SAMPLES for s in ("right", "left")]
    for share in np.linspace(0, 1, 24):
        a = top[0] + (top[1] - top[0]) * share + np.array([0, 18 * SAMPLES], np.float32)
        b = bottom[0] + (bottom[1] - bottom[0]) * share + np.array([0, -22 * SAMPLES], np.float32)
        light = 1.12 - 0.4 * share
        shade(canvas, a, b, 40 * SAMPLES, 44 * SAMPLES, tuple(int(c * light) for c in SHIRT))  # type: ignore[arg-type]


def face(canvas: Image, head: NDArray[np.float32]) -> None:
    """Eyes, brows, nose and mouth (in place)."""
    for dx in (-17, 17):
        x, y = int(head[0] + dx * SAMPLES), int(head[1] + 2 * SAMPLES)
        cv2.ellipse(canvas, (x, y), (9, 6), 0, 0, 360, (240, 236, 230), -1, cv2.LINE_AA)
        cv2.circle(canvas, (x, y), 5, (44, 32, 28), -1, cv2.LINE_AA)
        cv2.line(canvas, (x - 16, y - 20), (x + 14, y - 22), HAIR, 6, cv2.LINE_AA)
    x, y = int(head[0]), int(head[1] + 14 * SAMPLES)
    cv2.line(canvas, (x, y - 22), (x + 8, y + 10), (168, 112, 88), 4, cv2.LINE_AA)
    cv2.ellipse(canvas, (x, y + 34), (24, 9), 0, 10, 170, (140, 62, 60), 6, cv2.LINE_AA)
