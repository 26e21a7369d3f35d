"""Answers as COCO writes them (cocodataset.org, "Data format" and "Results format"): 17 keypoints, boxes x, y, w, h."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import Any, Final

from hpe.photo.answer import Answer
from hpe.photo.coco_images import Images
from hpe.photo.json_lines import FILE, json_line
from hpe.pose.result import Pose
from hpe.pose.skeleton import COCO_JOINTS

# Begins with the first line each time.
Lines = Callable[[], Iterable[bytes]]
# "Person" is the first of COCO's categories.
PERSON: Final = 1
# COCO's own, counted from 1.
EDGES: Final = [
    *([16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8], [7, 9], [8, 10], [9, 11]),
    *([2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7]),
]
CATEGORY: Final[dict[str, Any]] = {
    "id": PERSON,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(COCO_JOINTS),
    "skeleton": EDGES,
}


def results(answer: Answer, image_id: int | str) -> list[dict[str, Any]]:
    """Results: an entry for each person. The third number of a keypoint is its score."""
    return [
        {"image_id": image_id, "category_id": PERSON, "score": round(float(pose.score), 4), **pose.to_coco()}
        for pose in answer.people
    ]


def ids_of(files: Iterable[str]) -> list[int]:
    """Photos in order -> their ids, no two alike, the same in results and in data sets.

    The numbers that they are named by, as COCO's own photos are, if all are and no two have the same; else 1, 2, 3.
    """
    stems = [PurePath(file).stem for file in files]
    numbers = {int(stem) for stem in stems if stem.isascii() and stem.isdecimal() and len(stem) < 16}
    return [int(stem) for stem in stems] if len(numbers) == len(stems) else list(range(1, len(stems) + 1))


def image(answer: Answer, image_id: int | str) -> dict[str, Any]:
    """An entry of a dataset's "images"."""
    return {"id": image_id, "file_name": _named(answer.file), "width": answer.width, "height": answer.height}


def _named(file: str) -> str:
    """As data sets name a photo, below a folder of images: CVAT finds "./a.jpg" nowhere."""
    return file.removeprefix("./")


def annotations(answer: Answer, image_id: int | str, first_id: int) -> list[dict[str, Any]]:
    """Entries of a dataset's "annotations", numbered from `first_id`.

    The third number of a keypoint is COCO's visibility: 2 for a confident joint, 1 for a confident one that is believed
    hidden, else 0, with x and y of 0.
    """
    found = []
    for number, (pose, entry) in enumerate(zip(answer.people, results(answer, image_id), strict=True), first_id):
        marks = list(marked(pose).values())
        points = zip(entry["keypoints"][::3], entry["keypoints"][1::3], marks, strict=True)
        flat = [value for x, y, mark in points for value in ((x, y, mark) if mark else (0, 0, 0))]
        found.append(
            {
                **entry,
                "id": number,
                "keypoints": flat,
                "num_keypoints": sum(mark > 0 for mark in marks),
                "area": round(entry["bbox"][2] * entry["bbox"][3], 2),
                "iscrowd": 0,
            }
        )
    return found


def marked(pose: Pose) -> dict[str, int]:
    """COCO's visibility of its 17 keypoints by name: 2 visible, 1 hidden, 0 for all others and for unsure ones."""
    sure, states = dict(zip(pose.names, pose.confident, strict=True)), pose.states
    return {name: (1 if states[name] == "hidden" else 2) if sure.get(name) else 0 for name in COCO_JOINTS}


def line(answer: Answer) -> str:
    """One photo's part of what `document` reads."""
    parts = {"results": results(answer, 0), "marked": annotations(answer, 0, 0)}
    return json_line({FILE: answer.file, "image": image(answer, 0), **parts})


def document(lines: Lines, dataset: bool | Images) -> Iterator[str]:
    """Lines of photos -> the text of COCO results, in pieces; with `dataset` of images, annotations and categories.

    dataset: the images of another data set that the results are about. An entry of results has the photo's "file_name"
    besides COCO's members.
    """
    if isinstance(dataset, bool):
        ids: list[int | None] = [*ids_of(json.loads(text)[FILE] for text in lines())]
    else:
        ids = [dataset.id_of(json.loads(text)[FILE]) for text in lines()]
    parts = ((number, json.loads(text)) for number, text in zip(ids, lines(), strict=True))
    if dataset is not True:
        entries = ((number, part[FILE], entry) for number, part in parts for entry in part["results"])
        found = ({**entry, "image_id": number, "file_name": _named(file)} for number, file, entry in entries)
        yield from _listed("[\n", found if dataset is False else (_as_in(one, dataset) for one in found), "\n]\n")
        return
    yield from _listed('{"images": [\n', ({**part["image"], "id": id} for id, part in parts), "\n],\n")
    parts = ((number, json.loads(text)) for number, text in zip(ids, lines(), strict=True))
    marked = ({**entry, "image_id": id} for id, part in parts for entry in part["marked"])
    numbered = ({**entry, "id": number} for number, entry in enumerate(marked, 1))
    yield from _listed('"annotations": [\n', numbered, "\n],\n")
    yield f'"categories": {json.dumps([CATEGORY])}}}\n'


def _as_in(entry: dict[str, Any], images: Images) -> dict[str, Any]:
    """An entry of results with the category of a data set, and its order of keypoints."""
    points = entry["keypoints"]
    ordered = [value for at in images.order for value in points[3 * at : 3 * at + 3]]
    return {**entry, "category_id": images.person, "keypoints": ordered}


def _listed(start: str, entries: Iterable[dict[str, Any]], end: str) -> Iterator[str]:
    yield start
    between = ""
    for entry in entries:
        yield between + json.dumps(entry, ensure_ascii=False)
        between = ",\n"
    yield end
