"""What users see, at the product's thresholds: who is found, who is not there, and which joints are right."""

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hpe.measure.found import Found, Seen
from hpe.measure.ranking import SIZES_PX
from hpe.measure.report import Figure, percent
from hpe.pose.boxes import OKS_SIGMAS, box_iou, overlaps
from hpe.pose.skeleton import INDEX, LIMB_JOINTS
from hpe.score.matching import oks_to, pairs
from hpe.train.data.samples import Photo

LIMBS: Final[list[int]] = list(LIMB_JOINTS)
NEAR: Final[float] = 0.1  # of the box's longer side: a joint that close is right
EDGES: Final[NDArray[np.float64]] = np.linspace(0, 1, 11)


def found_by_joints(one: Found, photo: Photo) -> dict[int, int]:
    """-> {labelled person: found person} by OKS of 0.5 over the limb joints."""
    return pairs(oks_to(one.points[:, LIMBS], photo.boxes, photo.joints[:, LIMBS], OKS_SIGMAS[LIMBS]))


def found_by_box(one: Found, photo: Photo) -> dict[int, int]:
    """-> {labelled person: found person} by an IoU of 0.5."""
    return pairs(box_iou(one.boxes, photo.boxes))


def longer_sides(photo: Photo) -> NDArray[np.float32]:
    """-> (P,) px, of the labelled boxes."""
    return np.asarray((photo.boxes[:, 2:] - photo.boxes[:, :2]).max(axis=1, initial=0), np.float32)


def shown(found: Sequence[Found], photos: Sequence[Photo]) -> dict[str, Figure]:
    """People found, false people, photos without people left alone."""
    hits: dict[int, list[bool]] = {least: [] for least in (0, *SIZES_PX)}
    portraits: list[bool] = []
    false, silent = 0, []
    for one, photo in zip(found, photos, strict=True):
        longer = longer_sides(photo)
        by_joints, by_box = found_by_joints(one, photo), found_by_box(one, photo)
        for p in range(len(photo.boxes)):
            if photo.ignore[p] or not photo.joints[p, LIMBS, 2].any():
                continue
            for least, marks in hits.items():
                if longer[p] >= least:
                    marks.append(p in by_joints)
            if longer[p] >= SIZES_PX[-1] and is_portrait(photo, p):
                portraits.append(p in by_box or p in by_joints)
        strange = false_people(one, photo)
        false += strange
        if photo.ignore.all():
            silent.append(not strange)
    figures = {
        f"found_from_{least}_px" if least else "found": percent(
            f"of {{of}} people {f'from {least} px ' if least else ''}found (OKS 0.5)", marks
        )
        for least, marks in hits.items()
    }
    return figures | {
        "portraits_found": percent("of {of} half-length portraits with a face found", portraits),
        "nobody_found": percent("of {of} photos without people: nobody found", silent),
        "false_people": Figure("false people per 100 photos", 100 * false / max(1, len(photos)), len(photos), ""),
    }


def false_people(one: Found, photo: Photo) -> int:
    """How many of those found are nobody: neither near a labelled person nor in an area to ignore."""
    _, within = overlaps(one.boxes, photo.boxes[photo.ignore])
    union, _ = overlaps(one.boxes, photo.boxes)
    return int(((union.max(axis=1, initial=0) < 0.3) & (within.max(axis=1, initial=0) < 0.5)).sum())


def is_portrait(photo: Photo, person: int) -> bool:
    """A face and both shoulders are labelled, no knee or ankle is: the picture or a table cuts the person off."""
    if not (len(photo.face) and photo.face[person, :3, 2].all()):
        return False
    known = photo.joints[person, :, 2] > 0
    legs = [INDEX[f"{side}_{joint}"] for side in ("left", "right") for joint in ("knee", "ankle")]
    return bool(known[[INDEX["left_shoulder"], INDEX["right_shoulder"]]].all() and not known[legs].any())


def near(points: NDArray[np.float64], photo: Photo, person: int) -> NDArray[np.bool_]:
    """(J, 2) px -> (12,) bool: limb joints within 0.1 of the box's longer side of where this person's are labelled."""
    error = np.linalg.norm(points[LIMBS] - photo.joints[person, LIMBS, :2], axis=1)
    return np.asarray(error <= NEAR * longer_sides(photo)[person])


def joints_near(seen: Seen, least_px: float = SIZES_PX[-1]) -> dict[str, Figure]:
    """PCK at 0.1 of the box's longer side over limb joints of people from `least_px` up.

    With the product's boxes among the people located (IoU 0.5), and with all joints of the others counted as wrong;
    and with the labelled boxes.
    """
    located: list[bool] = []
    everybody: list[bool] = []
    boxed: list[bool] = []
    for number, photo in enumerate(seen.photos):
        by_box = found_by_box(seen.shown[number], photo) if seen.shown else {}
        rows = {int(p): k for k, p in enumerate(seen.who[number])}
        for p in np.flatnonzero(~photo.ignore & (longer_sides(photo) >= least_px)).tolist():
            known = photo.joints[p, LIMBS, 2] > 0
            right = near(seen.shown[number].points[by_box[p]], photo, p)[known].tolist() if p in by_box else []
            located += right
            everybody += right or [False] * int(known.sum())
            if p in rows:
                boxed += near(seen.boxed[number].points[rows[p]], photo, p)[known].tolist()
    name = f"PCK@{NEAR:g} of the box"
    figures = {"pck_labelled_boxes": percent(f"{name}, labelled boxes from {least_px:g} px", boxed)}
    if not seen.shown:
        return figures
    return {
        "pck_located": percent(f"{name}, located people from {least_px:g} px", located),
        "pck_everybody": percent(f"{name}, all people from {least_px:g} px", everybody),
        **figures,
    }


def reliability(
    found: Sequence[Found], photos: Sequence[Photo], least_px: float = 48
) -> list[tuple[float, float, int]]:
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
    found: Sequence[Found], photos: Sequence[Photo], least_px: float = 48
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """-> (M,) scores of labelled limb joints of located people, (M,) whether each is in its place."""
    scores: list[NDArray[np.float64]] = [np.zeros(0)]
    right: list[NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
    for one, photo in zip(found, photos, strict=True):
        sides = longer_sides(photo)
        for p, k in found_by_box(one, photo).items():
            if photo.ignore[p] or sides[p] < least_px:
                continue
            known = photo.joints[p, LIMBS, 2] > 0
            scores.append(one.joint_scores[k][LIMBS][known])
            right.append(near(one.points[k], photo, p)[known])
    return np.concatenate(scores), np.concatenate(right)
