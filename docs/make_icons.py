"""Makes the website's PNG icons from the shapes of static-site/icon.svg: `python docs/make_icons.py`.

icon-192.png and icon-512.png as the SVG is; icon-maskable.png without round corners and with room for any mask;
apple-touch-icon.png of 180 px, which may not be transparent.
"""

import re
import sys
from pathlib import Path

from PIL import Image, ImageDraw

SITE = Path(__file__).resolve().parent.parent / "static-site"
ACROSS = 4  # drawn so many times as large, then averaged


def lines(svg: str) -> list[tuple[str, list[list[tuple[float, float]]]]]:
    """(colour, polylines) of each path: M and absolute pairs, and the `h`, `v` and `H`, `V` that this icon has."""
    found = []
    for colour, data in re.findall(r'<path stroke="(#\w+)" d="([^"]+)"', svg):
        polylines: list[list[tuple[float, float]]] = []
        for command, numbers in re.findall(r"([MLHVhv])([^MLHVhv]*)", data):
            values = [float(v) for v in re.findall(r"-?\d*\.?\d+", numbers)]
            if command == "M":
                polylines.append([(values[0], values[1])])
                values = values[2:]
            if command in "ML":
                polylines[-1] += list(zip(values[::2], values[1::2], strict=True))
            else:
                x, y = polylines[-1][-1]
                at = {"H": (values[0], y), "V": (x, values[0]), "h": (x + values[0], y), "v": (x, y + values[0])}
                polylines[-1].append(at[command])
        found.append((colour, polylines))
    return found


def icon(svg: str, side: int, *, corner: float = 8, room: float = 1.0) -> Image.Image:
    """The SVG of 32 x 32 as side x side px. corner: its background's radius; room: how large the figure is."""
    unit = side * ACROSS / 32
    image = Image.new("RGBA", (side * ACROSS, side * ACROSS))
    draw = ImageDraw.Draw(image)
    background = re.search(r'<rect [^>]*fill="(#\w+)"', svg)
    draw.rounded_rectangle((0, 0, *image.size), corner * unit, fill=background.group(1) if background else "#211a14")
    width = 2.6 * room * unit
    for colour, polylines in lines(svg):
        for points in polylines:
            placed = [(((x - 16) * room + 16) * unit, ((y - 16) * room + 16) * unit) for x, y in points]
            draw.line(placed, fill=colour, width=round(width), joint="curve")
            for x, y in placed:
                draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def main() -> None:
    """Write all four."""
    svg = (SITE / "icon.svg").read_text()
    made = {
        "icon-192.png": icon(svg, 192),
        "icon-512.png": icon(svg, 512),
        "icon-maskable.png": icon(svg, 512, corner=0, room=0.75),
        "apple-touch-icon.png": icon(svg, 180, corner=0, room=0.85).convert("RGB"),
    }
    for name, image in made.items():
        image.quantize(64).save(SITE / name, optimize=True)
        sys.stdout.write(f"{name}: {(SITE / name).stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
