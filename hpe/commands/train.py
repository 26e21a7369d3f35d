"""`hpe train`."""

import dataclasses
from pathlib import Path

import click

from hpe.commands.options import Duration
from hpe.errors import BadSettings
from hpe.train.config import check_files, read_config


@click.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True, help="A configs/*.yaml file.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder of the run [runs/NAME].")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto takes a GPU if any.")
@click.option("--hours", type=Duration(), default=None, help="Train this long instead of what the file says.")
@click.option(
    "--steps", type=click.IntRange(1), default=None, help="Train this many steps instead of what the file says."
)
def train(config_path: Path, out: Path | None, device: str, hours: float | None, steps: int | None) -> None:
    """Train a network from a configuration file.

    The run's folder holds best.pt (the best weights by the validation data), last.pt, log.csv and curve.png.
    Started again, a run that was stopped goes on where it stood. docs/training.md describes the data.

    \b
    hpe train --config configs/pose.yaml
    hpe train --config configs/pose.yaml --hours 2
    """
    config = read_config(config_path)
    if hours is not None and steps is not None:
        raise BadSettings("give --hours or --steps, not both")
    if hours is not None or steps is not None:
        config = dataclasses.replace(config, hours=hours or 0.0, steps=steps or 0)
    folder = out or Path("runs") / config.name
    from hpe.train.loop import Trainer

    check_files(config, config_path)
    trainer = Trainer(config, folder, checked_device(device))
    trainer.run()
    click.echo(f"{folder / 'best.pt'}: best validation {trainer.best:.1f} after {trainer.step:,} steps")


def checked_device(name: str) -> str:
    """'auto' -> cuda if there is a GPU, else cpu; other names as they are. Raises BadSettings for what is not there."""
    import torch

    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda" if there else "cpu"
    kind, _, number = name.partition(":")
    if name == "cpu" or (kind == "cuda" and (name == "cuda" or number.isdecimal()) and int(number or 0) < there):
        return name
    gpus = ", ".join(f"cuda:{at}" for at in range(there)) or "no GPU"
    raise BadSettings(f"--device {name}: this machine has {gpus}: give auto, cpu{', or one of these' if there else ''}")
