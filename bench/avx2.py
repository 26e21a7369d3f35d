"""Do the int8 kernels of x86 without VNNI say the same? onnxruntime under qemu-user, as a Haswell, against this CPU.

Needs Debian's qemu-user. Without VNNI two u8 x s8 products are added in 16 bits and saturate with 8-bit weights.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from bench import models
from bench.models import BUILD, DEFAULT
from bench.photos import jpeg
from bench.processes import ROOT
from bench.report import Effort, table

CHILD = """
import sys, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
found = [session.run(None, {"image": one[None]})[0] for one in numpy.load(sys.argv[2])]
numpy.save(sys.argv[3], numpy.concatenate(found))
"""
HASWELL = ["qemu-x86_64", "-cpu", "Haswell"]


def run(effort: Effort) -> str:
    """The section of results.md."""
    if shutil.which(HASWELL[0]) is None:
        return "## AVX2\n\nNot measured: `apt-get install qemu-user`."
    rows = []
    for name, path, size in _models():
        crops = crops_of_photo(size)
        here, there = heatmaps(path, crops, []), heatmaps(path, crops, HASWELL)
        shift = np.linalg.norm(peaks(here) - peaks(there), axis=-1)
        worst = float(np.abs(here - there).max() / np.abs(here).max())
        same = "yes" if np.array_equal(here, there) else "no"
        rows.append([name, same, f"{100 * worst:.1f} %", f"{shift.mean():.2f}", f"{shift.max():.1f}"])
    text = (
        f"Heatmaps of {len(crops)} crops by this CPU's kernels and by AVX2's (`{' '.join(HASWELL)}`). Difference "
        "as a share of the highest value; peaks in cells of the heatmap."
    )
    head = ["", "same to the bit", "largest difference", "peaks move, mean", "most"]
    return "\n\n".join(["## x86 without VNNI", text, table(head, rows)])


def _models() -> list[tuple[str, Path, int]]:
    from hpe.engine.manifest import read_manifest

    card = read_manifest(ROOT / "models" / "pose.json")
    return [
        (f"the default model, {card.name}", ROOT / "models" / card.file, card.input_size),
        (f"{DEFAULT.name}, random, 7-bit weights (ours)", models.int8(DEFAULT), DEFAULT.size),
        (f"{DEFAULT.name}, random, 8-bit weights", full_range(), DEFAULT.size),
    ]


def full_range() -> Path:
    """The default's shape with 8-bit weights, which we do not ship."""
    from hpe.export.quantize import quantize
    from hpe.export.rewrite import rewrite

    path = BUILD / f"{DEFAULT.stem}-8bit.onnx"
    source = onnx.load(models.exported(DEFAULT))
    onnx.save(quantize(rewrite(source), models.pictures(DEFAULT.size), reduce_range=False), path)
    return path


def crops_of_photo(size: int, count: int = 6) -> NDArray[np.uint8]:
    """(count, size, size, 3) uint8 RGB: the same photo at several scales and places."""
    import cv2

    photo = cv2.imdecode(np.frombuffer(jpeg(1280), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    crops = []
    for number in range(count):
        side = 960 - 80 * number
        left, top = 40 * number, 20 * number
        crops.append(
            cv2.resize(photo[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)
        )
    return np.stack(crops)


def heatmaps(path: Path, crops: NDArray[np.uint8], prefix: list[str]) -> NDArray[np.float32]:
    """Runs the model in a process of its own, under an emulator where `prefix` names one."""
    given, taken = BUILD / "crops.npy", BUILD / "heatmaps.npy"
    np.save(given, crops)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    command = [*prefix, sys.executable, "-c", CHILD, str(path), str(given), str(taken)]
    subprocess.run(command, check=True, env=environ, stderr=subprocess.DEVNULL)
    found: NDArray[np.float32] = np.load(taken)
    return found


def peaks(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, J, H, W) -> (N, J, 2) x, y of each map's highest cell."""
    best = maps.reshape(*maps.shape[:2], -1).argmax(axis=-1)
    return np.stack([best % maps.shape[-1], best // maps.shape[-1]], axis=-1).astype(np.float64)
