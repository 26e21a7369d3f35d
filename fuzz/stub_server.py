"""The local server with a stand-in for the network, which sees a person everywhere and takes no time."""

import os
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.engine.manifest import ModelCard
from hpe.pose.result import Pose
from hpe.settings import Settings

_CARD: Final = ModelCard("stub", "stub.onnx", "00" * 32, 160, "none", 0.2, 0.2, 2.0)


class Stub:
    """Joints on a diagonal of whatever picture comes."""

    card = _CARD
    threshold = 0.2

    def __call__(self, image: NDArray[np.uint8], *, threshold: float | None = None, **_: Any) -> list[Pose]:
        """(H, W, 3) uint8 RGB -> one person."""
        height, width = image.shape[:2]
        part = np.linspace(0.1, 0.9, 16, dtype=np.float32)
        points = np.stack([part * width, part * height], axis=1) - 0.5
        box = np.concatenate([points.min(axis=0), points.max(axis=0)])
        return [Pose(points, part, box, 0.75, 0.2 if threshold is None else threshold)]


def main() -> None:
    """Serve on any free port until SIGTERM."""
    import hpe.engine.estimator as engine
    from hpe.server.serve import serve

    stub: Any = lambda *_, **__: Stub()  # noqa: E731
    engine.PoseEstimator = stub
    serve(0, Settings.from_env(os.environ), Path("static-site"))


if __name__ == "__main__":
    main()
