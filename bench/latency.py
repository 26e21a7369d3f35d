"""One inference: this int8 model, the same in fp32, and OpenVINO with both."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import models
from bench.models import Net, default_nets
from bench.report import Effort, table
from bench.timing import Times, paired

OURS = "int8, this project"
Call = Callable[[], Any]


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = [
        "## One inference",
        "Batch 1. `x` is time over this project's int8, the median of the rounds' own ratios: above 1 is slower. "
        "OpenVINO int8 runs the same file as ours.",
    ]
    for net in default_nets():
        times = {threads: measure(net, threads, effort.rounds) for threads in (1, 2)}
        text += [f"### {net.name}", _table(net, times)]
    return "\n\n".join(text)


def measure(net: Net, threads: int, rounds: int) -> dict[str, Times]:
    """Every variant of one network, paired."""
    calls = variants(net, threads)
    return paired({name: call for name, (call, _) in calls.items()}, rounds)


def variants(net: Net, threads: int) -> dict[str, tuple[Call, Path]]:
    """Name -> (one inference, its model file)."""
    raw = models.pictures(net.frame, 1)
    planes = models.normalised(raw)
    files: dict[str, tuple[Path, NDArray[Any], Callable[..., Call]]] = {
        OURS: (models.int8(net), raw, onnxruntime_call),
        "fp32 ONNX as exported": (models.exported(net), planes, onnxruntime_call),
    }
    if have_openvino():
        files["OpenVINO fp32"] = (models.exported(net), planes, openvino_call)
        files["OpenVINO int8, our file"] = (models.int8(net), raw, openvino_call)
    else:
        print("OpenVINO is not installed: pip install -r bench/requirements.txt")
    return {name: (make(path, picture, threads), path) for name, (path, picture, make) in files.items()}


def onnxruntime_call(path: Path, picture: NDArray[Any], threads: int) -> Call:
    """One inference with the settings of `hpe.engine.session`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: picture})[0]


def have_openvino() -> bool:
    """Is the peer installed?"""
    try:
        import openvino  # noqa: F401
    except ImportError:
        return False
    return True


def openvino_call(path: Path, picture: NDArray[Any], threads: int) -> Call:
    """One inference, compiled for latency at a fixed shape."""
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    model.reshape({model.input(0).any_name: list(picture.shape)})
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda: np.asarray(request.infer([picture])[0])


def _table(net: Net, times: dict[int, dict[str, Times]]) -> str:
    sizes = {name: path.stat().st_size / 1e6 for name, (_, path) in variants(net, 1).items()}
    head = ["", "MB"]
    for threads in times:
        head += [f"{threads} thread{'s'[: threads > 1]}: median ms", "min ms", "x"]
    rows: list[list[object]] = []
    for name in times[1]:
        row: list[object] = [f"**{name}**" if name == OURS else name, round(sizes[name], 1)]
        for found in times.values():
            ratio = found[name].over(found[OURS])
            row += [round(found[name].median_ms, 1), round(found[name].min_ms, 1), f"{ratio:.2f}"]
        rows.append(row)
    return table(head, rows)
