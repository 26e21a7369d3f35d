"""Answers as SVG 1.1: limbs as lines and joints as circles, in px of the photo, over a link to it or over nothing."""

from html import escape

from hpe.photo.answer import Answer
from hpe.pose.svg import XMLNS, people


def document(answer: Answer, photo: str = "") -> str:
    """One SVG. photo: a URL that shows it where this file lies, '' for a drawing without it."""
    size = f'width="{answer.width}" height="{answer.height}"'
    lines = [f'<svg xmlns="{XMLNS}" {size} viewBox="0 0 {answer.width} {answer.height}">']
    if answer.file:
        lines.append(f"<title>{escape(answer.file)}</title>")
    if photo:
        lines.append(f'<image href="{escape(photo)}" {size}/>')
    return "\n".join([*lines, *people(answer.people, answer.width, answer.height), "</svg>", ""])
