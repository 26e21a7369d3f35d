"""The worker of clips: parts while it goes, a lost function, problems; S3 is a dictionary, the networks stand-ins."""

# ruff: noqa: N803 (boto3's own argument names)

import io
import json
from pathlib import Path
from typing import Any

import pytest
from video.clips import write_clip
from video.world import World, estimator_of

from hpe import clip_queue
from hpe.settings import Settings
from hpe.web.photo_bucket import DONE, FAILED, PENDING, PhotoStore

ID = "0123456789abcdef0123456789abcdef"
SETTINGS = Settings(photo_bucket="photos")
FRAMES = 60


def path(number):
    return [(100 + 3 * number, 240, 200, (200, 40, 40)), (500, 240, 180, (40, 40, 200))]


class FakeS3:
    """Just what PhotoStore asks of boto3's client."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)][:MaxKeys]}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, Bucket: str, Key: str, Body: Any, ContentType: str) -> None:
        self.objects[Key] = Body if isinstance(Body, bytes) else Body.read()

    def delete_object(self, Bucket: str, Key: str) -> None:
        self.objects.pop(Key, None)


@pytest.fixture
def s3():
    return FakeS3()


@pytest.fixture
def store(s3):
    return PhotoStore("photos", s3, 600)


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> bytes:
    world = World(path)
    file = write_clip(tmp_path_factory.mktemp("clips") / "a.mp4", [world.frame(n) for n in range(FRAMES)])
    return Path(file).read_bytes()


def message(receive_count: int = 1) -> dict[str, Any]:
    body = {"Records": [{"s3": {"object": {"key": f"clips/{ID}"}}}]}
    return {
        "messageId": "m",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(receive_count)},
    }


def answer(store, world, *, left=lambda: 900.0, count=1) -> bool:
    """Whether the message is done."""
    event = {"Records": [message(count)]}
    found = clip_queue.failed_clips(event, store, lambda: estimator_of(world), SETTINGS, left)
    return not found["batchItemFailures"]


def rows(s3) -> list[dict[str, Any]]:
    return [json.loads(line) for line in s3.objects[f"results/{ID}.jsonl"].splitlines()]


def test_a_clip_becomes_tracks(s3, store, clip):
    s3.objects[f"clips/{ID}"] = clip
    assert store.state(ID) == PENDING
    assert answer(store, World(path))
    assert store.state(ID) == DONE
    assert [(row["frame"], row["id"]) for row in rows(s3)] == [(n, id) for n in range(FRAMES) for id in (1, 2)]
    assert set(s3.objects) == {f"results/{ID}.jsonl"}, "the clip and its parts are deleted"


class Killed(World):
    """The function dies in the middle of a frame, as for memory."""

    def pose_network(self, rgb, boxes):
        if self.number(rgb) == 40:
            raise MemoryError
        return World.pose_network(self, rgb, boxes)


def test_a_killed_function_is_gone_on_with_and_nobody_changes(monkeypatch, s3, store, clip):
    s3.objects[f"clips/{ID}"] = clip
    assert answer(store, World(path))
    whole = rows(s3)
    s3.objects = {f"clips/{ID}": clip}
    monkeypatch.setattr(clip_queue, "PART_S", 0.0)  # a part for every frame
    assert not answer(store, Killed(path))
    assert store.state(ID) == PENDING
    following = store.progress(ID)["frame"]
    assert store.progress(ID) == {"frame": pytest.approx(40, abs=1), "frames": FRAMES, "people": 2}
    again = World(path)
    assert answer(store, again)
    assert len(again.crops) == FRAMES - following, "what was found is not looked for again"
    assert [(row["frame"], row["id"]) for row in rows(s3)] == [(row["frame"], row["id"]) for row in whole]
    for one, other in zip(rows(s3), whole, strict=True):
        assert one["keypoints"]["left_wrist"] == pytest.approx(other["keypoints"]["left_wrist"], abs=0.2)


def test_a_function_whose_time_is_up_stops_by_itself(s3, store, clip):
    s3.objects[f"clips/{ID}"] = clip
    times = iter([900.0] * 25 + [30.0] * 100)
    assert not answer(store, World(path), left=lambda: next(times))
    assert [key for key in s3.objects if key.startswith("parts/")] == [f"parts/{ID}/{26:09d}.jsonl"]
    again = World(path)
    assert answer(store, again)
    assert len(again.crops) == FRAMES - 26


def test_a_clip_that_takes_too_long_is_told_so_in_the_end(s3, store, clip):
    s3.objects[f"clips/{ID}"] = clip
    assert not answer(store, World(path), left=lambda: 30.0, count=clip_queue.LAST_TRY)
    assert store.state(ID) == FAILED
    assert "cut it" in store.problem(ID)["detail"]


def test_a_clip_that_kills_its_worker_each_time_is_told_so_and_kept_as_a_dead_letter(s3, store, clip):
    s3.objects[f"clips/{ID}"] = clip
    world = World(path)
    assert not answer(store, world, count=clip_queue.LAST_TRY + 1)
    assert not world.crops, "it is not tried again"
    assert store.state(ID) == FAILED
    assert (store.problem(ID)["status"], store.problem(ID)["type"]) == (422, "/problems/broken-video")


def test_what_was_told_before_stays(s3, store, clip):
    s3.objects[f"clips/{ID}"] = clip
    answer(store, World(path), left=lambda: 30.0, count=clip_queue.LAST_TRY)
    told = store.problem(ID)
    assert not answer(store, World(path), count=clip_queue.LAST_TRY + 1)
    assert store.problem(ID) == told
    s3.objects = {f"results/{ID}.jsonl": b"done"}
    assert not answer(store, World(path), count=clip_queue.LAST_TRY + 1)
    assert s3.objects == {f"results/{ID}.jsonl": b"done"}


@pytest.mark.parametrize(
    ("content", "status", "slug", "words"),
    [
        (b"hello", 415, "unsupported-video", "not a clip"),
        (b"\x1a\x45\xdf\xa3" + bytes(99), 422, "broken-video", "damaged"),
        (b"", 422, "broken-video", "empty"),
    ],
)
def test_what_is_not_a_clip_gets_its_problem(s3, store, content, status, slug, words):
    s3.objects[f"clips/{ID}"] = content
    assert answer(store, World(path))
    assert store.state(ID) == FAILED
    assert store.problem(ID)["status"] == status
    assert store.problem(ID)["type"] == f"/problems/{slug}"
    assert words in store.problem(ID)["detail"]
    assert f"clips/{ID}" not in s3.objects


def test_a_clip_that_is_cut_off_keeps_what_could_be_read(s3, store, tmp_path):
    world = World(path)
    file = write_clip(tmp_path / "a.avi", [world.frame(n) for n in range(FRAMES)], codec="MJPG")
    data = file.read_bytes()
    s3.objects[f"clips/{ID}"] = data[: len(data) // 2]
    assert answer(store, world)
    assert 10 < max(row["frame"] for row in rows(s3)) < 50


def test_a_second_delivery_does_nothing(s3, store, clip):
    s3.objects[f"results/{ID}.jsonl"] = b"done"
    s3.objects[f"clips/{ID}"] = clip
    world = World(path)
    assert answer(store, world)
    assert not world.crops
    assert s3.objects == {f"results/{ID}.jsonl": b"done"}


@pytest.mark.parametrize("body", ["{}", "[]", '{"Records": []}', '{"Type": "Notification", "Message": "hello"}'])
def test_a_message_that_is_not_understood_is_not_done(s3, store, body):
    event = {"Records": [{"messageId": "m", "body": body}]}
    answer = clip_queue.failed_clips(event, store, None, Settings(), lambda: 1e6)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}


def test_a_clip_is_found_however_its_message_is_wrapped():
    key = f"clips/{ID}"
    plain = json.dumps({"Records": [{"s3": {"object": {"key": key}}}]})
    bridged = json.dumps({"source": "aws.s3", "detail": {"object": {"key": key}}})
    for body in (plain, bridged, json.dumps({"Type": "Notification", "Message": plain})):
        assert clip_queue.clip_ids(body) == [ID]
