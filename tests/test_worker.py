"""The SQS worker: batches, duplicates, broken photos, retries; S3 is a dictionary."""

# ruff: noqa: N803 (boto3's own argument names)

import io
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image
from web.fakes import FakeEstimator, no_model, photo

import worker
from hpe import queue
from hpe.photo.stages import Stages
from hpe.settings import Settings
from hpe.web import photo_bucket

SETTINGS = Settings(photo_bucket="photos", max_output_side=400)
PHOTO = photo(800, 600)


@dataclass
class FakeS3:
    """Just what PhotoStore asks of boto3's client. `broken`: keys whose reading fails."""

    objects: dict[str, bytes] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        return {"Contents": [{"Key": key} for key in self.objects if key.startswith(Prefix)][:MaxKeys]}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if Key in self.broken:
            raise ConnectionError("S3 dropped the connection")
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.written.append(Key)
        self.objects[Key] = Body

    def delete_object(self, Bucket: str, Key: str) -> None:
        self.objects.pop(Key, None)


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def store(s3: FakeS3) -> photo_bucket.PhotoStore:
    return photo_bucket.PhotoStore("photos", s3, 600)


@pytest.fixture
def estimator() -> FakeEstimator:
    return FakeEstimator()


def message(*keys: str, receive_count: int = 1) -> dict[str, Any]:
    body = {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}} for key in keys]}
    return {
        "messageId": f"m-{keys[0] if keys else ''}",
        "body": json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(receive_count)},
    }


def upload(s3: FakeS3, data: bytes = PHOTO) -> str:
    photo_id = photo_bucket.new_id()
    s3.objects[f"uploads/{photo_id}"] = data
    return photo_id


def answered(store: photo_bucket.PhotoStore, photo_id: str, source: Any, settings: Settings = SETTINGS) -> bool:
    return queue.answer_message(message(f"uploads/{photo_id}"), store, source, settings)


def test_photo_becomes_drawn_photo_and_joints_and_is_forgotten(
    s3: FakeS3, store: photo_bucket.PhotoStore, estimator: FakeEstimator
) -> None:
    photo_id = upload(s3)
    assert answered(store, photo_id, lambda: estimator)
    png = Image.open(io.BytesIO(s3.objects[f"results/{photo_id}.png"]))
    assert png.size == (400, 300)
    joints = json.loads(s3.objects[f"results/{photo_id}.json"])
    assert joints["image"] == {"width": 800, "height": 600}
    assert joints["people"][0]["keypoints"][0]["x"] == pytest.approx(79.5, abs=1)
    assert f"uploads/{photo_id}" not in s3.objects
    assert s3.written[-1].endswith(".json"), "the JSON says that all is there, so it comes last"


def test_second_delivery_does_nothing(s3: FakeS3, store: photo_bucket.PhotoStore, estimator: FakeEstimator) -> None:
    photo_id = upload(s3)
    for _ in range(2):
        assert answered(store, photo_id, lambda: estimator)
    assert len(estimator.calls) == 1
    assert len(s3.written) == 2


def test_photo_uploaded_again_after_its_result_is_only_deleted(
    s3: FakeS3, store: photo_bucket.PhotoStore, estimator: FakeEstimator
) -> None:
    photo_id = photo_bucket.new_id()
    s3.objects |= {f"uploads/{photo_id}": PHOTO, f"results/{photo_id}.json": b"{}"}
    assert answered(store, photo_id, lambda: estimator)
    assert (estimator.calls, f"uploads/{photo_id}" in s3.objects) == ([], False)


@pytest.mark.parametrize(
    ("data", "status"), [(b"not a photo", 415), (PHOTO[:2000], 422), (b"", 422), (b"\xff" * 60, 415)]
)
def test_unreadable_photo_leaves_its_problem_and_is_not_tried_again(
    s3: FakeS3, store: photo_bucket.PhotoStore, estimator: FakeEstimator, data: bytes, status: int
) -> None:
    photo_id = upload(s3, data)
    assert answered(store, photo_id, lambda: estimator)
    problem = json.loads(s3.objects[f"results/{photo_id}.problem.json"])
    assert problem["status"] in (status, 415, 422)
    assert problem["detail"]
    assert photo_bucket.PhotoStore("photos", s3, 1).state(photo_id) == photo_bucket.FAILED


def test_photo_over_the_limit_leaves_a_413(
    s3: FakeS3, store: photo_bucket.PhotoStore, estimator: FakeEstimator
) -> None:
    photo_id = upload(s3)
    small = Settings(photo_bucket="photos", max_upload_bytes=1000)
    assert answered(store, photo_id, lambda: estimator, small)
    assert json.loads(s3.objects[f"results/{photo_id}.problem.json"])["status"] == 413


def test_missing_model_is_tried_again_and_the_photo_kept(s3: FakeS3, store: photo_bucket.PhotoStore) -> None:
    photo_id = upload(s3)
    assert not answered(store, photo_id, no_model)
    assert set(s3.objects) == {f"uploads/{photo_id}"}


def test_last_try_tells_the_waiting_client(
    s3: FakeS3, store: photo_bucket.PhotoStore, estimator: FakeEstimator
) -> None:
    photo_id = upload(s3)
    s3.broken.add(f"uploads/{photo_id}")
    last = message(f"uploads/{photo_id}", receive_count=queue.LAST_TRY)
    assert not queue.answer_message(last, store, lambda: estimator, SETTINGS)
    assert json.loads(s3.objects[f"results/{photo_id}.problem.json"])["status"] == 500


def test_one_bad_message_does_not_hold_up_the_batch(
    s3: FakeS3, store: photo_bucket.PhotoStore, estimator: FakeEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = photo_bucket.new_id(), photo_bucket.new_id()
    s3.objects |= {f"uploads/{good}": PHOTO, f"uploads/{bad}": PHOTO}
    s3.broken.add(f"uploads/{bad}")
    monkeypatch.setattr(photo_bucket, "open_store", lambda settings: store)
    monkeypatch.setattr(worker, "estimator", lambda: estimator)
    answer = worker.handler({"Records": [message(f"uploads/{bad}"), message(f"uploads/{good}")]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"m-uploads/{bad}"}]}
    assert f"results/{good}.json" in s3.objects


def test_upload_deleted_meanwhile_is_no_failure(store: photo_bucket.PhotoStore, estimator: FakeEstimator) -> None:
    assert answered(store, photo_bucket.new_id(), lambda: estimator)
    assert not estimator.calls


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"}),
        json.dumps({"Records": [{"s3": {"object": {"key": "uploads/not-an-id"}}}]}),
        json.dumps({"Records": [{"s3": {"object": {"key": f"results/{'a' * 32}"}}}]}),
        json.dumps({"Records": [{"s3": {"object": {"key": f"uploads/{'a' * 32}/../x"}}}]}),
    ],
)
def test_other_messages_are_swallowed(store: photo_bucket.PhotoStore, estimator: FakeEstimator, body: str) -> None:
    assert queue.answer_message({"messageId": "m", "body": body}, store, lambda: estimator, SETTINGS)
    assert not estimator.calls


def sns(body: str) -> str:
    """As SNS wraps a message on its way to SQS, without raw delivery."""
    topic = "arn:aws:sns:us-east-1:123456789012:uploads"
    return json.dumps({"Type": "Notification", "MessageId": "n", "TopicArn": topic, "Message": body})


def event_bridge(key: str) -> str:
    """As EventBridge sends what S3 tells it."""
    detail = {"version": "0", "bucket": {"name": "photos"}, "object": {"key": key, "size": 9}, "reason": "PutObject"}
    return json.dumps({"version": "0", "source": "aws.s3", "detail-type": "Object Created", "detail": detail})


@pytest.mark.parametrize("wrapped", ["SNS", "EventBridge", "EventBridge through SNS", "SNS through SNS"])
def test_upload_is_answered_however_its_message_is_wrapped(
    s3: FakeS3, store: photo_bucket.PhotoStore, estimator: FakeEstimator, wrapped: str
) -> None:
    photo_id = upload(s3)
    plain = message(f"uploads/{photo_id}")["body"]
    bridged = event_bridge(f"uploads/{photo_id}")
    body = {
        "SNS": sns(plain), "EventBridge": bridged, "EventBridge through SNS": sns(bridged),
        "SNS through SNS": sns(sns(plain)),
    }[wrapped]  # fmt: skip
    assert queue.answer_message({"messageId": "m", "body": body}, store, lambda: estimator, SETTINGS)
    assert f"results/{photo_id}.json" in s3.objects


@pytest.mark.parametrize(
    "body",
    [
        "{", "[]", "null", '"text"', "", "{}", '{"Records": []}', '{"Records": [{"s3": {}}]}', "[" * 100_000,
        '{"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe"}',
        '{"Type": "Notification", "Message": "hello"}', '{"source": "aws.s3", "detail": {}}',
        '{"source": "aws.ec2", "detail": {"object": {"key": "uploads/x"}}}',
    ],
)  # fmt: skip
def test_message_that_is_not_understood_goes_to_the_dead_letters_and_is_logged(
    store: photo_bucket.PhotoStore, estimator: FakeEstimator, body: str, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(queue.LOGGER, "propagate", True)
    assert not queue.answer_message({"messageId": "m-1", "body": body}, store, lambda: estimator, SETTINGS)
    assert "message m-1 is not an S3 notification" in caplog.text


def test_look_gives_the_same_answer_as_post_pose(estimator: FakeEstimator) -> None:
    from hpe.web.api import handle
    from hpe.web.messages import Request

    _, joints, _ = queue.results(PHOTO, lambda: estimator, SETTINGS, Stages())
    headers = {"content-type": "image/jpeg", "accept": "application/json"}
    answer = handle(Request("POST", "/pose", {}, headers, PHOTO), lambda: estimator, SETTINGS)
    assert json.loads(joints)["people"] == json.loads(answer.body)["people"]
