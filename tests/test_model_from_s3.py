"""The model from S3 all the way: a 503 that names the cause, and the next request tries again; `hpe predict` alike."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from hpe.engine.manifest import read_manifest
from hpe.settings import Settings
from hpe.web.api import handle
from hpe.web.messages import Request, Response
from hpe.web.source import EstimatorSource

MODEL = "s3://hpe-models/pose.json"


@pytest.fixture
def empty_bucket(moto_url: str, aws_env: pytest.MonkeyPatch):
    """boto3's client for moto, where the bucket is and nothing in it."""
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST"))
    aws_env.setenv("AWS_ENDPOINT_URL", moto_url)
    client = boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1")
    client.create_bucket(Bucket="hpe-models")
    return client


@pytest.fixture
def post(tmp_path: Path, astronaut_jpeg: bytes) -> Callable[[], Response]:
    """Post the astronaut to the API, whose model is in S3."""
    settings = Settings(model=MODEL, cache_dir=str(tmp_path / "cache"))
    source = EstimatorSource(settings)
    request = Request("POST", "/pose", {"format": "json"}, {"content-type": "image/jpeg"}, astronaut_jpeg)
    return lambda: handle(request, source, settings)


def networks(root: Path) -> list[str]:
    """The default model's files beside its manifest, in the order that they are fetched in."""
    card = read_manifest(root / "models" / "pose.json")
    return [card.file] if card.locate is None else [card.locate.file, card.file]


def upload(client, root: Path, *names: str) -> None:
    for name in names:
        client.upload_file(str(root / "models" / name), "hpe-models", name)


def test_each_fault_is_a_503_that_names_it_and_the_next_request_tries_again(
    empty_bucket, post: Callable[[], Response], root: Path
) -> None:
    def detail() -> str:
        response = post()
        assert response.status == 503
        assert int(response.headers["Retry-After"]) > 0
        assert response.headers["Content-Type"] == "application/problem+json"
        return json.loads(response.body)["detail"]

    assert "s3://hpe-models/pose.json: no such key" in detail()
    upload(empty_bucket, root, "pose.json")
    for name in networks(root):
        assert f"s3://hpe-models/{name}: no such key" in detail()
        empty_bucket.put_object(Bucket="hpe-models", Key=name, Body=b"not the model")
        assert f"s3://hpe-models/{name}: wrong checksum" in detail()
        upload(empty_bucket, root, name)
    response = post()
    assert response.status == 200
    assert len(json.loads(response.body)["people"]) == 1


def test_model_once_loaded_outlives_its_bucket(empty_bucket, post: Callable[[], Response], root: Path) -> None:
    upload(empty_bucket, root, "pose.json", *networks(root))
    assert post().status == 200
    for name in ("pose.json", *networks(root)):
        empty_bucket.delete_object(Bucket="hpe-models", Key=name)
    empty_bucket.delete_bucket(Bucket="hpe-models")
    assert post().status == 200


def test_command_line_takes_its_model_from_s3(
    empty_bucket, root: Path, tmp_path: Path, astronaut_jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HPE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HPE_MODEL", MODEL)
    (tmp_path / "a.jpg").write_bytes(astronaut_jpeg)
    command = [sys.executable, "-m", "hpe.cli", "predict", str(tmp_path / "a.jpg"), "--format", "json"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert run.returncode == 1
    assert run.stderr.startswith("Error: s3://hpe-models/pose.json: no such key")
    upload(empty_bucket, root, "pose.json", *networks(root))
    run = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert len(json.loads(run.stdout)["people"]) == 1
