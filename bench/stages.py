"""(b) The stages of a warm request, through `hpe.web.api.handle`."""

import time
from pathlib import Path

import numpy as np

from bench import figures, models
from bench.latency import onnxruntime_call
from bench.models import RESNET50, Net
from bench.posting import estimator, model_path, request
from bench.report import Effort, table

WIDTHS = (640, 1280, 4000)
STAGES = ("decode", "infer", "draw", "encode")


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = [
        "## A warm request",
        "JPEG in, drawn PNG out, medians in ms. `infer` is two passes of the network with their crops and decoding; "
        "`bare` is one run of the network alone, timed in the same rounds. Photos are answered at 1,600 px at most.",
    ]
    kept = {}
    for net in (RESNET50, None):
        for threads in (1, 2):
            rows = [measure(width, net, threads, effort.rounds) for width in WIDTHS]
            kept[f"{net.stem if net else 'default'}-{threads}"] = dict(zip(map(str, WIDTHS), rows, strict=True))
            name = net.name if net else f"the default model, {estimator(None, threads).card.name}"
            text += [f"### {name}, {threads} thread{'s'[: threads > 1]}", _table(rows)]
    figures.keep("stages", kept)
    return "\n\n".join(text)


def measure(width: int, net: Net | None, threads: int, rounds: int) -> dict[str, float]:
    """-> median ms of each stage, of the `whole` request, and of the `bare` network; kilobytes of the answer."""
    size = estimator(net, threads).card.input_size
    bare = onnxruntime_call(_model(net, threads), models.pictures(size, 1), threads)
    found: list[dict[str, float]] = []
    for done in range(rounds + 2):
        begin = time.perf_counter()
        stages = request(width, net, threads)
        middle = time.perf_counter()
        bare()
        end = time.perf_counter()
        if done >= 2:
            found.append(stages | {"whole": (middle - begin) * 1e3, "bare": (end - middle) * 1e3})
    medians = {key: float(np.median([one.get(key, 0.0) for one in found])) for key in (*STAGES, "whole", "bare")}
    return medians | {"kilobytes": found[-1]["bytes"] / 1e3, "width": float(width)}


def _model(net: Net | None, threads: int) -> Path:
    return model_path(net) or Path(__file__).parents[1] / "models" / estimator(net, threads).card.file


def _table(rows: list[dict[str, float]]) -> str:
    head = [
        "photo",
        *STAGES,
        "whole",
        "bare",
        "whole / bare",
        "whole / two bare",
        "decode + draw + encode / infer",
        "kB",
    ]
    return table(
        head,
        [
            [
                f"{row['width']:.0f} px",
                *(round(row[key], 1) for key in (*STAGES, "whole", "bare")),
                f"{row['whole'] / row['bare']:.2f}",
                f"{row['whole'] / row['bare'] / 2:.2f}",
                f"{(row['decode'] + row['draw'] + row['encode']) / row['infer']:.2f}",
                f"{row['kilobytes']:.0f}",
            ]
            for row in rows
        ],
    )
