"""What was tried on the graph and the session: each row is one change from what is shipped."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx

from bench import models
from bench.latency import onnxruntime_call
from bench.models import BUILD, DEFAULT, RESNET50, Net
from bench.processes import report_of
from bench.report import Effort, table
from bench.timing import paired
from bench.variants import forms

SPINNING: dict[str, dict[str, str]] = {
    "spin within a run (shipped)": {"session.force_spinning_stop": "1"},
    "sleep between layers": {"session.intra_op.allow_spinning": "0"},
    "spin for a while after a run too (onnxruntime's default)": {},
}
# How a session is made. Hardware-bound optimisation stays at load time: a stored graph must run on any CPU.
STARTS = (
    "as shipped",
    "stored after extended optimisation",
    "stored after all optimisation",
    "no prepacking",
    "basic optimisation only",
)
START = """
import json, sys, time
import numpy, onnxruntime
kind, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
picture = numpy.zeros((1, size, size, 3), numpy.uint8)
def make(file, level="ORT_ENABLE_ALL", save=None, **entries):
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 2
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    for key, value in entries.items():
        options.add_session_config_entry("session." + key, value)
    if save: options.optimized_model_filepath = save
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
entries, level, file = {}, "ORT_ENABLE_ALL", path
if kind == "no prepacking": entries = {"disable_prepacking": "1"}
if kind == "basic optimisation only": level = "ORT_ENABLE_BASIC"
if kind.startswith("stored"):
    file = path + ".optimised"
    make(path, "ORT_ENABLE_ALL" if "all" in kind else "ORT_ENABLE_EXTENDED", save=file)
    level = "ORT_DISABLE_ALL" if "all" in kind else "ORT_ENABLE_ALL"
begin = time.perf_counter()
session = make(file, level, **entries)
made = time.perf_counter()
session.run(None, {"image": picture})
first = time.perf_counter()
warm = []
for _ in range(5):
    before = time.perf_counter(); session.run(None, {"image": picture}); warm.append(time.perf_counter() - before)
print(json.dumps({"start": (made - begin) * 1e3, "first": (first - made) * 1e3, "warm": min(warm) * 1e3}))
"""


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = ["## Tuning", "### Graph, one thread", _graphs(effort)]
    text += [
        "### Threads",
        "Two threads, after 20 ms of rest; CPU ms counts what spins on after the run.",
        _spins(effort),
    ]
    text += ["### Start of a session", "New processes, the least of five, ms.", _starts()]
    return "\n\n".join(text)


def _graphs(effort: Effort) -> str:
    rows: dict[str, list[object]] = {name: [name] for name in forms()}
    for net in (RESNET50, DEFAULT):
        picture = models.pictures(net.size, 1)
        calls = {name: onnxruntime_call(_form(net, name, make), picture, 1) for name, make in forms().items()}
        found = paired(calls, effort.rounds)
        for name, times in found.items():
            rows[name] += [round(times.min_ms, 1), f"{times.over(found['as shipped']):.3f}"]
    return table(["", RESNET50.name + " min ms", "x", DEFAULT.name + " min ms", "x"], rows.values())


def _form(net: Net, name: str, make: Callable[[onnx.ModelProto], onnx.ModelProto]) -> Path:
    from hpe.export import quantize

    path = BUILD / f"{net.stem}-form-{'-'.join(name.split())}.onnx"
    if path.exists() and path.stat().st_mtime > models.int8(net).stat().st_mtime:
        return path
    movers = quantize.OPERATORS[:]
    quantize.OPERATORS += ["DepthToSpace", "Slice"]
    try:
        onnx.save(quantize.quantize(make(onnx.load(models.exported(net))), models.pictures(net.size, 2)), path)
    finally:
        quantize.OPERATORS[:] = movers
    return path


def _spins(effort: Effort) -> str:
    import time

    import numpy as np
    import onnxruntime

    picture = models.pictures(DEFAULT.size, 1)
    sessions: dict[str, Any] = {}
    for name, entries in SPINNING.items():
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        for key, value in entries.items():
            options.add_session_config_entry(key, value)
        sessions[name] = onnxruntime.InferenceSession(str(models.int8(DEFAULT)), options)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sessions}
    for done in range(effort.rounds + 2):
        for name, session in sessions.items():
            time.sleep(0.02)
            cpu, begin = time.process_time(), time.perf_counter()
            session.run(None, {"image": picture})
            wall = time.perf_counter() - begin
            time.sleep(0.05)
            if done >= 2:
                found[name].append((wall * 1e3, (time.process_time() - cpu) * 1e3))
    rows = [[name, *(f"{v:.1f}" for v in (*np.median(times, axis=0), min(times)[0]))] for name, times in found.items()]
    return table([DEFAULT.name, "median ms", "CPU ms", "min ms"], rows)


def _starts() -> str:
    rows: list[list[object]] = []
    for net in (RESNET50, DEFAULT):
        path = models.int8(net)
        for kind in STARTS:
            runs = [report_of(START, kind, str(path), str(net.size)) for _ in range(5)]
            rows.append([f"{net.name}, {kind}", *(round(min(one[key] for one in runs), 1) for key in runs[0])])
    return table(["", "session", "first run", "warm run"], rows)
