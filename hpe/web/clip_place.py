"""Where the worker of clips finds a clip and puts what becomes of it; and that of a clip that came through the API."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hpe.video.rows import MEDIA_TYPE
from hpe.web.photo_bucket import DONE, PENDING, PhotoStore


class ClipPlace(Protocol):
    """Where one clip lies and where what becomes of it belongs."""

    @property
    def route(self) -> str:
        """What the log says of it."""

    def done(self) -> bool:
        """Whether its tracks are there."""

    def answered(self) -> bool:
        """Whether its tracks or its problem are there."""

    def fetch(self, path: Path) -> bool:
        """The clip into a file; False if it is gone."""

    def parts(self) -> Iterator[bytes]:
        """The lines of what other functions found of it."""

    def keep(self, following: int, lines: bytes, progress: dict[str, Any]) -> None:
        """What was found of it up to frame number `following`."""

    def write(self, rows: Path, found: dict[str, Any]) -> None:
        """Its tracks, a file of JSON lines, and in short who is in it."""

    def refuse(self, problem: bytes) -> None:
        """Its problem, as JSON."""

    def forget(self) -> None:
        """It is done."""


@dataclass(frozen=True)
class UploadedClip:
    """A clip that came through POST /uploads."""

    id: str
    store: PhotoStore
    route: str = "/uploads"

    def done(self) -> bool:
        """Whether its tracks are there."""
        return self.store.state(self.id) == DONE

    def answered(self) -> bool:
        """Whether its tracks or its problem are there, or nobody waits for them any more."""
        return self.store.state(self.id) != PENDING

    def fetch(self, path: Path) -> bool:
        """clips/ID into a file."""
        return self.store.fetch_clip(self.id, path)

    def parts(self) -> Iterator[bytes]:
        """The lines of parts/ID/."""
        return self.store.parts(self.id)

    def keep(self, following: int, lines: bytes, progress: dict[str, Any]) -> None:
        """A part more, and how far it is."""
        self.store.put_part(self.id, following, lines)
        self.store.put_result(self.id, "progress.json", json.dumps(progress).encode(), "application/json")

    def write(self, rows: Path, _found: dict[str, Any]) -> None:
        """results/ID.jsonl."""
        self.store.put_file(self.id, "jsonl", rows, MEDIA_TYPE)
        self.store.delete_parts(self.id)

    def refuse(self, problem: bytes) -> None:
        """results/ID.problem.json."""
        self.store.put_result(self.id, "problem.json", problem, "application/problem+json")

    def forget(self) -> None:
        """clips/ID goes."""
        self.store.delete_clip(self.id)
