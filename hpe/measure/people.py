"""Everybody in whole photos, by the whole product: boxes, joints, and what the scores are worth.

K people found, P people labelled, J joints. Labelled joints are those of `people.json`; the 12 limb joints count.
"""

import itertools
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hpe.engine.estimator import PoseEstimator
from hpe.measure.box_ap import box_ap
from hpe.measure.coco_ap import keypoint_stats
from hpe.measure.found import Found
from hpe.pose.boxes import AREA_OF_BOX, OKS_SIGMAS, box_iou, overlaps
from hpe.pose.skeleton import INDEX, LIMB_JOINTS
from hpe.train.data.people import Photo

LIMBS: Final[list[int]] = list(LIMB_JOINTS)
SIZES_PX: Final[tuple[int, ...]] = (32, 96)  # least longer side of the people that count
NEAR: Final[float] = 0.1  # of the box's longer side: a joint that close is right
SAME: Final[float] = 0.5  # IoU or OKS from which it is the same person
EDGES: Final[NDArray[np.float64]] = np.linspace(0, 1, 11)


def box_precision(found: list[Found], photos: list[Photo]) -> dict[str, float]:
    """AP50 and AP (mean of IoU 0.50 to 0.95) of the boxes in percent, by least size of the people."""
    tables = [np.concatenate([f.boxes, f.scores[:, None]], axis=1) for f in found]
    result = {}
    for least in (*SIZES_PX, 0):
        name = f"people from {least} px" if least else "all people"
        result[f"box AP50, {name}"] = box_ap(tables, photos, 0.5, least)
        steps = [box_ap(tables, photos, iou, least) for iou in np.linspace(0.5, 0.95, 10)]
        result[f"box AP, {name}"] = float(np.mean(steps))
    return result


def oks_precision(found: list[Found], photos: list[Photo]) -> dict[str, float]:
    """OKS AP and AP50 over the 12 limb joints through pycocotools, in percent. Area: 0.53 of the box's.

    People without labelled limb joints and areas to ignore are ignored, as COCO does.
    """
    truth_rows: list[dict[str, Any]] = []
    result_rows: list[dict[str, Any]] = []
    for i, (one, photo) in enumerate(zip(found, photos, strict=True), 1):
        for box, ignore, joints in zip(photo.boxes, photo.ignore, photo.joints, strict=True):
            flags = joints[LIMBS].astype(np.float64)
            flags[:, 2] *= 0 if ignore else 2
            flags[flags[:, 2] == 0] = 0
            width, height = (float(v) for v in box[2:] - box[:2])
            truth_rows.append(
                {
                    "id": len(truth_rows) + 1,
                    "image_id": i,
                    "category_id": 1,
                    "bbox": [float(box[0]), float(box[1]), width, height],
                    "area": AREA_OF_BOX * width * height,
                    "iscrowd": int(ignore),
                    "keypoints": flags.ravel().tolist(),
                    "num_keypoints": int((flags[:, 2] > 0).sum()),
                }
            )
        for points, score in zip(one.points, one.scores, strict=True):
            keypoints = np.concatenate([points[LIMBS], np.ones((len(LIMBS), 1))], axis=1)
            result_rows.append(
                {"image_id": i, "category_id": 1, "keypoints": keypoints.ravel().tolist(), "score": float(score)}
            )
    if not result_rows:
        return {"OKS AP over 12 joints": 0.0, "OKS AP50 over 12 joints": 0.0}
    images = list(range(1, len(photos) + 1))
    truth = {
        "images": [{"id": i} for i in images],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": truth_rows,
    }
    stats = keypoint_stats(truth, result_rows, images, OKS_SIGMAS[LIMBS])
    return {"OKS AP over 12 joints": 100 * float(stats[0]), "OKS AP50 over 12 joints": 100 * float(stats[1])}


def oks_to(points: NDArray[np.float64], photo: Photo) -> NDArray[np.float64]:
    """(K, J, 2) px -> (K, P) OKS with each labelled person over their labelled limb joints, 0 without any."""
    labels, known = photo.joints[:, LIMBS, :2].astype(np.float64), photo.joints[:, LIMBS, 2] > 0
    area = AREA_OF_BOX * (photo.boxes[:, 2:] - photo.boxes[:, :2]).prod(axis=1).astype(np.float64)
    squared = ((points[:, None, LIMBS] - labels[None]) ** 2).sum(axis=3)
    alike = np.exp(-squared / (2 * np.maximum(area, 1)[None, :, None] * (2 * OKS_SIGMAS[LIMBS]) ** 2))
    return np.asarray((alike * known).sum(axis=2) / np.maximum(known.sum(axis=1), 1)[None])


def pairs(alike: NDArray[np.float64], least: float) -> dict[int, int]:
    """(K, P) likeness, found people best first -> {labelled person: found person}, each at most once."""
    taken: dict[int, int] = {}
    for k in range(len(alike)):
        free = [p for p in range(alike.shape[1]) if p not in taken and alike[k, p] >= least]
        if free:
            taken[max(free, key=lambda p: float(alike[k, p]))] = k
    return taken


def shown(found: list[Found], photos: list[Photo]) -> dict[str, float]:
    """What users see at the product's thresholds: people found, false people, photos without people left alone."""
    result: dict[str, float] = {}
    hits: dict[int, list[bool]] = {least: [] for least in (0, *SIZES_PX)}
    portraits: list[bool] = []
    false, silent = 0, []
    for one, photo in zip(found, photos, strict=True):
        longer = (photo.boxes[:, 2:] - photo.boxes[:, :2]).max(axis=1, initial=0)
        by_joints = pairs(oks_to(one.points, photo), SAME)
        by_box = pairs(box_iou(one.boxes, photo.boxes), SAME)
        for p in range(len(photo.boxes)):
            limbs = photo.joints[p, LIMBS, 2].sum()
            if photo.ignore[p] or limbs < 1:
                continue
            for least, marks in hits.items():
                if longer[p] >= least:
                    marks.append(p in by_joints)
            if longer[p] >= SIZES_PX[-1] and p in photo.faces and is_portrait(photo.joints[p]):
                portraits.append(p in by_box or p in by_joints)
        _, within = overlaps(one.boxes, photo.boxes[photo.ignore])
        union, _ = overlaps(one.boxes, photo.boxes)
        strange = int(((union.max(axis=1, initial=0) < 0.3) & (within.max(axis=1, initial=0) < 0.5)).sum())
        false += strange
        if photo.ignore.all():
            silent.append(not strange)
    for least, marks in hits.items():
        name = f"from {least} px " if least else ""
        result[f"of {len(marks)} people {name}found (OKS 0.5)"] = _percent(marks)
    result[f"of {len(portraits)} half-length portraits with a face found"] = _percent(portraits)
    result[f"of {len(silent)} photos without people: nobody found"] = _percent(silent)
    result["false people per 100 photos"] = 100 * false / max(1, len(photos))
    return result


def is_portrait(joints: NDArray[np.float32]) -> bool:
    """(J, 3) -> both shoulders are labelled and no knee or ankle is: the picture or a table cuts the person off."""
    known = joints[:, 2] > 0
    legs = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("knee", "ankle")]
    return bool(known[[INDEX["left_shoulder"], INDEX["right_shoulder"]]].all() and not known[legs].any())


def joints_near(found: list[Found], photos: list[Photo], least_px: float = SIZES_PX[-1]) -> dict[str, float]:
    """PCK at 0.1 of the box's longer side over limb joints of people from `least_px` up, with located boxes.

    Among the people whose box was found (IoU 0.5), and with all joints of the others counted as wrong.
    """
    right, wrong, missed = 0, 0, 0
    for one, photo in zip(found, photos, strict=True):
        located = pairs(box_iou(one.boxes, photo.boxes), SAME)
        for p, box in enumerate(photo.boxes):
            side = float(max(box[2:] - box[:2]))
            known = photo.joints[p, LIMBS, 2] > 0
            if photo.ignore[p] or side < least_px:
                continue
            if p not in located:
                missed += int(known.sum())
                continue
            error = np.linalg.norm(one.points[located[p]][LIMBS] - photo.joints[p, LIMBS, :2], axis=1)
            near = error[known] <= NEAR * side
            right, wrong = right + int(near.sum()), wrong + int((~near).sum())
    return {
        f"PCK@{NEAR:g} of the box, located people from {least_px:g} px": 100 * right / max(1, right + wrong),
        f"PCK@{NEAR:g} of the box, all people from {least_px:g} px": 100 * right / max(1, right + wrong + missed),
    }


def joints_in_boxes(estimator: PoseEstimator, photos: list[Photo], least_px: float = SIZES_PX[-1]) -> float:
    """PCK at 0.1 of the box's longer side over limb joints, in percent, with the labelled boxes."""
    right: list[bool] = []
    for photo in tqdm(photos, desc="labelled boxes", unit="photo", leave=False, disable=None):
        sides = (photo.boxes[:, 2:] - photo.boxes[:, :2]).max(axis=1, initial=0)
        rows = np.flatnonzero(~photo.ignore & (sides >= least_px))
        if not len(rows):
            continue
        points, _ = estimator.pose_network(photo.image(), photo.boxes[rows].astype(np.float64))
        for k, p in enumerate(rows):
            known = photo.joints[p, LIMBS, 2] > 0
            error = np.linalg.norm(points[k][LIMBS] - photo.joints[p, LIMBS, :2], axis=1)
            right += (error[known] <= NEAR * sides[p]).tolist()
    return _percent(right)


def reliability(found: list[Found], photos: list[Photo], least_px: float = 48) -> list[tuple[float, float, int]]:
    """(mean score, percent right, joints) per tenth of the joint score: of joints of 0.5, how many are right.

    Labelled limb joints of people whose box was found; right within 0.1 of the box's longer side.
    """
    scores, right = scored_joints(found, photos, least_px)
    rows = []
    for low, high in itertools.pairwise(EDGES):
        chosen = (scores >= low) & ((scores < high) | (high == 1))
        if chosen.any():
            rows.append((float(scores[chosen].mean()), 100 * float(right[chosen].mean()), int(chosen.sum())))
    return rows


def scored_joints(
    found: list[Found], photos: list[Photo], least_px: float = 48
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """-> (M,) scores of labelled limb joints of located people, (M,) whether each is in its place."""
    scores: list[NDArray[np.float64]] = [np.zeros(0)]
    right: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
    for one, photo in zip(found, photos, strict=True):
        for p, k in pairs(box_iou(one.boxes, photo.boxes), SAME).items():
            side = float(max(photo.boxes[p, 2:] - photo.boxes[p, :2]))
            if photo.ignore[p] or side < least_px:
                continue
            known = photo.joints[p, LIMBS, 2] > 0
            error = np.linalg.norm(one.points[k][LIMBS] - photo.joints[p, LIMBS, :2], axis=1)
            scores.append(one.joint_scores[k][LIMBS][known])
            right.append(error[known] <= NEAR * side)
    return np.concatenate(scores), np.concatenate(right)


def _percent(marks: list[bool]) -> float:
    return 100 * float(np.mean(marks)) if marks else float("nan")
