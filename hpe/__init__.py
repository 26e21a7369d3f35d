"""hpe: human pose estimation. A photo in, the joints and limbs out.

>>> from hpe import PoseEstimator, draw_pose
>>> poses = PoseEstimator()("photo.jpg")
"""

import os
from typing import TYPE_CHECKING, Any

from hpe.errors import HpeError

if TYPE_CHECKING:
    from hpe.engine.estimator import PoseEstimator
    from hpe.pose.draw import draw_pose
    from hpe.pose.result import Pose

__version__ = "1.0.0"
__all__ = ["HpeError", "Pose", "PoseEstimator", "__version__", "draw_pose"]

# From 1.29 on onnxruntime tells Microsoft about every process and session, and leaves a file in the temporary folder.
# Read when it starts, so this has to come first; whoever sets it to 0 has decided otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOMES = {"PoseEstimator": "hpe.engine.estimator", "Pose": "hpe.pose.result", "draw_pose": "hpe.pose.draw"}


def __getattr__(name: str) -> Any:
    # numpy and OpenCV cost 100 ms to import: only those who use the engine pay for it
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'hpe' has no attribute {name!r}")
