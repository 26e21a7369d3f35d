"""`hpe export`: from checkpoints to the bundle that runs in Lambda."""

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpe.engine.card import FlipTest, LocatorCard, ModelCard, TurnedLook
from hpe.engine.manifest import read_manifest
from hpe.errors import BadModel, BadSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hpe.train.data.samples import Photo
    from hpe.train.network import PoseResNet

# name -> one form of a network, a PoseResNet or an onnx.ModelProto
Forms = dict[str, Any]
FILE = click.Path(path_type=Path, dir_okay=False)
# Until thresholds are measured for a new model: `hpe thresholds` fits them.
THRESHOLD, PERSON_THRESHOLD, LOCATE_THRESHOLD = 0.2, 0.2, 0.3
# The crops that are also processed mirrored: docs/runs.md has what more and fewer of them cost and gain.
FLIP_TEST = FlipTest(above=0.3, below=0.7)
# Longer side, px, of the frame of the locator's one look, and the look at a photo that may be on its side: docs/runs.md
# has what others cost and find.
LOCATE_SIZE = 384
TURNED = TurnedLook(pixels=12_288, score=0.5, person_threshold=0.6, sure=0.8)


@click.command()
@click.option("--pose", "pose_path", type=FILE, required=True, help="Checkpoint of the pose network.")
@click.option(
    "--locate",
    "locate_path",
    type=FILE,
    help="Checkpoint of the locator, or a manifest whose locator is taken as it is [none: one person a picture].",
)
@click.option("-o", "--out", type=FILE, required=True, help="The manifest (.json); its networks go beside it.")
@click.option("--people", type=FILE, metavar="DATA.json", help="Training photos to calibrate int8 on, never val.")
@click.option("--fp32", is_flag=True, help="No int8: four times as large, two to three times as slow.")
@click.option(
    "--count",
    default=128,
    type=click.IntRange(1),
    show_default=True,
    help="How many photos, and people in them, to calibrate on.",
)
@click.option("--size", metavar="PX", help="Input of the pose network, 256 or 256x192 [the checkpoint's, else 256].")
@click.option("--locate-size", type=int, default=LOCATE_SIZE, show_default=True, help="Longer side of its frame, px.")
@click.option("--name", help="The model's name in the manifest [pose-resnetDEPTH-HEIGHTxWIDTH].")
@click.option("--verify", type=FILE, metavar="DATA.json", help="Compare torch, fp32 and int8 on these people.")
def export(
    pose_path: Path,
    locate_path: Path | None,
    out: Path,
    people: Path | None,
    fp32: bool,
    count: int,
    size: str | None,
    locate_size: int,
    name: str | None,
    verify: Path | None,
) -> None:
    """Turn checkpoints into a model that runs.

    They are ours, or Microsoft's pose_resnet_*.pth.tar, which find one person a picture.

    \b
    hpe export --pose pose.pt --locate locate.pt --people people.json -o models/pose.json
    hpe export --pose pose_resnet_50_256x256.pth.tar --people people.json -o build/r50.json
    """
    from hpe.export.bundle import write_bundle
    from hpe.train.data.files import spread
    from hpe.train.data.people import read_photos

    if out.suffix != ".json":
        raise BadSettings(f"{out}: a model is named by its manifest, which ends in .json; its networks go beside it")
    frame = None if size is None else _frame(size)
    if (people is None) != fp32:
        raise BadSettings("give --people, photos to calibrate int8 on, or else --fp32")
    photos = [] if people is None else spread(read_photos(people), count)
    kind = "fp32" if fp32 else "int8"
    card, poses = _pose(pose_path, out, photos, count, frame, name, kind)
    locators: Forms = {}
    if locate_path is not None:
        locate, locators = _locator(locate_path, out, photos, locate_size, kind)
        card = dataclasses.replace(card, locate=locate)
    write_bundle(out, card, _last(poses), _last(locators) if locators else None)
    for file in (card.file, *([card.locate.file] if card.locate else [])):
        click.echo(f"{out.with_name(file)}: {out.with_name(file).stat().st_size / 1e6:.1f} MB, {kind}")
    click.echo(f"{out}: with thresholds to begin with; `hpe thresholds` fits better ones")
    if verify:
        _report(verify, card, poses, locators)


def _frame(size: str) -> tuple[int, int]:
    """ "256" or "256x192" -> (height, width) in px. Raises BadSettings."""
    sides = size.split("x")
    if len(sides) > 2 or not all(
        s.isascii() and s.isdigit() and int(s) % 32 == 0 and 32 <= int(s) <= 1024 for s in sides
    ):
        raise BadSettings(
            f"--size {size}: give a side or HEIGHTxWIDTH; the networks take multiples of 32 px, from 32 to 1024"
        )
    return int(sides[0]), int(sides[-1])


def _pose(
    path: Path,
    out: Path,
    photos: "list[Photo]",
    count: int,
    frame: tuple[int, int] | None,
    name: str | None,
    kind: str,
) -> tuple[ModelCard, Forms]:
    """The pose network of a checkpoint: what the manifest says of it, without a locator, and its forms."""
    from hpe.export.pictures import crops_of
    from hpe.pose.skeleton import KEYPOINTS
    from hpe.train.checkpoint import LOCATOR_OUTPUTS, frame_of, read_network
    from hpe.train.network import describe

    network, saved = read_network(path)
    if network.joints == LOCATOR_OUTPUTS:
        raise BadModel(f"{path} is a locator: give it with --locate")
    frame = frame or frame_of(saved)
    card = ModelCard(
        name=name or f"pose-resnet{network.depth}-{frame[0]}x{frame[1]}",
        file=f"{out.stem}.onnx",
        sha256="",
        input_size=frame,
        architecture=f"{describe(network)}, {kind}",
        threshold=THRESHOLD,
        person_threshold=PERSON_THRESHOLD,
        sigma=float(saved.get("sigma", 2.0)),
        keypoints=KEYPOINTS[: network.joints],
        flip_test=FLIP_TEST,
    )
    return card, _forms(network, frame, crops_of(photos, frame, count))


def _locator(path: Path, out: Path, photos: "list[Photo]", size: int, kind: str) -> tuple[LocatorCard, Forms]:
    """The locator of a checkpoint: what the manifest says of it, and its forms."""
    from hpe.export.pictures import fitted
    from hpe.train.checkpoint import LOCATOR_OUTPUTS, frame_of, read_network
    from hpe.train.network import describe

    file = "locate.onnx" if out.stem == "pose" else f"{out.stem}-locate.onnx"
    if path.suffix == ".json":
        return _kept_locator(path, file, size)
    network, saved = read_network(path)
    if network.joints != LOCATOR_OUTPUTS:
        raise BadModel(f"{path} finds joints, not people: give a checkpoint of `task: locate`")
    unit = int(saved.get("size_unit") or max(frame_of(saved, size)))
    what = f"{describe(network)}, {kind}"
    card = LocatorCard(file, "", what, size, LOCATE_THRESHOLD, size_unit=unit, turned=TURNED)
    return card, _forms(network, (size, size), fitted(photos, size))


def _kept_locator(path: Path, file: str, size: int) -> tuple[LocatorCard, Forms]:
    """The locator of a model that is there already, with one look of `size` px."""
    import onnx

    known = read_manifest(path).locate
    if known is None:
        raise BadModel(f"{path} has no locator: give a checkpoint of one, or a manifest of two networks")
    unit = known.size_unit or known.input_size
    card = LocatorCard(file, "", known.architecture, size, known.threshold, known.calibration, unit, turned=TURNED)
    return card, {"onnx, as it is": onnx.load(path.with_name(known.file))}


def _forms(network: "PoseResNet", frame: tuple[int, int], calibration: "list[NDArray[np.uint8]]") -> Forms:
    """A network as torch has it, as fp32 ONNX and, with something to calibrate on, as int8: the last one is kept."""
    from hpe.export.quantize import quantize
    from hpe.export.rewrite import rewrite
    from hpe.export.to_onnx import to_onnx

    logging.getLogger().setLevel(logging.ERROR)  # onnxruntime advises a preparation that `rewrite` has done
    model = rewrite(to_onnx(network, frame))
    forms: Forms = {"torch fp32": network, "onnx fp32, rewritten": model}
    if calibration:
        forms["onnx int8"] = quantize(model, calibration)
    return forms


def _last(forms: Forms) -> Any:
    return forms[list(forms)[-1]]


def _report(data: Path, card: ModelCard, poses: Forms, locators: Forms) -> None:
    """Prints how far the forms of each network agree on the people of a data file."""
    from hpe.export.parity import compare_locators, compare_poses, locator_table, network_of, pose_table
    from hpe.train.data.people import people_of, read_photos

    photos = read_photos(data)
    of_pose, of_locator = ([network_of(*form) for form in forms.items()] for forms in (poses, locators))
    click.echo("\n" + pose_table(compare_poses(of_pose, people_of(photos), card)))
    if card.locate is not None:
        click.echo("\n" + locator_table(compare_locators(of_locator, photos, card.locate)))
