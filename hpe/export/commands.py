"""`hpe export` and `hpe quantize`: from a checkpoint to the model that runs in Lambda."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
from numpy.typing import NDArray

from hpe.engine.manifest import ModelCard, read_manifest
from hpe.errors import BadModel, BadSettings
from hpe.export.bundle import write_bundle
from hpe.export.parity import Runner, compare, megabytes, onnx_runner, table, torch_runner
from hpe.export.quantize import Method
from hpe.export.quantize import quantize as quantize_model
from hpe.export.rewrite import rewrite
from hpe.pose.crops import Frame, crop_affine, warp

FILE = click.Path(path_type=Path, dir_okay=False)
# Until thresholds are measured for a new model: `python -m hpe.measure.thresholds` prints them.
THRESHOLD, PERSON_THRESHOLD = 0.2, 0.2


@click.command()
@click.argument("checkpoint", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="The .onnx file to write; its manifest goes beside it.")
@click.option("--size", type=int, help="Side of the network's input in px [the checkpoint's, else 256].")
@click.option("--plain", is_flag=True, help="Leave the graph as exported: float input, transposed convolutions.")
@click.option("--verify", type=FILE, metavar="DATA.json", help="Compare with torch on these people and print a report.")
def export(checkpoint: Path, out: Path, size: int | None, plain: bool, verify: Path | None) -> None:
    """Turn a CHECKPOINT (ours, or Microsoft's pose_resnet_*.pth.tar) into an fp32 ONNX model.

    \b
    hpe export runs/mine/best.pt -o build/pose-fp32.onnx
    hpe export pose_resnet_50_256x256.pth.tar -o build/r50.onnx --size 256
    """
    from hpe.export.to_onnx import to_onnx
    from hpe.train.checkpoint import read_network
    from hpe.train.network import describe

    _check_name(out)
    network, saved = read_network(checkpoint)
    side = size or int(saved.get("size", 256))
    model = to_onnx(network, side)
    if plain:
        onnx.save(model, out)
        click.echo(f"{out}: {megabytes(out):.1f} MB, float (N, 3, {side}, {side}) in, as exported")
        return
    model = rewrite(model)
    sigma = float(saved.get("sigma", 2.0))
    card = {
        "name": f"pose-resnet{network.depth}-{side}",
        "input_size": side,
        "architecture": describe(network),
        "threshold": THRESHOLD,
        "person_threshold": PERSON_THRESHOLD,
        "sigma": sigma,
    }
    write_bundle(model, out, card)
    click.echo(f"{out}: {megabytes(out):.1f} MB, uint8 (N, {side}, {side}, 3) RGB in")
    if verify:
        runners: dict[str, tuple[Runner, float]] = {
            "torch fp32": (torch_runner(network), megabytes(out)),
            "onnx fp32, rewritten": (onnx_runner(model), megabytes(out)),
        }
        report(runners, verify, side, sigma)


@click.command()
@click.argument("model", type=FILE)
@click.option("-o", "--out", type=FILE, required=True, help="The int8 .onnx file to write, manifest beside it.")
@click.option("--data", type=FILE, required=True, metavar="DATA.json", help="Training people, never val.")
@click.option("--count", default=128, show_default=True, help="How many people to calibrate on.")
@click.option(
    "--method",
    type=click.Choice(["minmax", "entropy", "percentile"]),
    default="minmax",
    show_default=True,
    help="How activation ranges are chosen.",
)
@click.option("--percentile", default=99.999, show_default=True, help="For --method percentile.")
@click.option("--reduce-range/--full-range", default=True, show_default=True, help="7-bit weights: safe on AVX2.")
@click.option("--threshold", type=float, help="Joint threshold for the manifest [the fp32 model's].")
@click.option("--person-threshold", type=float, help="Person threshold for the manifest [the fp32 model's].")
@click.option("--verify", type=FILE, metavar="DATA.json", help="Compare with fp32 on these people and print a report.")
def quantize(
    model: Path,
    out: Path,
    data: Path,
    count: int,
    method: Method,
    percentile: float,
    reduce_range: bool,
    threshold: float | None,
    person_threshold: float | None,
    verify: Path | None,
) -> None:
    """Turn an fp32 MODEL from `hpe export` into a fully int8 one, calibrated on training crops.

    \b
    hpe quantize build/pose-fp32.onnx -o models/pose.onnx --data train.json --verify val.json
    """
    logging.getLogger().setLevel(logging.ERROR)  # onnxruntime advises a preparation that `rewrite` has done
    _check_name(out)
    if out.resolve() == model.resolve():
        raise BadSettings(f"{out} is the fp32 model itself: give the int8 one another name")
    card = read_manifest(model.with_suffix(".json"))
    fp32 = _load(model)
    int8 = quantize_model(fp32, calibration_crops(data, count, card.frame), method, percentile, (), reduce_range)
    fields = _fields(card)
    fields["architecture"] = f"{card.architecture}, int8"
    fields["threshold"] = card.threshold if threshold is None else threshold
    fields["person_threshold"] = card.person_threshold if person_threshold is None else person_threshold
    write_bundle(int8, out, fields)
    share = megabytes(out) / megabytes(model)
    click.echo(f"{out}: {megabytes(out):.1f} MB, {100 * share:.0f} % of fp32, calibrated on {count} crops by {method}")
    if verify:
        runners: dict[str, tuple[Runner, float]] = {
            "onnx fp32, rewritten": (onnx_runner(fp32), megabytes(model)),
            f"onnx int8, {method}": (onnx_runner(int8), megabytes(out)),
        }
        report(runners, verify, card.frame, card.sigma)


def calibration_crops(data: Path, count: int, frame: Frame) -> NDArray[np.uint8]:
    """The first `count` people of an annotation file as (count, h, w, 3) uint8 RGB evaluation crops."""
    from hpe.train.readers import read_shards

    samples = read_shards(data)[:count]
    return np.stack([warp(sample.image(), crop_affine(sample.box, frame), frame) for sample in samples])


def report(runners: dict[str, tuple[Runner, float]], data: Path, size: Frame, sigma: float) -> None:
    """Prints the parity table on the people of an annotation file."""
    from hpe.train.readers import read_shards

    click.echo()
    click.echo(table(compare(runners, read_shards(data), size, sigma)))


def _check_name(out: Path) -> None:
    """Before the work: what is written has to be a model that can be loaded again, in a folder that is there."""
    if out.suffix != ".onnx":
        raise BadSettings(f"{out}: a model's name ends in .onnx, and its manifest in .json beside it")
    out.parent.mkdir(parents=True, exist_ok=True)


def _load(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except OSError as error:
        raise BadModel(f"{path}: {error.strerror}: make it with hpe export") from error
    except Exception as error:  # protobuf's DecodeError has moved between releases
        raise BadModel(f"{path} is not an ONNX model: {error}") from error


def _fields(card: ModelCard) -> dict[str, Any]:
    fields = dataclasses.asdict(card)
    for name in ("file", "sha256", "figures"):
        fields.pop(name)
    return fields
