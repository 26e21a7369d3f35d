"""`hpe prune`."""

from pathlib import Path

import click

from hpe.errors import BadSettings


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True, help="Whose data it sees.")
@click.option(
    "--keep", type=click.FloatRange(0.2, 1, max_open=True), required=True, help="Share of its multiplications to keep."
)
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The smaller one.")
@click.option(
    "--examples", type=click.IntRange(16), default=6400, show_default=True, help="Pictures that it is fitted on."
)
def prune(checkpoint: Path, config_path: Path, keep: float, out: Path, examples: int) -> None:
    """Make a network faster: cut channels, and fit the rest by least squares.

    It takes minutes on a CPU, and no labels. docs/training.md says what it costs and saves.

    \b
    hpe prune runs/pose/best.pt --config configs/pose.yaml --keep 0.88 -o runs/pose-pruned.pt
    """
    from hpe.prune.run import examples_only, pruned_checkpoint
    from hpe.train.checkpoint import write_checkpoint
    from hpe.train.config import check_files, read_config

    if not out.parent.is_dir():
        raise BadSettings(f"{out.parent}: no such folder to write {out.name} into")
    config = examples_only(read_config(config_path))
    check_files(config, config_path)
    content, summary = pruned_checkpoint(config, checkpoint, keep, examples)
    write_checkpoint(out, content)
    click.echo(f"{summary}\n{out}: {out.stat().st_size / 1e6:.1f} MB")
