"""What a user names on the command line -> the photos to look at."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# what hpe.image.decode reads
SUFFIXES: Final = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif"),
    *(".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif"),
)
# in the name of everything that this command draws, so that a folder can be drawn twice
MARK: Final = ".pose"
STDIN: Final = "-"


@dataclass(frozen=True)
class Photo:
    """name: as shown to people ('-' for standard input). within: its path inside the folder that was named."""

    name: str
    within: Path

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.name)


def find_photos(names: Sequence[str]) -> tuple[list[Photo], list[str]]:
    """Files, folders (searched through), globs and '-' -> (photos in order, each once; what was wrong)."""
    photos: dict[str, Photo] = {}
    problems: list[str] = []
    for name in names:
        found = _expand(name)
        if not found:
            problems.append(f"{name}: no photos in it: looked for {' '.join(SUFFIXES)}")
        for photo in found:
            photos.setdefault(photo.name, photo)
    return list(photos.values()), problems


def _expand(name: str) -> list[Photo]:
    path = Path(name)
    if name == STDIN:
        return [Photo(name, Path("stdin"))]
    if path.is_dir():
        return [Photo(str(file), file.relative_to(path)) for file in _in_folder(path)]
    if path.exists() or not glob.has_magic(name):
        return [Photo(name, Path(path.name))]  # one that does not exist is reported when it is read
    matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    return [photo for match in matches for photo in _expand(match)]


def _in_folder(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES and not file.stem.endswith(MARK) and file.is_file()
    )
