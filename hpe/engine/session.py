"""The onnxruntime wrapper: uint8 pictures in, maps out."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from hpe.cores import usable_cores
from hpe.engine.inputs import checked_threads
from hpe.errors import BadModel, BadSettings

CPU: Final = "CPUExecutionProvider"


def runtime() -> Any:
    """onnxruntime, imported here and nowhere else."""
    # From 1.29 on it tells Microsoft about every process and session, and leaves a file in the temporary folder. This
    # is read when it is imported; whoever sets it to 0 has decided otherwise.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def checked_providers(providers: str | Sequence[str]) -> tuple[str, ...]:
    """Names of onnxruntime's execution providers, in the order of preference -> the same, each of them installed.

    None is the processor. Short names do: cuda, coreml, openvino, cpu. Raises BadSettings.
    """
    asked = (providers,) if isinstance(providers, str) else tuple(providers)
    there: list[str] = runtime().get_available_providers()
    by_name = {short(name): name for name in there}
    for name in asked:
        if not isinstance(name, str) or short(name) not in by_name:
            raise BadSettings(
                f"providers={name!r} is not in this onnxruntime, which has {', '.join(there)}: install the one that "
                "has it (onnxruntime-gpu for CUDA, onnxruntime-openvino for OpenVINO) in its place",
                limit=tuple(there),
            )
    return tuple(by_name[short(name)] for name in asked) or (CPU,)


def short(provider: str) -> str:
    """CUDAExecutionProvider -> cuda."""
    return provider.lower().removesuffix("executionprovider")


class Session(Protocol):
    """A network that runs: what the engine needs of one."""

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) uint8 RGB -> (N, C, H/4, W/4) float32 maps."""


class OnnxSession:
    """Runs a model file. Safe to call from several threads at once."""

    def __init__(
        self,
        path: Path,
        threads: int = 0,
        frame: tuple[int, int] | None = None,
        maps: int | None = None,
        providers: Sequence[str] = (CPU,),
    ) -> None:
        """threads: for one inference; 0 means every usable core. frame: the (height, width) that it has to take, None
        for any multiples of 32. maps: how many it has to give, None for any. providers: `checked_providers`, the first
        of which must work. Raises BadModel for a file that is not such a model, BadSettings for a provider that fails.
        """
        onnxruntime = runtime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = checked_threads(threads) or usable_cores()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that spin between two layers are awake for the next: with sleeping ones two threads gained
        # nothing on a busy host. Once a run ends they sleep, and leave the cores to the rest of the request.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
        except Exception as error:  # onnxruntime raises its own kinds, none of them public
            raise BadModel(f"{path.name} cannot be loaded as an ONNX model: {error}") from error
        # onnxruntime falls back to the processor without a word: hours later someone wonders why it is slow
        if providers[0] not in self._session.get_providers():
            raise BadSettings(
                f"{providers[0]} could not be started on this machine: leave providers out for the processor"
            )
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(uint8)":
            raise BadModel(f"{path.name}: expected one uint8 picture as input, found {[i.type for i in inputs]}")
        self._input = inputs[0].name
        # H and W are names in the file ("H", "W") if they are free, else numbers
        sides = tuple(inputs[0].shape[1:3])
        if not all(isinstance(side, str) for side in sides) and sides != frame:
            wanted = "any multiples of 32" if frame is None else f"{frame[0]}x{frame[1]}"
            raise BadModel(f"{path.name} takes pictures of {sides[0]}x{sides[1]} px, its manifest says {wanted}")
        given = [output.shape for output in self._session.get_outputs()]
        if maps is not None and (len(given) != 1 or len(given[0]) != 4 or given[0][1] != maps):
            raise BadModel(
                f"{path.name} gives {given}: a network of this kind gives {maps} maps, like (N, {maps}, H, W)"
            )

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, H, W, 3) uint8 RGB -> (N, C, H/4, W/4) float32 maps."""
        return cast("NDArray[np.float32]", self._session.run(None, {self._input: batch})[0])
