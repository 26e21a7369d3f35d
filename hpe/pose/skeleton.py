"""The 21 keypoints: names, limbs, mirror pairs and colours. The only place that knows their order.

First the 16 joints of the MPII Human Pose data set (Andriluka et al., CVPR 2014) in its order, then the five points of
the face that COCO has (Lin et al., ECCV 2014), so that COCO's 17 are whole. Left and right are the person's own.
"""

from typing import Final

JOINTS: Final[tuple[str, ...]] = (
    "right_ankle",
    "right_knee",
    "right_hip",
    "left_hip",
    "left_knee",
    "left_ankle",
    "pelvis",
    "thorax",
    "upper_neck",
    "head_top",
    "right_wrist",
    "right_elbow",
    "right_shoulder",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
)
NUM_JOINTS: Final[int] = len(JOINTS)
FACE: Final[tuple[str, ...]] = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
# What a pose network answers: all of these, or the joints alone.
KEYPOINTS: Final[tuple[str, ...]] = JOINTS + FACE
NUM_KEYPOINTS: Final[int] = len(KEYPOINTS)
INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(KEYPOINTS)}

LIMBS_BY_NAME: Final[tuple[tuple[str, str], ...]] = (
    ("right_ankle", "right_knee"),
    ("right_knee", "right_hip"),
    ("right_hip", "pelvis"),
    ("left_ankle", "left_knee"),
    ("left_knee", "left_hip"),
    ("left_hip", "pelvis"),
    ("pelvis", "thorax"),
    ("thorax", "upper_neck"),
    ("upper_neck", "head_top"),
    ("thorax", "right_shoulder"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("thorax", "left_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
)
LIMBS: Final[tuple[tuple[int, int], ...]] = tuple((INDEX[a], INDEX[b]) for a, b in LIMBS_BY_NAME)

FLIP_PAIRS: Final[tuple[tuple[int, int], ...]] = tuple(
    (INDEX[name], INDEX[name.replace("right_", "left_")]) for name in KEYPOINTS if name.startswith("right_")
)


def _flip_order() -> tuple[int, ...]:
    order = list(range(NUM_KEYPOINTS))
    for a, b in FLIP_PAIRS:
        order[a], order[b] = b, a
    return tuple(order)


# FLIP_ORDER[i] is the keypoint that keypoint i becomes when the picture is mirrored. Its first 16 are the joints'.
FLIP_ORDER: Final[tuple[int, ...]] = _flip_order()

# Pelvis and thorax are midpoints in LSP and carry no information of their own there.
LSP_JOINTS: Final[tuple[int, ...]] = tuple(i for i, name in enumerate(JOINTS) if name not in ("pelvis", "thorax"))
LIMB_JOINTS: Final[tuple[int, ...]] = tuple(
    i for i, name in enumerate(JOINTS) if name not in ("pelvis", "thorax", "upper_neck", "head_top")
)


def side(joint: int) -> str:
    """'left', 'right' or 'middle' for a keypoint's index."""
    name = KEYPOINTS[joint]
    return name.split("_")[0] if name.startswith(("left_", "right_")) else "middle"


def plain_name(joint: int) -> str:
    """A keypoint's name without its side: 'knee' for either knee, 'pelvis' for the pelvis."""
    return KEYPOINTS[joint].removeprefix("left_").removeprefix("right_")


# COCO's 17 keypoints in its order (cocodataset.org).
COCO_JOINTS: Final[tuple[str, ...]] = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
)

# RGB. Warm for the person's left, cool for the right, and a light middle: told apart by hue and by
# lightness, so that they stay apart for colour-blind eyes as well.
COLOURS_RGB: Final[dict[str, tuple[int, int, int]]] = {
    "left": (255, 138, 61),
    "right": (46, 168, 255),
    "middle": (247, 244, 237),
}
