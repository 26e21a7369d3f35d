"""Answers as COCO writes them (cocodataset.org, "Data format" and "Results format"): 17 keypoints, boxes x, y, w, h."""

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any, Final

from hpe.photo.answer import Answer
from hpe.photo.json_lines import FILE, json_line
from hpe.pose.skeleton import COCO_JOINTS

# "Person" is the first of COCO's categories.
PERSON: Final = 1
# COCO's own edges, counted from 1, without those of the face, which is not estimated.
EDGES: Final = [
    [16, 14],
    [14, 12],
    [17, 15],
    [15, 13],
    [12, 13],
    [6, 12],
    [7, 13],
    [6, 7],
    [6, 8],
    [7, 9],
    [8, 10],
    [9, 11],
]
CATEGORY: Final[dict[str, Any]] = {
    "id": PERSON,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(COCO_JOINTS),
    "skeleton": EDGES,
}


def results(answer: Answer, image_id: int | str) -> list[dict[str, Any]]:
    """Results: an entry for each person. The third number of a keypoint is its score, 0 for the five of the face."""
    return [
        {"image_id": image_id, "category_id": PERSON, "score": round(float(pose.score), 4), **pose.to_coco()}
        for pose in answer.people
    ]


def image_id_of(file: str) -> int | str:
    """A photo's id in results: the number that it is named by, as COCO's own photos are, else its name."""
    stem = PurePath(file).stem
    return int(stem) if stem.isascii() and stem.isdecimal() else file


def image(answer: Answer, image_id: int | str) -> dict[str, Any]:
    """An entry of a dataset's "images"."""
    return {"id": image_id, "file_name": answer.file, "width": answer.width, "height": answer.height}


def annotations(answer: Answer, image_id: int | str, first_id: int) -> list[dict[str, Any]]:
    """Entries of a dataset's "annotations", numbered from `first_id`.

    The third number of a keypoint is COCO's visibility: 2 for a confident joint, else 0, with x and y of 0.
    """
    found = []
    for number, entry in enumerate(results(answer, image_id), first_id):
        triples = [entry["keypoints"][at : at + 3] for at in range(0, 51, 3)]
        marked = [[x, y, 2] if score >= answer.threshold and score > 0 else [0, 0, 0] for x, y, score in triples]
        found.append(
            {
                **entry,
                "id": number,
                "keypoints": [value for triple in marked for value in triple],
                "num_keypoints": sum(triple[2] > 0 for triple in marked),
                "area": round(entry["bbox"][2] * entry["bbox"][3], 2),
                "iscrowd": 0,
            }
        )
    return found


def line(answer: Answer) -> str:
    """One photo's part of what `document` reads."""
    parts = {"results": results(answer, 0), "marked": annotations(answer, 0, 0)}
    return json_line({FILE: answer.file, "image": image(answer, 0), **parts})


def document(lines: Iterable[bytes], dataset: bool, again: Iterable[bytes] = ()) -> Iterator[str]:
    """Lines of photos -> the text of COCO results, in pieces; with `dataset` of images, annotations and categories.

    again: the same lines once more, which a dataset needs. An image's id is its number in a dataset; in results, which
    are about someone else's, it is the number that its file is named by, else the name.
    """
    if not dataset:
        parts = map(json.loads, lines)
        entries = ({**entry, "image_id": image_id_of(p[FILE])} for p in parts for entry in p["results"])
        yield from _listed("[\n", entries, "\n]\n")
        return
    images = ({**json.loads(text)["image"], "id": number} for number, text in enumerate(lines, 1))
    yield from _listed('{"images": [\n', images, "\n],\n")
    marked = (
        {**entry, "image_id": number} for number, text in enumerate(again, 1) for entry in json.loads(text)["marked"]
    )
    numbered = ({**entry, "id": number} for number, entry in enumerate(marked, 1))
    yield from _listed('"annotations": [\n', numbered, "\n],\n")
    yield f'"categories": {json.dumps([CATEGORY])}}}\n'


def _listed(start: str, entries: Iterable[dict[str, Any]], end: str) -> Iterator[str]:
    yield start
    between = ""
    for entry in entries:
        yield between + json.dumps(entry, ensure_ascii=False)
        between = ",\n"
    yield end
