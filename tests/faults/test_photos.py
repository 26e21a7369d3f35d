"""The photo store without keys, without its bucket, and while it refuses to write: said to pass, and it passes."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from faults.conftest import refused
from web.fakes import FakeEstimator

import worker
from hpe.queue import LAST_TRY
from hpe.settings import Settings
from hpe.web import photo_bucket
from hpe.web.api import handle
from hpe.web.aws import client as aws_client
from hpe.web.messages import Request, Response

SETTINGS = Settings(photo_bucket="hpe-photos-of-faults")


@pytest.fixture
def aws(moto_url: str, aws_env: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """AWS as moto plays it, and nothing else that could give keys."""
    aws_env.setenv("AWS_ENDPOINT_URL", moto_url)
    aws_env.setenv("AWS_EC2_METADATA_DISABLED", "true")
    aws_env.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    aws_env.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    aws_client.cache_clear()
    yield aws_env
    aws_client.cache_clear()


def ask(method: str, path: str, body: bytes = b"") -> Response:
    return handle(Request(method, path, body=body), FakeEstimator, SETTINGS)


def test_keys_that_come_late_are_used(aws: pytest.MonkeyPatch) -> None:
    wish = json.dumps({"content_type": "image/jpeg", "size": 5}).encode()
    aws.delenv("AWS_ACCESS_KEY_ID")
    assert "photo store" in refused(ask("POST", "/uploads", wish))
    aws.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    assert ask("POST", "/uploads", wish).status == 201


def test_bucket_that_comes_late_is_found(aws: pytest.MonkeyPatch) -> None:
    path = f"/results/{photo_bucket.new_id()}"
    assert "photo store" in refused(ask("GET", path))
    boto3.client("s3").create_bucket(Bucket=SETTINGS.photo_bucket)
    assert ask("GET", path).status == 404


class RefusesToWrite:
    """An S3 with photos in it whose disk is full."""

    def list_objects_v2(self, **asked: Any) -> dict[str, Any]:
        return {"Contents": [{"Key": asked["Prefix"]}] if asked["Prefix"].startswith("uploads/") else []}

    def get_object(self, **_: Any) -> Any:
        raise ConnectionError("not now")

    put_object = get_object


def test_last_try_whose_problem_cannot_be_written_spares_the_rest_of_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def message(key: str, name: str) -> dict[str, Any]:
        body = json.dumps({"Records": [{"s3": {"object": {"key": key}}}]})
        return {"messageId": name, "body": body, "attributes": {"ApproximateReceiveCount": str(LAST_TRY)}}

    monkeypatch.setattr(worker.photo_bucket, "open_store", lambda _: photo_bucket.PhotoStore("b", RefusesToWrite(), 1))
    batch = [message(f"uploads/{photo_bucket.new_id()}", "doomed"), message("elsewhere/x", "fine")]
    assert worker.handler({"Records": batch}, None) == {"batchItemFailures": [{"itemIdentifier": "doomed"}]}


def test_worker_without_a_bucket_gives_the_photos_back(
    aws: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    aws.setattr(worker, "SETTINGS", Settings())
    body = json.dumps({"Records": [{"s3": {"object": {"key": f"uploads/{photo_bucket.new_id()}"}}}]})
    answer = worker.handler({"Records": [{"messageId": "m", "body": body}]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert "Bucket" in caplog.text, "the log names what is missing"
