"""Draws the figures of docs/model.md: `python docs/make_figures.py` writes docs/architecture.png and docs/heatmaps.png.

Every size in the first is read off the network itself, and every point in the second is decoded by the product's
own code, so neither can say what is not so.
"""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from drawn_person import BODY
from matplotlib import pyplot
from matplotlib.patches import Polygon, Rectangle

from hpe.pose.crops import apply_affine, crop_affine
from hpe.pose.draw import draw_pose
from hpe.pose.heatmaps import STRIDE, decode_joints, encode_joints
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX, JOINTS
from hpe.train.network import PoseResNet

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
SIZE, SIGMA, JOINT = 256, 2.0, "left_elbow"


def sizes(depth: int) -> list[tuple[str, str, int, int]]:
    """(label, kind, channels, side) of every stage of PoseResNet at 256x256, seen by running it."""
    with torch.device("meta"):
        network = PoseResNet(depth).eval()
        parts = [("stem", "stem", network.maxpool)]
        parts += [(f"stage {i}", "stage", getattr(network, f"layer{i}")) for i in range(1, 5)]
        parts += [(f"deconv {i}", "deconvolution", network.deconv_layers[3 * i - 1]) for i in range(1, 4)]
        parts += [("1x1 conv", "heatmaps", network.final_layer)]
        seen = {}
        for label, _, module in parts:
            module.register_forward_hook(lambda _m, _i, out, label=label: seen.update({label: out.shape}))
        network(torch.zeros(1, 3, SIZE, SIZE))
    rows = [("picture", "picture", 3, SIZE)]
    return rows + [(label, kind, int(seen[label][1]), int(seen[label][2])) for label, kind, _ in parts]


def slab(axes: Any, x: float, side: float, depth: float, colour: str) -> None:
    """A slab standing at x: `side` tall, `depth` deep in the direction of the channels."""
    slant = side * 0.32
    front = [(x, -side / 2), (x + slant, -side / 2 + slant), (x + slant, side / 2 + slant), (x, side / 2)]
    moved = [(px + depth, py) for px, py in front]
    top, face = [front[3], front[2], moved[2], moved[3]], [front[0], front[3], moved[3], moved[0]]
    edge: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.8}
    axes.add_patch(Polygon(moved, facecolor=colour, alpha=0.75, **edge))
    axes.add_patch(Polygon(top, facecolor=colour, alpha=0.55, **edge))
    axes.add_patch(Polygon(face, facecolor=colour, **edge))


def draw_architecture(out: Path) -> None:
    figure, axes = pyplot.subplots(figsize=(12, 4.6), dpi=120)
    x, starts = 0.0, {}
    for label, kind, channels, side in sizes(50):
        tall, deep = 0.5 + 0.42 * np.log2(side / 4), 0.1 + 0.055 * np.log2(channels) ** 1.1
        slab(axes, x, tall, deep, COLOURS[kind])
        starts[label] = x
        middle = x + deep / 2
        axes.text(middle, -1.78, label, ha="center", va="top", fontsize=10, color=INK, fontweight="bold")
        axes.text(middle, -2.04, f"{side}x{side}", ha="center", va="top", fontsize=10, color=INK)
        axes.text(middle, -2.27, f"{channels}", ha="center", va="top", fontsize=10, color=SOFT)
        ahead = x + deep + tall * 0.32
        if kind != "heatmaps":
            axes.annotate(
                "", (ahead + 0.32, 0.16), (ahead + 0.04, 0.16), arrowprops={"arrowstyle": "->", "color": SOFT}
            )
        x = ahead + 0.42
    axes.text(-0.75, -2.04, "size", ha="right", va="top", fontsize=10, color=INK)
    axes.text(-0.75, -2.27, "channels", ha="right", va="top", fontsize=10, color=SOFT)
    parts = [
        ("ResNet: what is seen, ever coarser", "stem", "deconv 1"),
        ("back up: where it is", "deconv 1", "1x1 conv"),
    ]
    for text, first, after in parts:
        low, high = starts[first], starts[after] - 0.2
        axes.plot([low, low, high, high], [2.0, 2.15, 2.15, 2.0], color=SOFT, linewidth=1)
        axes.text((low + high) / 2, 2.25, text, ha="center", va="bottom", fontsize=11, color=INK)
    axes.set_xlim(-1.5, x - 0.1)
    axes.set_ylim(-2.6, 2.6)
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
    points = apply_affine(points, crop_affine(np.concatenate([points.min(axis=0), points.max(axis=0)]), SIZE))
    return Pose(points.astype(np.float32), np.ones(16, np.float32), np.zeros(4, np.float32), 1.0, 0.5)


def draw_heatmaps(out: Path) -> None:
    pose = example_pose()
    crop = draw_pose(np.full((SIZE, SIZE, 3), (30, 36, 48), np.uint8), [pose])
    targets, _ = encode_joints(pose.points, np.ones(16), SIZE, SIGMA)
    noise = np.random.default_rng(4).normal(0, 0.012, targets.shape)
    seen = np.maximum(targets + noise, 0).astype(np.float32)
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(12, 4.4), dpi=120)
    left.imshow(crop)
    left.set_title(f"the network's frame, {SIZE}x{SIZE}", fontsize=11, color=INK)
    joint = INDEX[JOINT]
    middle.imshow(seen[joint], cmap="magma", vmin=0, vmax=1)
    middle.set_title(f"heatmap of {JOINT}, {SIZE // STRIDE}x{SIZE // STRIDE}, sigma {SIGMA:g}", fontsize=11, color=INK)
    cell = pose.points[joint] / STRIDE
    corner = np.round(cell) - 3.5
    middle.add_patch(Rectangle(tuple(corner), 7, 7, fill=False, edgecolor="white", linewidth=1.2))
    right.imshow(seen[joint], cmap="magma", vmin=0, vmax=1)
    right.set_xlim(corner[0], corner[0] + 7)
    right.set_ylim(corner[1] + 7, corner[1])
    right.plot(*cell, "o", color="white", markersize=15, fillstyle="none", markeredgewidth=2, label="true place")
    marks = {"argmax": ("s", "#4a90d9"), "quarter": ("^", "#f08c3a"), "dark": ("P", "#3fcf8d")}
    for refine, (mark, colour) in marks.items():
        found = decode_joints(seen, refine, SIGMA)[0][joint]  # type: ignore[arg-type]
        error = float(np.linalg.norm(found - pose.points[joint]))
        label = f"{refine}, {error:.2f} px off"
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
