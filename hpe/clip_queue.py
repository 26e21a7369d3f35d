"""The queue of clips: messages of clips that landed in clips/ -> results/ID.jsonl, tracks as JSON lines.

And of clips of a batch (hpe/batch/clips.py), whose tracks belong elsewhere.

A clip can take longer than a function may, so what is found goes to parts/ID/ as it is found, with the tracker's state:
whoever gets the message next, because this function ended or was killed, goes on there. A clip that cannot be read gets
its problem as a result; what fails otherwise is tried again by SQS, and ends in the dead-letter queue.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from hpe.batch.clips import ListedClip, task_of
from hpe.errors import OUR_FAULT, BrokenVideo, HpeError, VideoTooLarge
from hpe.settings import Settings
from hpe.video.ahead import ahead
from hpe.video.attendance import Attendance
from hpe.video.decode import Bounds, Clip
from hpe.video.follow import Follower
from hpe.video.journal import Known, frame_line, known_of, raw_of, state_line
from hpe.video.rows import RowSink
from hpe.video.track import make_follower, raw_frames
from hpe.video.window import Raw, Window
from hpe.web.clip_place import ClipPlace, UploadedClip
from hpe.web.notifications import NOT_UNDERSTOOD, keys_of
from hpe.web.photo_bucket import PhotoStore, id_of_clip
from hpe.web.problems import INTERNAL, internal, kind_of, problem
from hpe.web.request_log import LOGGER, Record, note

# The last delivery in which a clip is worked on. One more tells it that its worker died each time; both are in the
# redrive policy of the queue (deploy/resources/clips.yml), and a test compares them.
LAST_TRY: Final = 6
# s of work from one part to the next: so much is done again at most.
PART_S: Final = 20.0
# s that are left for the last part and the rows when a function stops by itself.
_SPARE_S: Final = 60.0
_DEADLY: Final = "the worker ended over the clip without a word, each of six times: save it again, as MP4 with H.264"
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
    count = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1))
    try:
        clips = clips_of(message.get("body", ""), store, settings)
    except NOT_UNDERSTOOD:
        LOGGER.exception("message %s is not an S3 notification", message.get("messageId"))
        return False
    if count > LAST_TRY:
        for clip in clips:
            _tell_of_death(clip)
        return False
    done = True
    for clip in clips:
        record = Record(str(message.get("messageId", "")), "SQS", route=clip.route)
        try:
            answer_clip(clip, source, settings, left, record)
            record.status = record.status or 200
        except OutOfTime:
            record.status, done = 202, False
            if count == LAST_TRY:
                _give_up(clip, VideoTooLarge(_TOO_LONG))
        except Exception as error:  # whatever it is, SQS tries again, and keeps it in the end
            LOGGER.exception("a clip could not be answered")
            kind = kind_of(error) if isinstance(error, HpeError) else INTERNAL
            record.status, record.problem, record.detail = kind.status, kind.type, type(error).__name__
            done = False
            if count == LAST_TRY:
                _give_up(clip, None)
        note(record)
    return done


def _tell_of_death(clip: ClipPlace) -> None:
    """A clip that kills its worker (FFmpeg's crash, memory) is answered by no except clause."""
    try:
        if not clip.answered():
            clip.refuse(problem(BrokenVideo(_DEADLY)).body)
    except Exception:
        LOGGER.exception("the problem of a clip could not be written")


def _give_up(clip: ClipPlace, error: HpeError | None) -> None:
    try:
        clip.refuse((internal() if error is None else problem(error)).body)
    except Exception:
        LOGGER.exception("the problem of a clip could not be written")


def clips_of(body: str, store: PhotoStore, settings: Settings) -> list[ClipPlace]:
    """A message's body -> the clips that it speaks of. Raises NOT_UNDERSTOOD."""
    task = task_of(body)
    if task is not None:
        return [ListedClip(task, store.client, store, settings.max_clip_bytes)]
    return [UploadedClip(clip_id, store) for clip_id in clip_ids(body)]


def clip_ids(body: str) -> list[str]:
    """A message's body -> the ids of the clips that landed, without other keys. Raises NOT_UNDERSTOOD."""
    return [clip_id for clip_id in map(id_of_clip, keys_of(body)) if clip_id is not None]


def answer_clip(clip: ClipPlace, source: Source, settings: Settings, left: Left, record: Record) -> None:
    """One clip: go on where its parts end, write its tracks, forget it. Raises OutOfTime, and what may pass."""
    if clip.done():
        clip.forget()
        return
    with tempfile.TemporaryDirectory(prefix="hpe-clip-") as folder:
        path = Path(folder) / "clip"
        try:
            if not clip.fetch(path):
                return  # deleted after its day, or done by another delivery
            record.bytes_in = path.stat().st_size
            people = _Work(clip, source, settings, left, Path(folder)).all(path)
        except HpeError as error:
            if isinstance(error, OUR_FAULT):
                raise
            answer = problem(error)
            record.status, record.problem, record.detail = answer.status, answer.problem, str(error)
            clip.refuse(answer.body)
        else:
            record.people = people
    clip.forget()


class _Work:
    """One clip in this function. The journal of all frames lies in the folder, its parts in the bucket."""

    def __init__(self, clip: ClipPlace, source: Source, settings: Settings, left: Left, folder: Path) -> None:
        self._clip, self._source, self._settings, self._left = clip, source, settings, left
        self._journal, self._rows = folder / "journal", folder / "rows"

    def all(self, path: Path) -> int:
        """The clip's file -> how many people; its tracks are where they belong then."""
        settings = self._settings
        if path.stat().st_size > settings.max_clip_bytes:
            raise VideoTooLarge(
                f"{path.stat().st_size} bytes; the limit is {settings.max_clip_bytes}: send a shorter or smaller clip",
                limit=settings.max_clip_bytes,
            )
        known = known_of(self._clip.parts())
        with Clip(path, Bounds(minutes=settings.max_clip_minutes)) as clip:
            estimator = self._source()
            follower = make_follower(estimator)
            if known is not None:
                follower.restore(known.state)
            broken = self._follow(clip, follower, known)
            if broken is not None and not follower.ids:
                raise broken
            self._write(follower, estimator.threshold, clip.fps, broken)
        return follower.people

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
        progress = {"frame": following, "frames": clip.frames or None, "people": follower.people}
        self._clip.keep(following, lines, progress)

    def _write(self, follower: Follower, threshold: float, fps: float, broken: BrokenVideo | None) -> None:
        """The journal -> tracks, smoothed."""
        window = Window(lambda: follower.ids, threshold, fps, smoothing=True)
        who, frames = Attendance(), 0
        with self._journal.open("rb") as journal, self._rows.open("wb") as file:
            sink = RowSink(file, "jsonl")
            raws: Iterator[Raw] = (raw_of(line) for line in journal if line.startswith(b'{"frame":'))
            for frame in window(raws):
                sink.take(frame)
                who.take(frame)
                frames += 1
            sink.close()
        cut_off = {"cut_off": str(broken)} if broken is not None else {}
        self._clip.write(self._rows, {"frames": frames, "people": who.people(), **cut_off})
