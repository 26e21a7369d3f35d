"""Requests to `hpe.web.api.handle`, with the default model or a big one."""

import logging
from functools import cache
from pathlib import Path
from typing import Any

from bench.models import BUILD, Net
from bench.photos import jpeg


@cache
def model_path(net: Net | None) -> Path | None:
    """The default model (None), or `net` with random weights and thresholds of 0: always a person to draw."""
    if net is None:
        return None
    import onnx

    from bench import models
    from hpe.engine.manifest import ModelCard
    from hpe.export.bundle import write_bundle

    path = BUILD / f"{net.stem}-bundle.json"
    card = ModelCard(net.stem, f"{net.stem}-bundle.onnx", "", net.size, net.name, 0.0, 0.0, 2.0)
    write_bundle(path, card, onnx.load(models.int8(net)), None)
    return path


@cache
def estimator(net: Net | None, threads: int = 0) -> Any:
    """One estimator a model; the default model takes its own thresholds, random weights are sure of what they see."""
    from hpe.engine.estimator import PoseEstimator

    return PoseEstimator(model_path(net), threads=threads)


def request(width: int, net: Net | None, threads: int = 0, format: str = "png") -> dict[str, float]:
    """One warm POST /pose of a photo `width` px wide -> ms by stage, and `bytes` of the answer."""
    from hpe.settings import Settings
    from hpe.web.api import handle
    from hpe.web.messages import Request

    logging.getLogger("hpe").setLevel(logging.ERROR)
    sent = Request("POST", "/pose", {"format": format}, {"content-type": "image/jpeg"}, jpeg(width))
    found = estimator(net, threads)
    response = handle(sent, lambda: found, Settings(threads=threads))
    if response.status != 200:
        raise RuntimeError(f"{response.status}: {response.body[:300]!r}")
    stages = dict(part.split(";dur=") for part in response.headers["Server-Timing"].split(", "))
    return {name: float(ms) for name, ms in stages.items()} | {"bytes": float(len(response.body))}
