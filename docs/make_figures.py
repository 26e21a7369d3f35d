"""Draws the figures of docs/model.md: `python docs/make_figures.py` writes docs/architecture.png and docs/heatmaps.png.

Every size in the first is read off the committed networks themselves, and every point in the second is decoded by the
product's own code, so neither can say what is not so.
"""

import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from drawn_person import BODY
from matplotlib import pyplot
from matplotlib.patches import Polygon, Rectangle

from hpe.pose.crops import apply_affine, crop_affine, fit_affine
from hpe.pose.draw import draw_pose
from hpe.pose.heatmaps import STRIDE, decode_joints, encode_joints
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX, JOINTS
from hpe.train.checkpoint import read_network
from hpe.train.network import PoseResNet, parameters_m

matplotlib.use("Agg")
HERE = Path(__file__).parent
INK, SOFT = "#1e2430", "#8a93a3"
COLOURS = {
    "picture": "#d6dbe3",
    "stem": "#9fc5e8",
    "stage": "#4a90d9",
    "deconvolution": "#f08c3a",
    "heatmaps": "#3f9f6d",
}
MODELS = HERE.parent / "models"
POSE_WEIGHTS, LOCATOR_WEIGHTS = (MODELS / "checkpoints" / name for name in ("pose-resnet18.pt", "locate-resnet18.pt"))
CARD = json.loads((MODELS / "pose.json").read_text())
FRAME, SIGMA, JOINT = tuple(CARD["pose"]["input_size"]), CARD["pose"]["sigma"], "left_elbow"
# the locator's frame depends on the photo's shape: here of a photo of 4 to 3
LOCATOR_FRAME = fit_affine(4000, 3000, CARD["locate"]["input_size"])[1]

Stage = tuple[str, str, int, int, int]


def stages(network: PoseResNet, frame: tuple[int, int], outputs: str) -> list[Stage]:
    """(label, kind, channels, height, width) of every stage of a network, seen by running it."""
    parts = [("stem", "stem", network.maxpool)]
    parts += [(f"stage {i}", "stage", getattr(network, f"layer{i}")) for i in range(1, 5)]
    parts += [(f"deconv {i}", "deconvolution", network.deconv_layers[3 * i - 1]) for i in range(1, 4)]
    parts += [(outputs, "heatmaps", network.final_layer)]
    seen: dict[str, Any] = {}
    for label, _, module in parts:
        module.register_forward_hook(lambda _m, _i, out, label=label: seen.update({label: out.shape}))
    with torch.no_grad():
        network(torch.zeros(1, 3, *frame))
    rows: list[Stage] = [("frame", "picture", 3, *frame)]
    return rows + [(label, kind, *map(int, seen[label][1:])) for label, kind, _ in parts]


def slab(axes: Any, x: float, y: float, tall: float, wide: float, depth: float, colour: str) -> float:
    """A slab at x, y: `tall`, `wide` along the slant, `depth` deep in the direction of the channels.. -> width."""
    slant = wide * 0.32
    front = [(x, y - tall / 2), (x + slant, y - tall / 2 + slant), (x + slant, y + tall / 2 + slant), (x, y + tall / 2)]
    moved = [(px + depth, py) for px, py in front]
    top, face = [front[3], front[2], moved[2], moved[3]], [front[0], front[3], moved[3], moved[0]]
    edge: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.8}
    axes.add_patch(Polygon(moved, facecolor=colour, alpha=0.75, **edge))
    axes.add_patch(Polygon(top, facecolor=colour, alpha=0.55, **edge))
    axes.add_patch(Polygon(face, facecolor=colour, **edge))
    return depth + slant


def shown(px: int) -> float:
    """A side in px -> its length in the drawing, by its logarithm."""
    return 0.5 + 0.42 * float(np.log2(px / 4))


def draw_row(axes: Any, y: float, title: str, rows: list[Stage]) -> None:
    """One network, its stages from left to right."""
    axes.text(-1.35, y + 2.6, title, ha="left", va="bottom", fontsize=12, color=INK, fontweight="bold")
    for column, (label, kind, channels, height, width) in enumerate(rows):
        x = 1.9 * column
        deep = 0.1 + 0.055 * float(np.log2(channels)) ** 1.1
        across = slab(axes, x, y, shown(height), shown(width), deep, COLOURS[kind])
        for text, down, colour, weight in (
            (label, 1.72, INK, "bold"),
            (f"{height}x{width}", 2.03, INK, "normal"),
            (str(channels), 2.32, SOFT, "normal"),
        ):
            axes.text(x + deep / 2, y - down, text, ha="center", va="top", fontsize=10, color=colour, fontweight=weight)
        if kind != "heatmaps":
            arrow = {"arrowstyle": "->", "color": SOFT}
            axes.annotate("", (1.9 * (column + 1) - 0.08, y + 0.16), (x + across + 0.06, y + 0.16), arrowprops=arrow)
    axes.text(-0.75, y - 2.03, "size", ha="right", va="top", fontsize=10, color=INK)
    axes.text(-0.75, y - 2.32, "channels", ha="right", va="top", fontsize=10, color=SOFT)


def draw_architecture(out: Path) -> None:
    locator, pose = (read_network(path)[0] for path in (LOCATOR_WEIGHTS, POSE_WEIGHTS))
    figure, axes = pyplot.subplots(figsize=(13, 8), dpi=110)
    title = "Locator: the photo, fitted → people's centres, widths and heights"
    draw_row(axes, 6.0, f"{title} ({parameters_m(locator):.1f} M parameters)", stages(locator, LOCATOR_FRAME, "3 maps"))
    title = "Pose network: the crop round each box → one heatmap per joint"
    draw_row(axes, 0.0, f"{title} ({parameters_m(pose):.1f} M parameters)", stages(pose, FRAME, "heatmaps"))
    axes.set_xlim(-1.5, 19.0)
    axes.set_ylim(-2.6, 9.2)
    axes.set_aspect("equal")
    axes.axis("off")
    figure.savefig(out, bbox_inches="tight", facecolor="white")
    pyplot.close(figure)


def example_pose() -> Pose:
    """The person of docs/drawn_person.py in the network's frame."""
    body = {name: np.array(place, float) for name, place in BODY.items()}
    body |= {"upper_neck": body["neck"], "head_top": body["head"] - [0, 80]}
    body |= {"pelvis": (body["left_hip"] + body["right_hip"]) / 2}
    body |= {"thorax": (body["left_shoulder"] + body["right_shoulder"]) / 2}
    points = np.array([body[name] for name in JOINTS])
    points = apply_affine(points, crop_affine(np.concatenate([points.min(axis=0), points.max(axis=0)]), FRAME))
    return Pose(points.astype(np.float32), np.ones(16, np.float32), np.zeros(4, np.float32), 1.0, 0.5)


def draw_heatmaps(out: Path) -> None:
    pose = example_pose()
    crop = draw_pose(np.full((*FRAME, 3), (30, 36, 48), np.uint8), [pose])
    targets, _ = encode_joints(pose.points, np.ones(16), FRAME, SIGMA)
    noise = np.random.default_rng(4).normal(0, 0.012, targets.shape)
    seen = np.maximum(targets + noise, 0).astype(np.float32)
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(12, 4.4), dpi=120)
    left.imshow(crop)
    left.set_title(f"the network's frame, {FRAME[0]}x{FRAME[1]}", fontsize=11, color=INK)
    joint = INDEX[JOINT]
    middle.imshow(seen[joint], cmap="magma", vmin=0, vmax=1)
    middle.set_title(
        f"heatmap of {JOINT}, {FRAME[0] // STRIDE}x{FRAME[1] // STRIDE}, sigma {SIGMA:g}", fontsize=11, color=INK
    )
    cell = pose.points[joint] / STRIDE
    corner = np.round(cell) - 3.5
    middle.add_patch(Rectangle(tuple(corner), 7, 7, fill=False, edgecolor="white", linewidth=1.2))
    right.imshow(seen[joint], cmap="magma", vmin=0, vmax=1)
    right.set_xlim(corner[0], corner[0] + 7)
    right.set_ylim(corner[1] + 7, corner[1])
    right.plot(*cell, "o", color="white", markersize=15, fillstyle="none", markeredgewidth=2, label="true place")
    row, column = np.unravel_index(seen[joint].argmax(), seen[joint].shape)
    places = {
        "the highest cell": (np.array([column, row]) * STRIDE, "s", "#4a90d9"),
        "refined": (decode_joints(seen, SIGMA)[0][joint], "P", "#3fcf8d"),
    }
    for name, (found, mark, colour) in places.items():
        error = float(np.linalg.norm(found - pose.points[joint]))
        label = f"{name}, {error:.2f} px off"
        right.plot(*(found / STRIDE), mark, color=colour, markersize=9, markeredgecolor="black", label=label, ls="")
    right.set_title("7x7 cells round the peak", fontsize=11, color=INK)
    right.legend(loc="lower left", fontsize=9, facecolor="#2a3140", labelcolor="white", framealpha=0.9)
    for axes in (left, middle, right):
        axes.set_xticks([])
        axes.set_yticks([])
    figure.tight_layout()
    figure.savefig(out, facecolor="white")
    pyplot.close(figure)


if __name__ == "__main__":
    draw_architecture(HERE / "architecture.png")
    draw_heatmaps(HERE / "heatmaps.png")
