"""Answers as COCO writes them (cocodataset.org, "Data format" and "Results format"): 17 keypoints, boxes x, y, w, h."""

from pathlib import PurePath
from typing import Any, Final

from hpe.photo.answer import Answer
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


def image_id(file: str) -> int | str:
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
