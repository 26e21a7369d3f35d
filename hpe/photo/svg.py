"""Answers as SVG 1.1: limbs as lines and joints as circles, in px of the photo, over a link to it or over nothing."""

from html import escape

import numpy as np

from hpe.photo.answer import Answer
from hpe.pose.draw import (
    DOT,
    DOT_CORE,
    EDGE,
    MIDDLE_DOT_RGB,
    MIN_RADIUS_PX,
    OUTLINE_RGB,
    RADII,
    RIM_RGB,
    drawable,
    drawing_order,
    drawn_stature,
    limb_side,
)
from hpe.pose.result import Pose
from hpe.pose.skeleton import COLOURS_RGB, JOINTS, LIMBS, side


def document(answer: Answer, photo: str = "") -> str:
    """One SVG. photo: a URL that shows it where this file lies, '' for a drawing without it."""
    size = f'width="{answer.width}" height="{answer.height}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {answer.width} {answer.height}">']
    if answer.file:
        lines.append(f"<title>{escape(answer.file)}</title>")
    if photo:
        lines.append(f'<image href="{escape(photo)}" {size}/>')
    # an SVG's pixel reaches from 0 to 1, and a joint at 0 is its middle
    lines.append('<g transform="translate(0.5 0.5)" stroke-linecap="round">')
    people = [(pose, drawable(pose, answer.width, answer.height)) for pose in answer.people]
    known = [
        (drawn_stature(p.points, shown, answer.width, answer.height), p, shown) for p, shown in people if shown.any()
    ]
    for tall, pose, shown in sorted(known, key=lambda person: person[0]):
        lines += _person(pose, shown, tall)
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _person(pose: Pose, shown: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", tall: float) -> list[str]:
    radii = np.maximum(RADII * tall, MIN_RADIUS_PX)
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
    for j in sorted((j for j in range(len(JOINTS)) if shown[j]), key=lambda j: side(j) != "middle"):
        (x, y), radius = pose.points[j], radii[j] * DOT
        place = f'cx="{x:.2f}" cy="{y:.2f}"'
        core = MIDDLE_DOT_RGB if side(j) == "middle" else COLOURS_RGB[side(j)]
        ring = f'stroke="{_hex(RIM_RGB)}" stroke-width="{radius * (1 - DOT_CORE):.2f}"'
        lines.append(f'<circle {place} r="{radius + edge:.2f}" fill="{_hex(OUTLINE_RGB)}" fill-opacity="0.65"/>')
        dot = f'r="{radius * (1 + DOT_CORE) / 2:.2f}" fill="{_hex(core)}" {ring}'
        lines.append(f'<circle class="joint" data-joint="{JOINTS[j]}" {place} {dot}/>')
    return [*lines, "</g>"]


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)
