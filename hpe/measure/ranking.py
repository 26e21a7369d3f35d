"""How well everybody is ranked, the unsure ones included: average precision of boxes and of poses."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.measure.found import Found, Seen, coco_labels
from hpe.pose.skeleton import COCO_JOINTS, JOINTS
from hpe.score.box_ap import box_ap
from hpe.score.coco_ap import LIMBS, WHOLE, Answer, Truth, keypoint_ap
from hpe.train.data.samples import Photo

SIZES_PX: Final[tuple[int, ...]] = (32, 96)  # least longer side of the people that count


def box_precision(found: Sequence[Found], photos: Sequence[Photo]) -> dict[str, dict[str, float]]:
    """By least size of the people: AP50, and AP (mean of IoU 0.50 to 0.95), of the boxes in percent."""
    tables = [np.concatenate([f.boxes, f.scores[:, None]], axis=1) for f in found]
    rows = {}
    for least in (*SIZES_PX, 0):
        steps = [box_ap(tables, photos, iou, least) for iou in np.linspace(0.5, 0.95, 10)]
        name = f"boxes of people from {least} px" if least else "boxes of all people"
        rows[name] = {"AP": float(np.mean(steps)), "AP50": steps[0]}
    return rows


def oks_precision(seen: Seen, names: Sequence[str] = JOINTS) -> dict[str, dict[str, float]]:
    """OKS AP over the 12 limb joints and, if the model finds faces, over COCO's 17, in percent.

    With the product's boxes, everybody ranked, and with the labelled ones. names: of the model's keypoints.
    """
    truths = [Truth(photo.boxes, photo.ignore, coco_labels(photo)) for photo in seen.photos]
    rows = {}
    for boxes, found in (("product's boxes", seen.ranked), ("labelled boxes", seen.boxed)):
        if found:
            answers = [Answer(coco_points(one.points, names), one.scores) for one in found]
            rows[f"12 joints, {boxes}"] = keypoint_ap(answers, truths, LIMBS)
            if knows_faces(names):
                rows[f"17 keypoints, {boxes}"] = keypoint_ap(answers, truths, WHOLE)
    return rows


def knows_faces(names: Sequence[str]) -> bool:
    """Whether all of COCO's 17 keypoints are among the names."""
    return set(COCO_JOINTS) <= set(names)


def coco_points(points: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """(K, J, 2) px of keypoints of these names -> (K, 17, 2) in COCO's order; 0 for those that are not among them."""
    placed = np.zeros((len(points), len(COCO_JOINTS), 2))
    for number, name in enumerate(COCO_JOINTS):
        if name in names and len(points):
            placed[:, number] = points[:, list(names).index(name)]
    return placed
