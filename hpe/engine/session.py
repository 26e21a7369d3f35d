"""The onnxruntime wrapper: one inference session a process, uint8 pictures in, heatmaps out."""

import os
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from hpe.engine.manifest import ModelCard
from hpe.errors import BadModel


def usable_cores() -> int:
    """Cores that this process may run on; in a container fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Session:
    """Runs a model file. Safe to call from several threads at once."""

    def __init__(self, path: Path, card: ModelCard, threads: int = 0) -> None:
        """threads: for one inference; 0 means every usable core. Raises BadModel for a file that is no model."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or usable_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # a spinning thread burns the CPU share that Lambda bills, and starves its neighbours in a container
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own kinds, none of them public
            raise BadModel(f"{path.name} cannot be loaded as an ONNX model: {error}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(uint8)":
            raise BadModel(f"{path.name}: expected one uint8 picture as input, found {[i.type for i in inputs]}")
        self._input = inputs[0].name
        self.card = card

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, S, S, 3) uint8 RGB -> (N, 16, S/4, S/4) float32 heatmaps."""
        return cast("NDArray[np.float32]", self._session.run(None, {self._input: batch})[0])
