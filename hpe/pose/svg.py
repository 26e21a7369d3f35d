"""People as SVG 1.1: limbs as lines and joints as circles, in px of the picture."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.pose.draw import (
    DOT,
    DOT_CORE,
    EDGE,
    MIDDLE_DOT_RGB,
    MIN_RADIUS_PX,
    OUTLINE_RGB,
    RADII,
    RIM_RGB,
    Person,
    drawable,
    drawing_order,
    drawn_stature,
    limb_side,
)
from hpe.pose.skeleton import COLOURS_RGB, KEYPOINTS, LIMBS, side

XMLNS: Final = "http://www.w3.org/2000/svg"


def people(poses: Sequence[Person], width: int, height: int) -> list[str]:
    """Poses in a picture of this size -> a <g> with everybody's sure joints and limbs, smaller people first."""
    shown = [(pose, drawable(pose, width, height)) for pose in poses]
    known = [(drawn_stature(p.points, sure, width, height), p, sure) for p, sure in shown if sure.any()]
    # an SVG's pixel reaches from 0 to 1, and a joint at 0 is its middle
    lines = ['<g transform="translate(0.5 0.5)" stroke-linecap="round">']
    for tall, pose, sure in sorted(known, key=lambda person: person[0]):
        lines += _person(pose, sure, tall)
    return [*lines, "</g>"]


def picture(poses: Sequence[Person], side_px: int = 240) -> str:
    """Poses of one picture -> an SVG of at most `side_px` px that shows all of it, or what of it the poses fill."""
    corners = np.array([pose.box for pose in poses]).reshape(-1, 2, 2)
    x, y, width, height = 0, 0, 1, 1
    if poses and poses[0].size:
        width, height = poses[0].size
    elif poses:
        low, high = np.floor(corners[:, 0].min(axis=0)), np.ceil(corners[:, 1].max(axis=0))
        margin = 0.05 * float((high - low).max())
        (x, y), (width, height) = (low - margin).round().astype(int).tolist(), (high - low + 2 * margin).tolist()
        width, height = max(round(width), 1), max(round(height), 1)
    shrunk = side_px / max(width, height)
    size = f'width="{max(width * shrunk, 1):.0f}" height="{max(height * shrunk, 1):.0f}"'
    ground = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="#eceff4"/>'
    start = f'<svg xmlns="{XMLNS}" {size} viewBox="{x} {y} {width} {height}">'
    return "\n".join([start, ground, *people(poses, x + width, y + height), "</svg>"])


def _person(pose: Person, shown: NDArray[np.bool_], tall: float) -> list[str]:
    radii = np.maximum(RADII[: len(shown)] * tall, MIN_RADIUS_PX)
    edge = max(EDGE * tall, MIN_RADIUS_PX)
    lines = [f'<g class="person" data-score="{pose.score:.4f}">']
    for index in (i for group in drawing_order(pose.scores) for i in group):
        a, b = LIMBS[index]
        if shown[a] and shown[b]:
            (x1, y1), (x2, y2) = pose.points[a], pose.points[b]
            ends = f'x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"'
            wide = radii[a] + radii[b]
            rim = f'stroke="{_hex(OUTLINE_RGB)}" stroke-opacity="0.65" stroke-width="{wide + 2 * edge:.2f}"'
            colour = _hex(COLOURS_RGB[limb_side(LIMBS[index])])
            lines.append(f"<line {ends} {rim}/>")
            lines.append(f'<line class="limb" {ends} stroke="{colour}" stroke-width="{wide:.2f}"/>')
    # the trunk's dots below, so that the pelvis does not hide a hip beside it
    for j in sorted((j for j in range(len(shown)) if shown[j]), key=lambda j: side(j) != "middle"):
        (x, y), radius = pose.points[j], radii[j] * DOT
        place = f'cx="{x:.2f}" cy="{y:.2f}"'
        core = MIDDLE_DOT_RGB if side(j) == "middle" else COLOURS_RGB[side(j)]
        ring = f'stroke="{_hex(RIM_RGB)}" stroke-width="{radius * (1 - DOT_CORE):.2f}"'
        lines.append(f'<circle {place} r="{radius + edge:.2f}" fill="{_hex(OUTLINE_RGB)}" fill-opacity="0.65"/>')
        dot = f'r="{radius * (1 + DOT_CORE) / 2:.2f}" fill="{_hex(core)}" {ring}'
        lines.append(f'<circle class="joint" data-joint="{KEYPOINTS[j]}" {place} {dot}/>')
    return [*lines, "</g>"]


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)
