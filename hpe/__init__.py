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
    from hpe.photo.many import PoseEstimator
    from hpe.photo.results import Result, Results
    from hpe.pose.angles import Angle
    from hpe.pose.draw import DrawStyle
    from hpe.pose.openpose import draw_controlnet
    from hpe.pose.result import Joint, Pose
    from hpe.pose.skeleton import JOINTS, KEYPOINTS
    from hpe.pose.skeleton import LIMBS as SKELETON
    from hpe.video.track import Tracker, track

__version__ = "2.0.0"
__all__ = [
    "Angle",
    "BadModel",
    "BadRequest",
    "BadSettings",
    "BrokenImage",
    "BrokenVideo",
    "DrawStyle",
    "HpeError",
    "JOINTS",
    "Joint",
    "KEYPOINTS",
    "ModelUnavailable",
    "Pose",
    "PoseEstimator",
    "Result",
    "Results",
    "SKELETON",
    "TooLarge",
    "Tracker",
    "UnsupportedImage",
    "UnsupportedVideo",
    "__version__",
    "draw_controlnet",
    "draw_pose",
    "track",
]

_HOMES = {
    "Angle": ("hpe.pose.angles", "Angle"),
    "DrawStyle": ("hpe.pose.draw", "DrawStyle"),
    "JOINTS": ("hpe.pose.skeleton", "JOINTS"),
    "Joint": ("hpe.pose.result", "Joint"),
    "KEYPOINTS": ("hpe.pose.skeleton", "KEYPOINTS"),
    "Pose": ("hpe.pose.result", "Pose"),
    "PoseEstimator": ("hpe.photo.many", "PoseEstimator"),
    "Result": ("hpe.photo.results", "Result"),
    "Results": ("hpe.photo.results", "Results"),
    "SKELETON": ("hpe.pose.skeleton", "LIMBS"),
    "Tracker": ("hpe.video.track", "Tracker"),
    "draw_controlnet": ("hpe.pose.openpose", "draw_controlnet"),
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
