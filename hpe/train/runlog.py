"""A run's log: one CSV row a validation, and the curve drawn from it."""

import csv
import os
from pathlib import Path
from typing import Any

from hpe.errors import BadSettings


def append_row(log: Path, row: dict[str, Any]) -> None:
    """Adds a row, whole or not at all, after a header if the file is new. Raises BadSettings if it cannot."""
    size = log.stat().st_size if log.exists() else 0
    try:
        with log.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            if not size:
                writer.writeheader()
            writer.writerow(row)
    except OSError as error:
        if log.exists():
            os.truncate(log, size)
        raise BadSettings(
            f"{log}: cannot be written ({error.strerror}): free some space, and start again: the run goes on from its "
            "last checkpoint"
        ) from error


def read_rows(log: Path) -> list[dict[str, str]]:
    with log.open(newline="") as file:
        return list(csv.DictReader(file))


def drop_rows_after(log: Path, step: int) -> None:
    """Forgets what a resumed run will do again."""
    if not log.exists():
        return
    rows = read_rows(log)
    kept = [row for row in rows if int(row["step"]) <= step]
    if len(kept) == len(rows):
        return
    log.unlink()
    for row in kept:
        append_row(log, dict(row))


def draw_curve(log: Path, out: Path) -> None:
    """`log.csv` -> a PNG of the measures on validation data, and of the training loss, over hours."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = read_rows(log)
    hours = [float(row["hours"]) for row in rows]
    figure, left = pyplot.subplots(figsize=(7, 4), dpi=120)
    for name in [key for key in rows[0] if key not in ("step", "hours", "size", "lr", "loss")]:
        left.plot(hours, [float(row[name]) for row in rows], marker=".", label=name)
    left.set_xlabel("hours")
    left.set_ylabel("validation, %")
    left.grid(alpha=0.3)
    right = left.twinx()
    losses = [(h, float(row["loss"])) for h, row in zip(hours, rows, strict=True) if row["loss"]]
    if losses:
        right.plot(*zip(*losses, strict=True), color="#868e96", linewidth=1, label="training loss")
    right.set_ylabel("training loss")
    figure.legend(loc="upper center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.94))
    figure.savefig(out)
    pyplot.close(figure)
