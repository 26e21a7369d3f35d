"""`python -m hpe.measure.fit_joints PEOPLE`: the numbers in hpe/pose/angles.py and hpe/pose/states.py.

On photos that neither network has learnt from: of these it would be too sure. What it prints goes into the two files.
"""

from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from hpe.measure.angles import Angles
from hpe.measure.calibrate import logistic
from hpe.measure.models import open_model
from hpe.measure.states import States
from hpe.train.data.people import photos_of, read_photos


@click.command()
@click.argument("people", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", default="", help="A manifest. [default: ours]")
@click.option("--part", default="held-out", show_default=True, help="Of the photos.")
def main(people: Path, model: str, part: str) -> None:
    """Fit the error of angles and the states of joints on whole photos with labelled people."""
    estimator = open_model(model, 0, 0)
    angles, states = Angles(), States()
    for photo in tqdm(photos_of(read_photos(people), part), unit="photo", disable=None):
        rgb = photo.image()
        poses = estimator(rgb)
        angles.add(photo, poses)
        states.add(estimator, photo, rgb, poses)
    at_half, slope = angles.fit()
    outside, hidden = fit_states(states)
    click.echo(f"AT_HALF, SLOPE = {at_half}, {slope}\nOUTSIDE = {outside}\nHIDDEN = {hidden}")
    for figure in (*angles.figures().values(), *states.figures().values()):
        click.echo(figure.as_text())


def fit_states(states: States) -> tuple[list[float], list[float]]:
    """-> OUTSIDE and HIDDEN of `hpe.pose.states`, weights and intercept, likeliest for these joints."""
    truth, unsure = np.array(states.truth), ~np.array(states.settled)
    outside = logistic(np.array(states.beyond)[unsure], truth[unsure] == "outside")
    inside = truth != "outside"
    hidden = logistic(np.array(states.behind)[inside], truth[inside] == "hidden")
    return outside.round(2).tolist(), hidden.round(2).tolist()


if __name__ == "__main__":
    main()
