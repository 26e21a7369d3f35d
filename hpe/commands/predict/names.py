"""The names of results: no name twice, none over a photo, and the same ones again in the next run."""

import glob
import os
from collections.abc import Sequence

import click

from hpe.commands.predict.photos import STDIN, Photo, media_type, shown
from hpe.commands.predict.records import Records
from hpe.commands.predict.targets import Targets
from hpe.photo.formats import FORMATS, MARK


class Namer:
    """Photos in order -> the names of their results, no name twice: the same photos get the same names again.

    photos: what the user named, none of which may be overwritten. records: set it, and results that earlier runs named
    keep their names.
    """

    records: Records | None = None

    def __init__(self, targets: Targets, photos: Sequence[str]) -> None:
        self._targets, self._ending = targets, FORMATS[targets.format].ending
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}
        # a photo named like a result is the only one that a result's name can hit
        self._sources = {os.path.realpath(name) for name in photos if _looks_like_result(name)}
        if not targets.own:
            refuse_overwriting(targets.out or STDIN, photos)

    def target(self, photo: Photo) -> str:
        """The file of this photo's result, '-' for standard output. Raises click.UsageError if it is a photo."""
        if not self._targets.own or photo.name == STDIN:
            return self._targets.out or STDIN
        out = self._targets.out
        target = self._earlier(photo) or self._free(photo, os.path.join(out, photo.within) if out else photo.name)
        if self._sources and os.path.realpath(target) in self._sources:
            raise click.UsageError(
                f"this would overwrite the photo {shown(target)}: give another name or folder with -o"
            )
        return target

    def _earlier(self, photo: Photo) -> str:
        """The name that an earlier run gave to this photo's result; '' if none did."""
        record = self.records.of(photo) if self.records else None
        entry = record.find(photo.name) if record else None
        if self.records is None or entry is None:
            return ""
        target = os.path.join(self.records.folder(photo), entry.result)
        self._taken.add(target.casefold())
        return target

    def _free(self, photo: Photo, near: str) -> str:
        """a.jpg -> a.pose.png; with an a.png beside it a.jpg.pose.png; a second a.jpg -> a.jpg-2.pose.png."""
        ending = self._ending
        if photo.alone and self._take(photo, name := os.path.splitext(near)[0] + ending):
            return name
        number = self._numbers.get(near.casefold(), 1)
        while not self._take(photo, name := f"{near}{f'-{number}' if number > 1 else ''}{ending}"):
            number += 1
        self._numbers[near.casefold()] = number
        return name

    def _take(self, photo: Photo, name: str) -> bool:
        key = name.casefold()
        record = self.records.of(photo) if self.records else None
        if key in self._taken or (record and record.is_of_another(name)):
            return False
        self._taken.add(key)
        return True


def _looks_like_result(name: str) -> bool:
    return os.path.splitext(name)[0].endswith(MARK) or name.endswith("_keypoints.json")


def refuse_overwriting(out: str, photos: Sequence[str]) -> None:
    """Raise click.UsageError if the file OUT is one of the photos, or lies among them in a folder."""
    if out == STDIN or not os.path.isfile(out):
        return
    real = os.path.realpath(out)
    for name in photos:
        if os.path.isdir(name):
            inside = media_type(out) and not _looks_like_result(out)
            hit = bool(inside) and real.startswith(os.path.realpath(name).rstrip(os.sep) + os.sep)
        else:
            # a pattern that the shell left alone stands for what it matches
            named = [name] if os.path.lexists(name) else glob.iglob(name, recursive=True)
            hit = any(os.path.realpath(match) == real for match in named)
        if hit:
            raise click.UsageError(
                f"this would overwrite the photo {shown(name if os.path.isfile(name) else out)}: "
                "give another name or folder with -o"
            )
