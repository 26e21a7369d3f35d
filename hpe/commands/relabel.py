"""`hpe relabel`."""

import dataclasses
from pathlib import Path

import click

from hpe.errors import BadSettings


@click.command()
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True, help="A configs/*.yaml file.")
@click.option("--model", required=True, help="What labels: a manifest or a checkpoint.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder of the run [runs/NAME].")
def relabel(config_path: Path, model: str, out: Path | None) -> None:
    """Correct or add labels by a trained model.

    For another round of training: in every source of the configuration that names a file for them in `labels`; if none
    does, in the first, into labels.json of the run. docs/training.md says which labels are made of which data.

    \b
    hpe relabel --config configs/pose.yaml --model models/pose.json
    """
    from hpe.label.correct import write_corrected_labels
    from hpe.train.config import check_files, read_config

    config = read_config(config_path)
    folder = out or Path("runs") / config.name
    named = [source for source in config.train if source.labels] or [
        dataclasses.replace(config.train[0], labels=str(folder / "labels.json"))
    ]
    if len({source.labels for source in named}) < len(named):
        raise BadSettings("two sources name the same file in `labels`: give each its own")
    check_files(dataclasses.replace(config, train=tuple(named), val=(), init=""), config_path, labels=False)
    for source in named:
        file = Path(source.labels).expanduser()
        click.echo(write_corrected_labels(model, source, file, Path(config.cache), task=config.task))
