"""The images of a COCO data set that is there already: results about it carry its ids."""

import json
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

from hpe.errors import BadData
from hpe.pose.skeleton import COCO_JOINTS


class Images:
    """Read from a data set's file. Raises BadData for a file that is not a COCO data set of people.

    person: the id of its category. order: which of COCO's keypoints each of its keypoints is.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            found: Any = json.loads(Path(path).read_bytes())
            images = {str(image["file_name"]): image["id"] for image in found["images"]}
            categories: list[dict[str, Any]] = found.get("categories") or [{"id": 1}]
            person = next((one for one in categories if one.get("name") == "person"), categories[0])
            self.person, names = int(person["id"]), list(person.get("keypoints") or COCO_JOINTS)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else "it has no images with an id and a file_name"
            raise BadData(f"--dataset {path}: {why}: give the JSON of a COCO data set") from error
        if sorted(names) != sorted(COCO_JOINTS):
            raise BadData(f"--dataset {path}: its {person.get('name')} has other keypoints than COCO's 17")
        self.order = [COCO_JOINTS.index(name) for name in names]
        self._by_name: dict[str, list[tuple[tuple[str, ...], int]]] = defaultdict(list)
        for name, number in images.items():
            parts = _parts(name)
            self._by_name[parts[-1] if parts else ""].append((parts, number))
        self._taken: dict[int, str] = {}

    def id_of(self, file: str) -> int | None:
        """A photo's id, by the end of its path, as long as both paths go; None if it is no image or several."""
        found = self._matches(file)
        return found[0][1] if len(found) == 1 else None

    def problem(self, file: str) -> str:
        """Why there is no id for a photo; '' if there is one, which is this photo's from now on."""
        found = self._matches(file)
        if not found:
            return f"it is not among the images of {self._path}"
        if len(found) > 1:
            names = " or ".join("/".join(parts) for parts, _ in found[:2])
            return f"it may be {names} of {self._path}: name it with its folders"
        other = self._taken.setdefault(found[0][1], file)
        return "" if other == file else f"{other} is that image of {self._path} already"

    def _matches(self, file: str) -> list[tuple[tuple[str, ...], int]]:
        parts = _parts(file)
        named = self._by_name.get(parts[-1] if parts else "", [])
        common = [(min(len(parts), len(one)), one, number) for one, number in named]
        alike = [match for match in common if parts[-match[0] :] == match[1][-match[0] :]]
        best = max((length for length, _, _ in alike), default=0)
        return [(one, number) for length, one, number in alike if length == best]


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.replace("\\", "/")).parts
