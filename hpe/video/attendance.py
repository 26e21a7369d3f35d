"""Who is in a clip, and when: each identity's first and last time."""

from typing import Any

from hpe.video.result import TrackedFrame


class Attendance:
    """Takes frames in order."""

    def __init__(self) -> None:
        self._people: dict[int, list[float]] = {}

    def take(self, frame: TrackedFrame) -> None:
        """One frame's people."""
        for pose in frame.poses:
            first, _, count = self._people.get(pose.id, (frame.time, 0.0, 0))
            self._people[pose.id] = [first, frame.time, count + 1]

    def people(self) -> list[dict[str, Any]]:
        """[{"id", "start", "end": s, "frames": in how many}], by identity."""
        return [
            {"id": id, "start": round(first, 3), "end": round(last, 3), "frames": int(count)}
            for id, (first, last, count) in sorted(self._people.items())
        ]
