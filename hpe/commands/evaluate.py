"""`hpe eval`."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from hpe.commands.options import Side
from hpe.cores import MAX_THREADS
from hpe.errors import BadSettings
from hpe.train.config import Source

KINDS = ("shards", "people", "mpii", "lsp", "coco")


@click.command("eval")
@click.option("--data", type=click.Path(path_type=Path), help="Labelled people: a JSON, .mat or LSP folder.")
@click.option("--kind", type=click.Choice(KINDS), help="Format of --data [told by its content].")
@click.option("--images", default="", help="Image folder of MPII or COCO, where it is not beside the annotations.")
@click.option("--head-boxes", default="", help="gt_valid.mat with MPII's head boxes, for the JSON annotations.")
@click.option("--first", type=click.IntRange(0), default=0, help="LSP: the first image, counted from 1.")
@click.option("--last", type=click.IntRange(0), default=0, help="LSP: the last image.")
@click.option("--limit", type=click.IntRange(0), default=0, help="Only that many people, spread over the data.")
@click.option("--model", default="", help="A manifest, s3://..., or a checkpoint [the default model].")
@click.option("--pose", default="", help="A checkpoint in the place of the model's pose network.")
@click.option("--locate", default="", help="A checkpoint in the place of the model's locator.")
@click.option("--size", type=Side(), help="Input size of a checkpoint in px [the one it was best at].")
@click.option("--flip", is_flag=True, help="Average with the mirrored picture.")
@click.option("--per-joint", is_flag=True, help="Every joint, left and right apart.")
@click.option("--whole-image", is_flag=True, help="Also without the labelled box, in a larger frame.")
@click.option("--frame", type=float, nargs=2, default=(2.0, 3.0), show_default=True, help="How much larger: from, to.")
@click.option("--negatives", type=click.Path(path_type=Path), help="A tar of photos without people.")
@click.option(
    "--part", type=click.Choice(["test", "train", "all"]), default="test", show_default=True, help="Of those."
)
@click.option("--steadiness", is_flag=True, help="Whole photos: also saved, shifted and scaled otherwise.")
@click.option("--turned", is_flag=True, help="Whole photos: also turned by 90, 180 and 270 degrees.")
@click.option("--video", is_flag=True, help="Whole photos: clips made of them, as many as --limit [40]; tracking.")
@click.option("--every", type=click.IntRange(0, 1000), default=0, help="With --video: detect in every Nth frame [5].")
@click.option(
    "--states", is_flag=True, help="Whole photos: what is said of joints, also in photos cut through a person."
)
@click.option("--threads", type=click.IntRange(0, MAX_THREADS), default=0, help="Of an exported model [all cores].")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.option("--markdown", is_flag=True, help="Whole photos: the tables of docs/model.md.")
def evaluate(as_json: bool, markdown: bool, per_joint: bool, **options: Any) -> None:
    """Measure a model on labelled people: AP of boxes and joints, PCK, PCKh.

    Crops and decoding are the product's own. Whole photos with everybody boxed give COCO's keypoint evaluation, AP of
    boxes, people found and false ones, where it fails by kind of person, and what scores are worth; LSP and cut-out
    people give PCK@0.2 of the torso, MPII PCKh@0.5 and @0.1, COCO OKS AP over the 12 joints that it shares.

    \b
    hpe eval --data ../shared/data/coco/coco-val.json --steadiness --turned --states
    hpe eval --data ../shared/data/coco/coco-val.json --pose runs/pose/last.pt --limit 100
    hpe eval --data ../shared/data/coco/coco-train.json --video
    hpe eval --data ../shared/data/pose/val.json --per-joint
    hpe eval --data val.json --whole-image --negatives negatives.tar
    hpe eval --data mpii/annot/valid.json --images mpii/images --head-boxes mpii/annot/gt_valid.mat --flip
    """
    least, most = options["frame"]
    if not 1 <= least <= most < 100:
        raise click.UsageError(f"--frame {least:g} {most:g}: give two numbers from 1 to 99, the smaller first")
    if 0 < options["last"] < options["first"]:
        raise click.UsageError(f"--first {options['first']} --last {options['last']}: the first comes after the last")
    options["size"] = options["size"] or 0
    from hpe.measure.evaluate import Options, run_evaluation
    from hpe.measure.report import as_markdown, as_text

    data, negatives = options.pop("data"), options.pop("negatives")
    if data is None and negatives is None:
        raise click.UsageError("give --data, --negatives or both: there is nothing to measure")
    source = None if data is None else data_source(data, options)
    if source is None or source.kind != "people":
        for option in ("steadiness", "turned", "states", "video", "markdown"):
            if markdown if option == "markdown" else options[option]:
                raise click.UsageError(f"--{option}: only for --data of whole photos with everybody boxed")
    fields = {f.name for f in dataclasses.fields(Options)}
    report = run_evaluation(
        Options(source=source, negatives=negatives, **{k: v for k, v in options.items() if k in fields})
    )
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        click.echo(as_markdown(report) if markdown else as_text(report, per_joint))


def data_source(path: Path, options: dict[str, Any]) -> Source:
    """--data and its companions -> a Source."""
    kind = options["kind"] or guess_kind(path)
    wanted = {"mpii": ("images", "head_boxes"), "coco": ("images",), "lsp": ("first", "last")}.get(kind, ())
    return Source(kind, str(path), options={name: options[name] for name in wanted if options[name]})


def guess_kind(path: Path) -> str:
    """A data set's format, told by its annotations. Raises BadSettings if it cannot be."""
    from hpe.train.data.files import read_json

    if path.is_dir():
        return "lsp"
    if path.suffix == ".mat":
        return "mpii"
    content = read_json(path)
    if isinstance(content, dict) and "annotations" in content:
        return "coco"
    if isinstance(content, list) and content and isinstance(content[0], dict):
        if "people" in content[0]:
            return "people"
        if "shard" in content[0]:
            return "shards"
        if "joints_vis" in content[0]:
            return "mpii"
    raise BadSettings(f"{path}: its format is not one of {', '.join(KINDS)}: say which with --kind")
