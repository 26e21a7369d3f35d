"""COCO keypoints (Lin et al., ECCV 2014): as published, as `hpe predict` writes them, as labelling tools export them.

Keypoints are read by the names that the file's category gives them, in any order. What a person who corrects labels by
hand leaves unfinished is left out, and said.
"""

import logging
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpe.errors import BadData
from hpe.pose.skeleton import COCO_JOINTS, INDEX, JOINTS, NUM_KEYPOINTS
from hpe.train.data.files import read_json
from hpe.train.data.samples import Sample, person_box, tight_box

# (COCO's index, ours) of MPII's joints that COCO has.
SHARED: Final[tuple[tuple[int, int], ...]] = tuple((i, INDEX[n]) for i, n in enumerate(COCO_JOINTS) if n in JOINTS)
# Ours of each of COCO's keypoints.
OURS: Final[list[int]] = [INDEX[name] for name in COCO_JOINTS]
# Fewer keypoints give no box to crop by.
LEAST_KEYPOINTS: Final[int] = 2
# Label Studio and CVAT draw the box tightly round the keypoints, to a px.
TIGHT_PX: Final[float] = 1.5

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Annotated:
    """One finished annotation. name: `coco/IMAGE/ID`. image_id, file: of the photo. box: (4,) x0, y0, x1, y1 px.

    keypoints: (21, 3) float64 x, y and COCO's visibility, 0 where unlabelled. area: px^2.
    """

    name: str
    image_id: int | str
    file: str
    box: NDArray[np.float64]
    keypoints: NDArray[np.float64]
    area: float
    crowd: bool


def read_coco(path: Path, images: str = "", box: str = "bbox") -> list[Sample]:
    """A file of COCO's format -> people with at least two labelled keypoints; what the file lacks is unlabelled.

    images: the photos' folder; by default it is looked for round the file. box: "bbox", the annotated box of the whole
    person, or "joints", a box round the labelled joints; an annotated box that is drawn tightly round them is taken for
    that. Says on stderr who is left out. Raises BadData.
    """
    if box not in ("bbox", "joints"):
        raise BadData(f"box {box!r}: choose bbox or joints")
    people = [one for one in read_annotations(path) if not one.crowd]
    chosen = [one for one in people if (one.keypoints[:, 2] > 0).sum() >= LEAST_KEYPOINTS]
    places = _places(path, images, sorted({one.file for one in chosen}))
    return [_sample(one, places[one.file], box) for one in chosen]


def _sample(one: Annotated, place: Path, box: str) -> Sample:
    points, labelled = one.keypoints[:, :2].astype(np.float32), one.keypoints[:, 2] > 0
    around = one.box.astype(np.float32)
    if box == "joints" or np.allclose(around, tight_box(points, labelled), atol=TIGHT_PX):
        around = person_box(points, labelled)
    # hpe predict and labelling tools show, and count, photos upright; COCO's own say nothing else
    return Sample(one.name, place, points, labelled, around, upright=True)


def read_annotations(path: Path) -> list[Annotated]:
    """A file of COCO's format -> everybody in it who is finished. Raises BadData if it is wrong as a whole."""
    content = read_json(path)
    if isinstance(content, list):
        raise BadData(
            f"{path}: is a list, not a COCO data set of images, annotations and categories: "
            "export it as COCO keypoints, or write one with hpe predict --format coco --dataset"
        )
    try:
        files = {row["id"]: str(row["file_name"]) for row in content["images"]}
        rows = list(content["annotations"])
    except KeyError as error:
        raise BadData(f"{path}: is no COCO keypoints file: it lacks {error}") from error
    except TypeError as error:
        raise BadData(f"{path}: is no COCO keypoints file: images and annotations are not lists of objects") from error
    category, order = _category(path, content.get("categories"))
    found, left_out = [], _LeftOut()
    for number, row in enumerate(rows, 1):
        try:
            if category is not None and row["category_id"] != category:
                left_out.others += 1
                continue
            found.append(_annotated(row, number, files, order))
        except _Unfinished as reason:
            left_out.add(row, number, str(reason))
        except KeyError as error:
            left_out.add(row, number, f"it lacks {error}")
        except (TypeError, AttributeError):
            left_out.add(row, number, "it is not an object")
    left_out.tell(path)
    if not found:
        raise BadData(f"{path}: no person in it is labelled{left_out.first_one()}")
    return found


class _Unfinished(Exception):
    """Why an annotation cannot be trained on."""


class _LeftOut:
    """Who is left out. others: annotations of other categories."""

    def __init__(self) -> None:
        self.others = 0
        self._count, self._first = 0, ""

    def add(self, row: object, number: int, reason: str) -> None:
        self._count += 1
        identity = row.get("id", number) if isinstance(row, dict) else number
        self._first = self._first or f"annotation {identity}: {reason}"

    def first_one(self) -> str:
        return f"; left out: {self._count}, the first is {self._first}" if self._count else ""

    def tell(self, path: Path) -> None:
        if self.others:
            log.warning("%s: left out of other categories: %d annotations", path, self.others)
        if self._count:
            log.warning("%s: left out as unfinished: %d people, the first is %s", path, self._count, self._first)


def _category(path: Path, categories: object) -> tuple[object, list[int | None]]:
    """-> the people's category, None for any, and which of ours each of its keypoints is, None for an unknown one."""
    usual: list[int | None] = [INDEX[name] for name in COCO_JOINTS]
    if not categories:
        return None, usual
    try:
        rows = [row for row in categories if row.get("keypoints")]  # type: ignore[attr-defined]
        if not rows:
            return None, usual
        people = [row for row in rows if str(row.get("name", "")).lower() == "person"] or rows
        names = [plain(name) for name in people[0]["keypoints"]]
        identity = people[0]["id"]
    except (AttributeError, KeyError, TypeError) as error:
        raise BadData(f"{path}: its categories are not those of a COCO file: {error}") from error
    if len(people) > 1:
        raise BadData(f"{path}: {len(people)} categories have keypoints: name the people's one person")
    known = [name for name in names if name in INDEX]
    if len(known) < LEAST_KEYPOINTS or len(set(known)) < len(known):
        raise BadData(
            f"{path}: its category names the keypoints {', '.join(names)}: expected {', '.join(COCO_JOINTS)} in any "
            "order, each once"
        )
    unknown = [name for name in names if name not in INDEX]
    if unknown:
        log.warning("%s: keypoints that hpe does not know are left out: %s", path, ", ".join(unknown))
    return identity, [INDEX.get(name) for name in names]


def plain(name: object) -> str:
    """A keypoint's name as tools write it, "Left Shoulder" or leftShoulder -> ours, left_shoulder."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(name).strip())
    return re.sub(r"[\s\-.]+", "_", words).lower()


def _annotated(row: dict[str, Any], number: int, files: dict[Any, str], order: list[int | None]) -> Annotated:
    """Raises _Unfinished, or the errors of a row of another shape."""
    crowd = bool(row.get("iscrowd"))
    numbers = _numbers(row.get("keypoints") or ([0] * 3 * len(order) if crowd else []))
    if not len(numbers):
        raise _Unfinished("nothing in it is labelled")
    if len(numbers) != 3 * len(order):
        raise _Unfinished(f"it has {len(numbers)} keypoint numbers instead of {3 * len(order)}")
    keypoints = np.zeros((NUM_KEYPOINTS, 3))
    for place, values in zip(order, numbers.reshape(-1, 3), strict=True):
        if place is not None and values[2] > 0:
            keypoints[place] = values
    if not np.isfinite(keypoints).all() or np.isnan(numbers[2::3]).any():
        raise _Unfinished("a keypoint of it is not a number")
    box = _numbers(row.get("bbox") or [])
    if len(box) != 4 or not np.isfinite(box).all() or box[2] <= 0 or box[3] <= 0:
        raise _Unfinished(f"its box {row.get('bbox')} is empty")
    if row["image_id"] not in files:
        raise _Unfinished(f"its photo {row['image_id']!r} is not among the file's images")
    x, y, width, height = box
    area = row.get("area")
    whole = float(area) if isinstance(area, int | float) and math.isfinite(area) and area > 0 else width * height
    name = f"coco/{row['image_id']}/{row.get('id', number)}"
    corners = np.array([x, y, x + width - 1, y + height - 1])
    return Annotated(name, row["image_id"], files[row["image_id"]], corners, keypoints, whole, crowd)


def _numbers(values: Any) -> NDArray[np.float64]:
    try:
        return np.array(values, np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise _Unfinished("something in it is not a number") from error


def _places(path: Path, images: str, names: list[str]) -> dict[str, Path]:
    """Where the photos lie: the first folder that has one of them has to have all. Raises BadData."""
    folders = list(_folders(path, images))
    for folder in folders:
        for shorten in (lambda name: name, lambda name: Path(name).name):
            if names and (folder / shorten(names[0])).is_file():
                places = {name: folder / shorten(name) for name in names}
                missing = [name for name, place in places.items() if not place.is_file()]
                if missing:
                    raise BadData(
                        f"{folder}: {len(missing)} of {len(names)} images are missing, {missing[0]} first: "
                        "is the data set unpacked?"
                    )
                return places
    if not names:
        return {}
    looked = ", ".join(str(folder) for folder in folders[:6])
    raise BadData(
        f"{path}: {names[0]} is in none of {looked}{' ...' if len(folders) > 6 else ''}: "
        "give the photos' folder in the option images"
    )


def _folders(path: Path, images: str) -> Iterator[Path]:
    """Where photos may lie: the folder that was given, or those where labelling tools and COCO put them."""
    if images:
        given = Path(images).expanduser()
        yield from (given, given.parent, path.parent / given, (path.parent / given).parent)
        return
    split = path.stem.split("_")[-1]
    for base in (path.parent, path.parent.parent):  # CVAT and COCO have a folder `annotations` beside the photos'
        yield from (base / split, base / "images" / split, base / "images")
        if base == path.parent:
            yield base
    yield from sorted(folder for folder in path.parent.iterdir() if folder.is_dir())
