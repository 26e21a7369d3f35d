"""The curve of a run as a picture."""

import csv
from pathlib import Path


def draw_curve(log: Path, out: Path) -> None:
    """`log.csv` of a run -> a PNG of val PCK and loss over hours."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with log.open() as file:
        rows = list(csv.DictReader(file))
    hours = [float(r["hours"]) for r in rows]
    figure, left = pyplot.subplots(figsize=(7, 4), dpi=120)
    left.plot(hours, [float(r["val_pck"]) for r in rows], color="#e8590c", marker=".", label="val PCK@0.2")
    left.set_xlabel("hours")
    left.set_ylabel("val PCK@0.2, %")
    left.grid(alpha=0.3)
    right = left.twinx()
    losses = [(h, float(r["loss"])) for h, r in zip(hours, rows, strict=True) if r["loss"]]
    if losses:
        right.plot(*zip(*losses, strict=True), color="#1c7ed6", linewidth=1, label="loss")
    right.set_ylabel("training loss")
    figure.legend(loc="lower right", bbox_to_anchor=(0.88, 0.14))
    figure.tight_layout()
    figure.savefig(out)
    pyplot.close(figure)
