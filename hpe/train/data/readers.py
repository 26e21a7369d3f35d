"""Data set folders -> samples, one reader per published format, all to the 21 keypoints."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from hpe.errors import BadData
from hpe.train.config import Source
from hpe.train.data.coco import read_coco
from hpe.train.data.files import read_json, read_tar
from hpe.train.data.labels import joints_of, lookalikes, relabelled
from hpe.train.data.lsp import read_lsp
from hpe.train.data.mpii import read_mpii
from hpe.train.data.people import people_of, photos_of, read_photos
from hpe.train.data.samples import Sample, empty_sample, person_box


def read_shards(path: Path) -> list[Sample]:
    """`NAME.json` beside its tars: rows with id, shard, file, box and joints as 16 rows x, y, labelled."""
    rows = read_json(path)
    if not isinstance(rows, list) or not rows:
        raise BadData(f"{path}: expected a non-empty list of people")
    shards: dict[str, dict[str, bytes]] = {}
    samples = []
    for row in rows:
        try:
            shard = row["shard"]
            if shard not in shards:
                shards[shard] = read_tar(path.parent / shard)
            joints = joints_of(path, row)
            encoded = shards[shard][row["file"]]
            points, labelled = joints[:, :2], joints[:, 2] > 0
            # the box of these data is the joints' tight one, but for people cut out of sets with boxes of their own
            own = row.get("own_box") or not labelled.any()
            box = np.array(row["box"], np.float32) if own else person_box(points, labelled)
            head = float(row.get("head_px", "nan"))
        except (KeyError, TypeError) as error:
            raise BadData(f"{path}: a row or its tar lacks {error}") from error
        samples.append(Sample(str(row["id"]), encoded, points, labelled, box, head_px=head))
    return samples


# Of every five photos without people, in the order of their names, those that belong to a part.
PARTS: Final[Mapping[str, tuple[int, ...]]] = {
    "all": (0, 1, 2, 3, 4),
    "test": (0,),
    "train": (1, 2, 3, 4),
    "lookalikes": (1, 2),
    "thresholds": (3, 4),
}


def in_part(names: Iterable[str], part: str) -> set[str]:
    """Those names of photos without people that belong to the part. Raises BadData for an unknown one."""
    if part not in PARTS:
        raise BadData(f"part {part!r}: choose {', '.join(PARTS)}")
    return {name for i, name in enumerate(sorted(names)) if i % 5 in PARTS[part]}


def read_empty(path: Path, part: str = "all", labels: str = "") -> list[Sample]:
    """A tar of photos without people, or a `.json` of whole photos, of which those that list no one.

    part: "all", "test" (every fifth by name) or "train" (the others). "lookalikes" is the half of the training photos
    that `hpe relabel` searches, and "thresholds" the other half. labels: the file that it writes, of boxes that
    the locator took for people: one more sample for each.
    """
    files: dict[str, bytes | Path] = {}
    if path.suffix == ".json":
        files |= {photo.id: photo.encoded for photo in read_photos(path) if not len(photo.boxes)}
    else:
        files |= read_tar(path)
    samples = {name: empty_sample(name, files[name]) for name in sorted(in_part(files, part))}
    return [*samples.values(), *(lookalikes(samples, files, Path(labels).expanduser()) if labels else [])]


def read_people(
    path: Path,
    labels: str = "",
    min_px: float = 32.0,
    part: str = "all",
    without: Sequence[str] = (),
    whole_faces: bool = False,
    human: str = "",
) -> list[Sample]:
    """Everybody with keypoints in whole photos.

    part: as of `photos_of`. without: joints to leave out, human: a file of better ones (`read_photos`). whole_faces: as
    of `people_of`.
    """
    return people_of(photos_of(read_photos(path, labels, without, human), part), min_px, whole_faces=whole_faces)


READERS: dict[str, Callable[..., list[Sample]]] = {
    "shards": read_shards,
    "mpii": read_mpii,
    "lsp": read_lsp,
    "coco": read_coco,
    "empty": read_empty,
    "people": read_people,
}


def read_source(source: Source) -> list[Sample]:
    """A config's Source -> its samples. Raises BadData for an unknown kind, missing files, no samples."""
    if source.kind not in READERS:
        raise BadData(f"kind {source.kind!r}: choose one of {', '.join(READERS)}")
    # of whole photos the labels name people by their number, which ends with the reader, and of empty ones boxes
    inside = {"labels": source.labels} if source.kind in ("people", "empty") and source.labels else {}
    try:
        samples = READERS[source.kind](Path(source.path).expanduser(), **source.options, **inside)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise BadData(f"{source.path}: kind {source.kind} has no such option: {error}") from error
    if source.match:
        samples = [s for s in samples if s.id.startswith(source.match)]
    if not samples:
        raise BadData(f"{source.path}: no samples (match={source.match!r})")
    return relabelled(samples, Path(source.labels).expanduser()) if source.labels and not inside else samples
