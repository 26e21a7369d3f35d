"""`hpe thresholds`."""

from pathlib import Path

import click

from hpe.commands.options import Share


@click.command()
@click.option("--model", default="", help="A manifest with its networks beside it [the default model].")
@click.option("--people", type=click.Path(path_type=Path), required=True, help="Training photos, like coco-train.json.")
@click.option(
    "--part",
    type=click.Choice(["all", "train", "held-out"]),
    default="all",
    show_default=True,
    help="Of the training photos: held-out are those that a configuration with `part: train` leaves out.",
)
@click.option("--negatives", type=click.Path(path_type=Path), required=True, help="A tar of photos without people.")
@click.option(
    "--shows-somebody",
    "shows_somebody",
    multiple=True,
    metavar="NAME",
    help="A photo among those that has people in it after all: it is left out. Repeatable.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=450,
    show_default=True,
    help="Photos with people, and as many without from each set.",
)
@click.option(
    "--silent",
    type=Share(),
    default=0.99,
    show_default=True,
    help="Least share of photos without people on which nobody is to be found.",
)
@click.option("--write", type=click.Path(path_type=Path), default=None, help="Put the result into this manifest.")
def thresholds(
    model: str,
    people: Path,
    part: str,
    negatives: Path,
    shows_somebody: tuple[str, ...],
    limit: int,
    silent: float,
    write: Path | None,
) -> None:
    """Fit a model's calibrations and thresholds.

    On training photos, never on those that it is measured on. Joint and person scores become probabilities.

    \b
    hpe thresholds --model build/pose.json --people ../shared/data/coco/coco-train.json --part held-out \\
        --negatives ../shared/data/pose/negatives.tar --write build/pose.json
    """
    from hpe.measure.calibrate import empty_photos, fit, update_manifest
    from hpe.measure.models import open_model
    from hpe.train.data.people import photos_of, read_photos

    photos = photos_of(read_photos(people), part)
    card, table = fit(open_model(model), photos, empty_photos(negatives, shows_somebody), limit, silent)
    click.echo("\n".join(table))
    if write is not None:
        update_manifest(write, card)
