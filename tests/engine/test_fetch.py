"""The model from a path and from S3 as moto's server plays it: verified, whole or absent, tried again after a fault."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import boto3
import pytest

from hpe.engine import cache, fetch, s3
from hpe.engine.fetch import fetch_model, prefetch
from hpe.errors import BadModel, ModelUnavailable

MODEL = "s3://hpe-models/v1/pose.onnx"


@pytest.fixture
def bucket(moto_url: str, aws_env, model_files):
    """A bucket on moto with the model and its manifest in it; its boto3 client."""
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST"))
    aws_env.setenv("AWS_ENDPOINT_URL", moto_url)
    client = boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1")
    client.create_bucket(Bucket="hpe-models")
    client.put_object(Bucket="hpe-models", Key="v1/pose.onnx", Body=model_files[0])
    client.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=model_files[1])
    return client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys asked of S3 so far."""
    keys: list[str] = []
    real = s3.Bucket._ask
    monkeypatch.setattr(s3.Bucket, "_ask", lambda self, key: keys.append(key) or real(self, key))
    return keys


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# --- from disk


def put(folder: Path, model_files: tuple[bytes, bytes]) -> Path:
    (folder / "pose.onnx").write_bytes(model_files[0])
    (folder / "pose.json").write_bytes(model_files[1])
    return folder / "pose.onnx"


def test_path_is_verified_and_used_where_it_lies(tmp_path: Path, model_files) -> None:
    model = put(tmp_path, model_files)
    path, card = fetch_model(str(model), tmp_path / "cache")
    assert path == model
    assert card.name == "tiny"


def test_default_model_is_the_bundled_one(tmp_path: Path, root: Path) -> None:
    path, card = fetch_model("", tmp_path)
    assert path == root / "models" / card.file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card.sha256


def test_file_changed_after_it_was_verified_is_noticed(tmp_path: Path, model_files) -> None:
    model = put(tmp_path, model_files)
    fetch_model(str(model), tmp_path / "cache")
    data = bytearray(model_files[0])
    data[1000] ^= 1
    model.write_bytes(data)
    with pytest.raises(ModelUnavailable, match="wrong checksum"):
        fetch_model(str(model), tmp_path / "cache")
    model.write_bytes(model_files[0])
    fetch_model(str(model), tmp_path / "cache")


def test_unchanged_file_is_hashed_once(tmp_path: Path, model_files, monkeypatch: pytest.MonkeyPatch) -> None:
    model = put(tmp_path, model_files)
    fetch_model(str(model), tmp_path / "cache")
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
    fetch_model(str(model), tmp_path / "cache")


def test_note_in_a_folder_that_others_can_write_is_not_believed(tmp_path: Path, model_files) -> None:
    model = put(tmp_path, model_files)
    shared_cache = tmp_path / "cache"
    fetch_model(str(model), shared_cache)
    model.write_bytes(b"poison")
    note = next(shared_cache.glob("*.seen"))
    note.write_text(cache._identity(model))
    shared_cache.chmod(0o777)
    with pytest.raises(ModelUnavailable, match="wrong checksum"):
        fetch_model(str(model), shared_cache)


def test_a_note_is_not_written_through_a_link(tmp_path: Path, model_files) -> None:
    model = put(tmp_path, model_files)
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "cache").mkdir()
    link = tmp_path / "cache" / f"{hashlib.sha256(model.read_bytes()).hexdigest()}.seen"
    link.symlink_to(tmp_path / "precious")
    fetch_model(str(model), tmp_path / "cache")
    assert (tmp_path / "precious").read_text() == "precious"
    assert not link.is_symlink()


def test_unwritable_cache_does_not_matter_to_a_local_model(tmp_path: Path, model_files) -> None:
    model = put(tmp_path, model_files)
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert fetch_model(str(model), tmp_path / "cache")[0] == model


@pytest.mark.parametrize(
    ("name", "error", "why"),
    [
        ("none.onnx", ModelUnavailable, "no such model file"),
        (".", ModelUnavailable, "no such model file"),
        ("alone.onnx", BadModel, "a model needs its manifest beside it"),
        ("pose.json", BadModel, "it ends in .onnx"),
    ],
)
def test_wrong_path_is_named(tmp_path: Path, model_files, name: str, error: type[Exception], why: str) -> None:
    put(tmp_path, model_files)
    (tmp_path / "alone.onnx").write_bytes(b"x")
    with pytest.raises(error, match=why):
        fetch_model(str(tmp_path / name), tmp_path / "cache")


# --- from S3


def test_model_comes_whole_under_the_name_of_its_checksum(bucket, tmp_path: Path, model_files) -> None:
    path, card = fetch_model(MODEL, tmp_path / "cache")
    assert path == tmp_path / "cache" / f"{card.sha256}.onnx"
    assert path.read_bytes() == model_files[0]
    assert files(tmp_path / "cache") == [f"{card.sha256}.onnx", f"{card.sha256}.seen"]


def test_a_later_process_uses_what_an_earlier_one_fetched(bucket, tmp_path: Path, asked: list[str]) -> None:
    code = f"from hpe.engine.fetch import fetch_model; print(fetch_model({MODEL!r}, {str(tmp_path)!r})[0])"
    subprocess.run([sys.executable, "-c", code], check=True)
    fetch_model(MODEL, tmp_path)
    assert asked == ["v1/pose.json"]


def test_corrupted_cache_is_fetched_anew(bucket, tmp_path: Path, model_files) -> None:
    path, _ = fetch_model(MODEL, tmp_path)
    path.write_bytes(model_files[0][:1000])
    path, _ = fetch_model(MODEL, tmp_path)
    assert path.read_bytes() == model_files[0]


def test_a_new_model_under_the_same_key_is_noticed(bucket, tmp_path: Path, model_files) -> None:
    fetch_model(MODEL, tmp_path)
    newer = b"newer" * 1000
    manifest = {**json.loads(model_files[1]), "sha256": hashlib.sha256(newer).hexdigest()}
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.onnx", Body=newer)
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=json.dumps(manifest))
    assert fetch_model(MODEL, tmp_path)[0].read_bytes() == newer


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("s3://hpe-models/v1/none.onnx", r"s3://hpe-models/v1/none.json: no such key"),
        ("s3://no-such-bucket/pose.onnx", r"s3://no-such-bucket/pose.json: no such bucket"),
    ],
)
def test_missing_key_and_bucket_are_named_and_the_next_call_tries_again(
    bucket, tmp_path: Path, model_files, model: str, why: str
) -> None:
    with pytest.raises(ModelUnavailable, match=why):
        fetch_model(model, tmp_path)
    name, _, key = model.removeprefix("s3://").partition("/")
    bucket.create_bucket(Bucket=name)
    bucket.put_object(Bucket=name, Key=key, Body=model_files[0])
    with pytest.raises(ModelUnavailable, match="no such key"):
        fetch_model(model, tmp_path)
    bucket.put_object(Bucket=name, Key=key.replace(".onnx", ".json"), Body=model_files[1])
    assert fetch_model(model, tmp_path)[0].read_bytes() == model_files[0]


def test_manifest_without_its_model_is_named(bucket, tmp_path: Path) -> None:
    bucket.delete_object(Bucket="hpe-models", Key="v1/pose.onnx")
    with pytest.raises(ModelUnavailable, match=r"v1/pose.onnx: no such key"):
        fetch_model(MODEL, tmp_path)
    assert files(tmp_path) == []


def test_wrong_checksum_is_named_and_nothing_is_kept(bucket, tmp_path: Path, model_files) -> None:
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.onnx", Body=model_files[0][:-1])
    with pytest.raises(ModelUnavailable, match="wrong checksum"):
        fetch_model(MODEL, tmp_path)
    assert files(tmp_path) == []
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.onnx", Body=model_files[0])
    fetch_model(MODEL, tmp_path)


def test_a_manifest_that_is_none_is_named(bucket, tmp_path: Path) -> None:
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=b"<html>")
    with pytest.raises(BadModel, match=r"s3://hpe-models/v1/pose.json is not a model manifest"):
        fetch_model(MODEL, tmp_path)
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=b" " * 1_000_001)
    with pytest.raises(BadModel, match="larger than 1000000 bytes"):
        fetch_model(MODEL, tmp_path)


@pytest.mark.parametrize("model", ["s3://", "s3:///pose.onnx", "s3://bucket", "s3://bucket/", "s3://bucket/pose.txt"])
def test_a_name_that_cannot_be_one_is_refused(aws_env, tmp_path: Path, model: str) -> None:
    with pytest.raises(BadModel):
        fetch_model(model, tmp_path)


@pytest.fixture
def strict_iam(bucket, moto_url: str, aws_env):
    """moto with IAM enforced, asked with the keys of a user who may do nothing; returns `allow(policy)`."""
    iam = boto3.client("iam", endpoint_url=moto_url, region_name="us-east-1")
    iam.create_user(UserName="reader")
    keys = iam.create_access_key(UserName="reader")["AccessKey"]

    def reset(count: int) -> None:
        plain = {"content-type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset-auth", b"%d" % count, plain))

    def allow(action: str) -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::hpe-models/*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        reset(1_000_000)
        iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=document)
        reset(0)

    reset(0)
    aws_env.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    aws_env.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    yield allow
    reset(1_000_000)


def test_access_denied_is_named_until_it_is_allowed(strict_iam, tmp_path: Path, model_files) -> None:
    with pytest.raises(ModelUnavailable, match=r"access denied: allow s3:GetObject"):
        fetch_model(MODEL, tmp_path)
    strict_iam("s3:GetObject")
    assert fetch_model(MODEL, tmp_path)[0].read_bytes() == model_files[0]


def test_wrong_secret_and_unknown_key_are_named(strict_iam, aws_env, tmp_path: Path) -> None:
    strict_iam("s3:GetObject")
    aws_env.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(ModelUnavailable, match="signature does not match"):
        fetch_model(MODEL, tmp_path)
    aws_env.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    with pytest.raises(ModelUnavailable, match="does not know this access key"):
        fetch_model(MODEL, tmp_path)


def test_connection_dropped_half_way_leaves_nothing_and_the_next_call_succeeds(
    faulty, tmp_path: Path, model_files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_PAUSE_S", 0.01)
    model, manifest = model_files

    def send(body: bytes, length: int):
        def answer(connection) -> bool:
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body)
            return len(body) == length

        return answer

    half = send(model[: len(model) // 2], len(model))
    faulty.script = [send(manifest, len(manifest)), half, half, half]
    with pytest.raises(ModelUnavailable, match=r"pose.onnx: the connection dropped after 1.0 of 2.0 MB"):
        fetch_model("s3://models/pose.onnx", tmp_path)
    assert files(tmp_path) == []
    faulty.script = [send(manifest, len(manifest)), half, send(model, len(model))]
    assert fetch_model("s3://models/pose.onnx", tmp_path)[0].read_bytes() == model


def test_many_processes_at_once_all_get_the_whole_model(bucket, tmp_path: Path, model_files) -> None:
    code = f"from hpe.engine.fetch import fetch_model; print(fetch_model({MODEL!r}, {str(tmp_path)!r})[0])"
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    paths = {run.communicate()[0].strip() for run in runs}
    assert [run.returncode for run in runs] == [0] * 4
    assert len(paths) == 1
    assert Path(paths.pop()).read_bytes() == model_files[0]
    assert not list(tmp_path.glob("*.part"))


def test_full_disk_is_named_and_the_next_call_tries_again(
    bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk:
        def __init__(self, file) -> None:
            self._file = file

        def write(self, _: bytes) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def __getattr__(self, name: str):
            return getattr(self._file, name)

    real = os.fdopen
    with monkeypatch.context() as patch:
        patch.setattr(cache.os, "fdopen", lambda *a, **k: FullDisk(real(*a, **k)))
        with pytest.raises(ModelUnavailable, match=r"No space left on device: free some space there, or set HPE_CACHE"):
            fetch_model(MODEL, tmp_path)
    assert files(tmp_path) == []
    fetch_model(MODEL, tmp_path)


def test_cache_folder_that_cannot_be_made_is_named(bucket, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(ModelUnavailable, match="set HPE_CACHE_DIR to another folder"):
        fetch_model(MODEL, tmp_path / "cache")


def test_parts_of_dead_downloads_are_cleared_away(bucket, tmp_path: Path) -> None:
    dead, living = tmp_path / "dead.part", tmp_path / "living.part"
    dead.write_bytes(b"x")
    living.write_bytes(b"x")
    os.utime(dead, (time.time() - 120,) * 2)
    fetch_model(MODEL, tmp_path)
    assert not dead.exists()
    assert living.exists()


# --- beside the imports


def test_prefetched_model_is_asked_for_once(bucket, tmp_path: Path, asked: list[str]) -> None:
    prefetch(MODEL, tmp_path)
    path, _ = fetch_model(MODEL, tmp_path)
    assert path.is_file()
    assert asked == ["v1/pose.json", "v1/pose.onnx"]
    fetch_model(MODEL, tmp_path)
    assert asked[2:] == ["v1/pose.json"]


def test_failed_prefetch_is_tried_again_by_the_one_who_needs_it(bucket, tmp_path: Path, model_files) -> None:
    bucket.delete_object(Bucket="hpe-models", Key="v1/pose.json")
    prefetch(MODEL, tmp_path)
    next(t for t in threading.enumerate() if t.name == "hpe-prefetch").join()
    with pytest.raises(ModelUnavailable, match="no such key"):
        fetch_model(MODEL, tmp_path)
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=model_files[1])
    assert fetch_model(MODEL, tmp_path)[0].is_file()


def test_prefetch_and_fetch_together_stay_within_one_time_limit(
    faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "READ_TIMEOUT_S", 0.5)
    monkeypatch.setattr(fetch, "TIMEOUT_S", 2.0)

    def silent(_) -> bool:
        time.sleep(5)
        return False

    faulty.script = [silent] * 10
    began = time.monotonic()
    prefetch("s3://models/pose.onnx", tmp_path)
    with pytest.raises(ModelUnavailable, match="timed out"):
        fetch_model("s3://models/pose.onnx", tmp_path, timeout_s=2.0)
    assert time.monotonic() - began < 4.5
