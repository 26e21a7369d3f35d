"""How large a person is in the picture, from limbs of usual proportions: works for people cut off by the edge."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.pose.skeleton import LIMBS, plain_name

# Length of a limb as a part of the stature: standard body proportions (Winter, Biomechanics and Motor Control
# of Human Movement, 2009), rounded, with the joints where MPII puts them.
PROPORTIONS: Final[dict[tuple[str, str], float]] = {
    ("ankle", "knee"): 0.245,
    ("knee", "hip"): 0.245,
    ("hip", "pelvis"): 0.06,
    ("pelvis", "thorax"): 0.29,
    ("thorax", "upper_neck"): 0.06,
    ("upper_neck", "head_top"): 0.16,
    ("thorax", "shoulder"): 0.12,
    ("shoulder", "elbow"): 0.185,
    ("elbow", "wrist"): 0.15,
}
LIMB_ENDS: Final[NDArray[np.intp]] = np.array(LIMBS, dtype=np.intp)
LIMB_PROPORTIONS: Final[NDArray[np.float64]] = np.array([PROPORTIONS[plain_name(a), plain_name(b)] for a, b in LIMBS])
# On 119 labelled upright people of LSP this quantile gives 1.01 times ankle to head top (5 % to 95 %: 0.88 to 1.13).
QUANTILE: Final[float] = 0.7


def stature(points: NDArray[np.floating], known: NDArray[np.bool_]) -> float | None:
    """(J, 2) px, (J,) bool -> about the standing height in px, whatever the pose; None without a whole limb.

    Each limb tells a height through its proportion. Foreshortening only ever shortens, so a high quantile is
    taken and not the middle; not the largest either, for one misplaced joint must not blow it up.
    """
    whole = known[LIMB_ENDS].all(axis=1)
    if not whole.any():
        return None
    spans = np.asarray(points, dtype=np.float64)[LIMB_ENDS[whole]]
    lengths = np.hypot(*(spans[:, 0] - spans[:, 1]).T)
    return float(np.quantile(lengths / LIMB_PROPORTIONS[whole], QUANTILE))
