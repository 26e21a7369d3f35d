"""hpe: human pose estimation. A photo in, everybody's joints and limbs out.

>>> from hpe import PoseEstimator, draw_pose
>>> poses = PoseEstimator()("photo.jpg")
>>> drawn = draw_pose("photo.jpg", poses)
"""

from typing import TYPE_CHECKING, Any

from hpe.errors import (
    BadModel,
    BadRequest,
    BadSettings,
    BrokenImage,
    BrokenVideo,
    HpeError,
    ModelUnavailable,
    TooLarge,
    UnsupportedImage,
    UnsupportedVideo,
)

if TYPE_CHECKING:
    from hpe.engine.draw import draw_pose
    from hpe.engine.estimator import PoseEstimator
    from hpe.pose.draw import DrawStyle
    from hpe.pose.result import Pose
    from hpe.pose.skeleton import JOINTS
    from hpe.pose.skeleton import LIMBS as SKELETON
    from hpe.video.track import Tracker, track

__version__ = "2.0.0"
__all__ = [
    "BadModel",
    "BadRequest",
    "BadSettings",
    "BrokenImage",
    "BrokenVideo",
    "DrawStyle",
    "HpeError",
    "JOINTS",
    "ModelUnavailable",
    "Pose",
    "PoseEstimator",
    "SKELETON",
    "TooLarge",
    "Tracker",
    "UnsupportedImage",
    "UnsupportedVideo",
    "__version__",
    "draw_pose",
    "track",
]

_HOMES = {
    "DrawStyle": ("hpe.pose.draw", "DrawStyle"),
    "JOINTS": ("hpe.pose.skeleton", "JOINTS"),
    "Pose": ("hpe.pose.result", "Pose"),
    "PoseEstimator": ("hpe.engine.estimator", "PoseEstimator"),
    "SKELETON": ("hpe.pose.skeleton", "LIMBS"),
    "Tracker": ("hpe.video.track", "Tracker"),
    "draw_pose": ("hpe.engine.draw", "draw_pose"),
    "track": ("hpe.video.track", "track"),
}


def __getattr__(name: str) -> Any:
    # numpy and OpenCV cost 100 ms to import: only those who use the engine pay for it
    if name in _HOMES:
        from importlib import import_module

        module, attribute = _HOMES[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'hpe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
