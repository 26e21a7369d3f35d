"""The queue of clips: messages of clips that landed in clips/ -> results/ID.jsonl, tracks as JSON lines.

A clip can take longer than a function may, so what is found goes to parts/ID/ as it is found, with the tracker's state:
whoever gets the message next, because this function ended or was killed, goes on there. A clip that cannot be read gets
its problem as a result; what fails otherwise is tried again by SQS, and ends in the dead-letter queue.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from hpe.errors import OUR_FAULT, BrokenVideo, HpeError, VideoTooLarge
from hpe.settings import Settings
from hpe.video.ahead import ahead
from hpe.video.decode import Bounds, Clip
from hpe.video.follow import Follower
from hpe.video.journal import Known, frame_line, known_of, raw_of, state_line
from hpe.video.rows import MEDIA_TYPE, RowSink
from hpe.video.track import make_follower, raw_frames
from hpe.video.window import Raw, Window
from hpe.web.notifications import NOT_UNDERSTOOD, keys_of
from hpe.web.photo_bucket import DONE, PhotoStore, id_of_clip
from hpe.web.problems import INTERNAL, internal, kind_of, problem
from hpe.web.request_log import LOGGER, Record, note

# As in the queue's redrive policy (deploy/resources/clips.yml); a test compares them.
LAST_TRY: Final = 6
# s of work from one part to the next: so much is done again at most.
PART_S: Final = 20.0
# s that are left for the last part and the rows when a function stops by itself.
_SPARE_S: Final = 60.0
_TOO_LONG: Final = "the clip takes longer than this service may: cut it into shorter ones"


class OutOfTime(Exception):
    """The function ends before the clip does: what was found lies in parts/, and the next one goes on."""


# -> a PoseEstimator, or what stands in for one
Source = Callable[[], Any]
# -> s until this function is killed
Left = Callable[[], float]


def failed_clips(
    event: dict[str, Any], store: PhotoStore, source: Source, settings: Settings, left: Left
) -> dict[str, Any]:
    """A batch of SQS messages -> the ids of those that SQS must deliver again, as it wants them."""
    messages = event.get("Records", [])
    failed = [message for message in messages if not answer_message(message, store, source, settings, left)]
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in failed]}


def answer_message(message: dict[str, Any], store: PhotoStore, source: Source, settings: Settings, left: Left) -> bool:
    """Every clip of one message. False if SQS must deliver it again."""
    last_try = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1)) >= LAST_TRY
    try:
        ids = clip_ids(message.get("body", ""))
    except NOT_UNDERSTOOD:
        LOGGER.exception("message %s is not an S3 notification", message.get("messageId"))
        return False
    done = True
    for clip_id in ids:
        record = Record(str(message.get("messageId", "")), "SQS", route="/uploads")
        try:
            answer_clip(clip_id, store, source, settings, left, record)
            record.status = record.status or 200
        except OutOfTime:
            record.status, done = 202, False
            if last_try:
                _give_up(clip_id, store, VideoTooLarge(_TOO_LONG))
        except Exception as error:  # whatever it is, SQS tries again, and keeps it in the end
            LOGGER.exception("a clip could not be answered")
            kind = kind_of(error) if isinstance(error, HpeError) else INTERNAL
            record.status, record.problem, record.detail = kind.status, kind.type, type(error).__name__
            done = False
            if last_try:
                _give_up(clip_id, store, None)
        note(record)
    return done


def _give_up(clip_id: str, store: PhotoStore, error: HpeError | None) -> None:
    try:
        body = (internal() if error is None else problem(error)).body
        store.put_result(clip_id, "problem.json", body, "application/problem+json")
    except Exception:
        LOGGER.exception("the problem of a clip could not be written")


def clip_ids(body: str) -> list[str]:
    """A message's body -> the ids of the clips that landed, without other keys. Raises NOT_UNDERSTOOD."""
    return [clip_id for clip_id in map(id_of_clip, keys_of(body)) if clip_id is not None]


def answer_clip(
    clip_id: str, store: PhotoStore, source: Source, settings: Settings, left: Left, record: Record
) -> None:
    """One clip: go on where its parts end, write its tracks, delete the clip. Raises OutOfTime, and what may pass."""
    if store.state(clip_id) == DONE:
        store.delete_clip(clip_id)
        return
    with tempfile.TemporaryDirectory(prefix="hpe-clip-") as folder:
        path = Path(folder) / "clip"
        if not store.fetch_clip(clip_id, path):
            return  # deleted after its day, or done by another delivery
        record.bytes_in = path.stat().st_size
        try:
            people = _Work(clip_id, store, source, settings, left, Path(folder)).all(path)
        except HpeError as error:
            if isinstance(error, OUR_FAULT):
                raise
            answer = problem(error)
            record.status, record.problem, record.detail = answer.status, answer.problem, str(error)
            store.put_result(clip_id, "problem.json", answer.body, "application/problem+json")
        else:
            record.people = people
    store.delete_clip(clip_id)


class _Work:
    """One clip in this function. The journal of all frames lies in the folder, its parts in the bucket."""

    def __init__(
        self, clip_id: str, store: PhotoStore, source: Source, settings: Settings, left: Left, folder: Path
    ) -> None:
        self._id, self._store, self._source, self._settings, self._left = clip_id, store, source, settings, left
        self._journal, self._rows = folder / "journal", folder / "rows"

    def all(self, path: Path) -> int:
        """The clip's file -> how many people; its tracks are in results/ then."""
        settings = self._settings
        if path.stat().st_size > settings.max_clip_bytes:
            raise VideoTooLarge(
                f"{path.stat().st_size} bytes; the limit is {settings.max_clip_bytes}: send a shorter or smaller clip",
                limit=settings.max_clip_bytes,
            )
        known = known_of(self._store.parts(self._id))
        with Clip(path, Bounds(minutes=settings.max_clip_minutes)) as clip:
            estimator = self._source()
            follower = make_follower(estimator)
            if known is not None:
                follower.restore(known.state)
            broken = self._follow(clip, follower, known)
            people = self._write(follower, estimator.threshold, clip.fps)
        if broken is not None and not people:
            raise broken
        return people

    def _follow(self, clip: Clip, follower: Follower, known: Known | None) -> BrokenVideo | None:
        """Every frame that is not known yet, a part at a time -> what was wrong with the clip's end, if anything."""
        broken: BrokenVideo | None = None
        first = known.next if known else 0
        with self._journal.open("wb") as journal:
            journal.writelines(known.lines if known else [])
            part: list[str] = []
            began, following = time.monotonic(), first
            try:
                for raw in raw_frames(ahead(clip.read(first=first)), follower):
                    part.append(frame_line(raw))
                    following = raw.frame.index + 1
                    late = self._left() < _SPARE_S
                    if late or time.monotonic() - began >= PART_S:
                        self._keep(part, follower, following, clip, journal)
                        part, began = [], time.monotonic()
                    if late:
                        raise OutOfTime
            except BrokenVideo as error:
                if following == 0:
                    raise
                broken = error
            journal.writelines(line.encode() for line in part)
        return broken

    def _keep(self, part: list[str], follower: Follower, following: int, clip: Clip, journal: IO[bytes]) -> None:
        lines = "".join([*part, state_line(follower, following)]).encode()
        journal.write(lines)
        self._store.put_part(self._id, following, lines)
        progress = {"frame": following, "frames": clip.frames or None, "people": len(follower.ids)}
        self._store.put_result(self._id, "progress.json", json.dumps(progress).encode(), "application/json")

    def _write(self, follower: Follower, threshold: float, fps: float) -> int:
        """The journal -> results/ID.jsonl, smoothed."""
        window = Window(lambda: follower.ids, threshold, fps, smoothing=True)
        with self._journal.open("rb") as journal, self._rows.open("wb") as file:
            sink = RowSink(file, "jsonl")
            raws: Iterator[Raw] = (raw_of(line) for line in journal if line.startswith(b'{"frame":'))
            for frame in window(raws):
                sink.take(frame)
            sink.close()
        self._store.put_file(self._id, "jsonl", self._rows, MEDIA_TYPE)
        self._store.delete_parts(self._id)
        return len(follower.ids)
