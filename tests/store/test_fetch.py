"""The model from a path and from S3 as moto's server plays it: verified, whole or absent, tried again after a fault."""

import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from store.conftest import as_schema_1

from hpe.engine.bundle import Bundle, open_bundle, prefetch
from hpe.errors import BadModel, ModelUnavailable
from hpe.store import s3

MODEL = "s3://hpe-models/v1/pose.json"


@pytest.fixture
def bucket(moto_url: str, aws_env, model_files):
    """A bucket on moto with the model and its manifest in it; its boto3 client."""
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST"))
    aws_env.setenv("AWS_ENDPOINT_URL", moto_url)
    client = boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1")
    client.create_bucket(Bucket="hpe-models")
    for name, data in model_files.items():
        client.put_object(Bucket="hpe-models", Key=f"v1/{name}", Body=data)
    return client


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys asked of S3 so far."""
    keys: list[str] = []
    real = s3.Bucket.get
    monkeypatch.setattr(s3.Bucket, "get", lambda self, key, sink: keys.append(key) or real(self, key, sink))
    return keys


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def contents(bundle: Bundle) -> tuple[bytes, bytes]:
    assert bundle.locate is not None
    return bundle.pose.read_bytes(), bundle.locate.read_bytes()


def both(model_files: dict[str, bytes]) -> tuple[bytes, bytes]:
    return model_files["pose.onnx"], model_files["locate.onnx"]


# --- from disk


def put(folder: Path, model_files: dict[str, bytes]) -> Path:
    for name, data in model_files.items():
        (folder / name).write_bytes(data)
    return folder / "pose.json"


def test_files_are_verified_and_used_where_they_lie(tmp_path: Path, model_files) -> None:
    bundle = open_bundle(str(put(tmp_path, model_files)), tmp_path / "cache")
    assert (bundle.pose, bundle.locate) == (tmp_path / "pose.onnx", tmp_path / "locate.onnx")
    assert bundle.card.name == "tiny"
    assert not (tmp_path / "cache").exists()
    by_network = open_bundle(str(tmp_path / "pose.onnx"), tmp_path / "cache")
    assert by_network == replace(bundle, model=str(tmp_path / "pose.onnx"))


def test_a_manifest_of_one_network_names_it_whatever_it_is_called(tmp_path: Path, model_files) -> None:
    (tmp_path / "old-name.onnx").write_bytes(model_files["pose.onnx"])
    (tmp_path / "old-name.json").write_bytes(as_schema_1(model_files))
    bundle = open_bundle(str(tmp_path / "old-name.onnx"), tmp_path)
    assert bundle.pose == tmp_path / "old-name.onnx"
    assert bundle.locate is None
    with pytest.raises(ModelUnavailable, match=r"pose\.onnx: no such model file, but old-name\.json names it"):
        open_bundle(str(tmp_path / "old-name.json"), tmp_path)


def test_default_model_is_the_bundled_one(tmp_path: Path, root: Path) -> None:
    bundle = open_bundle("", tmp_path)
    assert bundle.pose == root / "models" / bundle.card.file
    assert hashlib.sha256(bundle.pose.read_bytes()).hexdigest() == bundle.card.sha256


@pytest.mark.parametrize("name", ["pose.onnx", "locate.onnx"])
def test_a_file_that_changed_is_noticed(tmp_path: Path, model_files, name: str) -> None:
    model = str(put(tmp_path, model_files))
    open_bundle(model, tmp_path / "cache")
    data = bytearray(model_files[name])
    data[1000] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelUnavailable, match=f"{name}: wrong checksum"):
        open_bundle(model, tmp_path / "cache")
    (tmp_path / name).write_bytes(model_files[name])
    open_bundle(model, tmp_path / "cache")


def test_a_bundle_that_lacks_its_locator_is_named(tmp_path: Path, model_files) -> None:
    model = str(put(tmp_path, model_files))
    (tmp_path / "locate.onnx").unlink()
    with pytest.raises(ModelUnavailable, match=r"locate\.onnx: no such model file, but pose\.json names it"):
        open_bundle(model, tmp_path / "cache")


@pytest.mark.parametrize(
    ("name", "error", "why"),
    [
        ("none.onnx", ModelUnavailable, "no such model file"),
        ("none.json", ModelUnavailable, "no such model file"),
        ("alone.onnx", BadModel, "a model needs its manifest beside it"),
        ("pose.txt", BadModel, "give its manifest, which ends in .json"),
        (".", BadModel, "give its manifest, which ends in .json"),
    ],
)
def test_wrong_path_is_named(tmp_path: Path, model_files, name: str, error: type[Exception], why: str) -> None:
    put(tmp_path, model_files)
    (tmp_path / "alone.onnx").write_bytes(b"x")
    with pytest.raises(error, match=why):
        open_bundle(str(tmp_path / name), tmp_path / "cache")


# --- from S3


def test_files_come_whole_under_the_names_of_their_checksums(bucket, tmp_path: Path, model_files) -> None:
    bundle = open_bundle(MODEL, tmp_path / "cache")
    assert bundle.pose == tmp_path / "cache" / f"{bundle.card.sha256}.onnx"
    assert contents(bundle) == both(model_files)
    assert files(tmp_path / "cache") == sorted(path.name for path in (bundle.pose, bundle.locate))


def test_networks_lie_beside_the_manifest_whatever_its_key(
    bucket, tmp_path: Path, model_files, asked: list[str]
) -> None:
    for prefix in ("", "späte Modelle//v1 +2/"):
        for name, data in model_files.items():
            bucket.put_object(Bucket="hpe-models", Key=f"{prefix}{name}", Body=data)
        cache_dir = tmp_path / f"cache{len(prefix)}"
        assert contents(open_bundle(f"s3://hpe-models/{prefix}pose.json", cache_dir)) == both(model_files)
        assert asked[-1] == f"{prefix}pose.onnx"


def test_a_model_of_one_network_is_found_by_the_name_of_its_file(bucket, tmp_path: Path, model_files) -> None:
    bucket.put_object(Bucket="hpe-models", Key="models/pose-3f.onnx", Body=model_files["pose.onnx"])
    bucket.put_object(Bucket="hpe-models", Key="models/pose-3f.json", Body=as_schema_1(model_files))
    bundle = open_bundle("s3://hpe-models/models/pose-3f.onnx", tmp_path)
    assert bundle.pose.read_bytes() == model_files["pose.onnx"]
    assert bundle.locate is None


def test_a_later_process_uses_what_an_earlier_one_fetched(bucket, tmp_path: Path, asked: list[str]) -> None:
    code = f"from hpe.engine.bundle import open_bundle; print(open_bundle({MODEL!r}, {str(tmp_path)!r}).pose)"
    subprocess.run([sys.executable, "-c", code], check=True)
    open_bundle(MODEL, tmp_path)
    assert asked == ["v1/pose.json"]


@pytest.mark.parametrize("name", ["pose", "locate"])
def test_a_corrupted_cache_is_fetched_again(bucket, tmp_path: Path, model_files, name: str) -> None:
    getattr(open_bundle(MODEL, tmp_path), name).write_bytes(b"rotten")
    assert contents(open_bundle(MODEL, tmp_path)) == both(model_files)


def test_a_new_model_under_the_same_key_is_noticed_and_only_what_is_new_is_fetched(
    bucket, tmp_path: Path, model_files, asked: list[str]
) -> None:
    open_bundle(MODEL, tmp_path)
    newer = b"newer" * 1000
    manifest = json.loads(model_files["pose.json"])
    manifest["pose"]["sha256"] = hashlib.sha256(newer).hexdigest()
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.onnx", Body=newer)
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=json.dumps(manifest))
    del asked[:]
    assert contents(open_bundle(MODEL, tmp_path)) == (newer, model_files["locate.onnx"])
    assert asked == ["v1/pose.json", "v1/pose.onnx"]


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("s3://hpe-models/v1/none.json", r"s3://hpe-models/v1/none.json: no such key"),
        ("s3://no-such-bucket/pose.json", r"s3://no-such-bucket/pose.json: no such bucket"),
    ],
)
def test_missing_key_and_bucket_are_named_and_the_next_call_tries_again(
    bucket, tmp_path: Path, model_files, model: str, why: str
) -> None:
    with pytest.raises(ModelUnavailable, match=why):
        open_bundle(model, tmp_path)
    name, _, key = model.removeprefix("s3://").partition("/")
    bucket.create_bucket(Bucket=name)
    folder = key.rpartition("/")[0]
    for file in ("pose.onnx", "locate.onnx"):
        bucket.put_object(Bucket=name, Key=f"{folder}/{file}".lstrip("/"), Body=model_files[file])
    with pytest.raises(ModelUnavailable, match="no such key"):
        open_bundle(model, tmp_path)
    bucket.put_object(Bucket=name, Key=key, Body=model_files["pose.json"])
    assert contents(open_bundle(model, tmp_path)) == both(model_files)


def test_manifest_without_its_networks_is_named(bucket, tmp_path: Path) -> None:
    bucket.delete_object(Bucket="hpe-models", Key="v1/locate.onnx")
    with pytest.raises(ModelUnavailable, match=r"v1/locate.onnx: no such key"):
        open_bundle(MODEL, tmp_path)
    assert files(tmp_path) == []


def test_wrong_checksum_is_named_and_nothing_is_kept(bucket, tmp_path: Path, model_files) -> None:
    bucket.put_object(Bucket="hpe-models", Key="v1/locate.onnx", Body=model_files["locate.onnx"][:-1])
    with pytest.raises(ModelUnavailable, match=r"v1/locate.onnx: wrong checksum"):
        open_bundle(MODEL, tmp_path)
    assert files(tmp_path) == []
    bucket.put_object(Bucket="hpe-models", Key="v1/locate.onnx", Body=model_files["locate.onnx"])
    open_bundle(MODEL, tmp_path)


def test_a_manifest_that_is_none_is_named(bucket, tmp_path: Path) -> None:
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=b"<html>")
    with pytest.raises(BadModel, match=r"s3://hpe-models/v1/pose.json is not a model manifest"):
        open_bundle(MODEL, tmp_path)
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=b" " * 1_000_001)
    with pytest.raises(BadModel, match="larger than 1000000 bytes"):
        open_bundle(MODEL, tmp_path)


@pytest.mark.parametrize("model", ["s3://", "s3:///pose.json", "s3://bucket", "s3://bucket/", "s3://bucket/pose.txt"])
def test_a_name_that_cannot_be_one_is_refused(aws_env, tmp_path: Path, model: str) -> None:
    with pytest.raises(BadModel):
        open_bundle(model, tmp_path)


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
        open_bundle(MODEL, tmp_path)
    strict_iam("s3:GetObject")
    assert contents(open_bundle(MODEL, tmp_path)) == both(model_files)


def test_wrong_secret_and_unknown_key_are_named(strict_iam, aws_env, tmp_path: Path) -> None:
    strict_iam("s3:GetObject")
    aws_env.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(ModelUnavailable, match="signature does not match"):
        open_bundle(MODEL, tmp_path)
    aws_env.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODY")
    with pytest.raises(ModelUnavailable, match="does not know this access key"):
        open_bundle(MODEL, tmp_path)


def test_connection_dropped_half_way_leaves_nothing_and_the_next_call_succeeds(
    faulty, tmp_path: Path, model_files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "PAUSE_S", 0.01)
    model, manifest, locate = (model_files[name] for name in ("pose.onnx", "pose.json", "locate.onnx"))

    def send(body: bytes, length: int):
        def answer(connection) -> bool:
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body)
            return len(body) == length

        return answer

    half = send(model[: len(model) // 2], len(model))
    small = send(locate, len(locate))
    faulty.script = [send(manifest, len(manifest)), small, half, half, half]
    with pytest.raises(ModelUnavailable, match=r"pose.onnx: the connection dropped after 1.0 of 2.0 MB"):
        open_bundle("s3://models/pose.json", tmp_path)
    assert files(tmp_path) == [f"{hashlib.sha256(locate).hexdigest()}.onnx"]
    faulty.script = [send(manifest, len(manifest)), half, send(model, len(model))]
    assert contents(open_bundle("s3://models/pose.json", tmp_path)) == both(model_files)


def test_many_processes_at_once_all_get_the_whole_model(bucket, tmp_path: Path, model_files) -> None:
    code = f"from hpe.engine.bundle import open_bundle; print(open_bundle({MODEL!r}, {str(tmp_path)!r}).pose)"
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    paths = {run.communicate()[0].strip() for run in runs}
    assert [run.returncode for run in runs] == [0] * 4
    assert len(paths) == 1
    assert Path(paths.pop()).read_bytes() == model_files["pose.onnx"]
    assert not list(tmp_path.glob("*.part"))


def test_parts_of_dead_downloads_are_cleared_away(bucket, tmp_path: Path) -> None:
    dead, living = tmp_path / "dead.part", tmp_path / "living.part"
    dead.write_bytes(b"x")
    living.write_bytes(b"x")
    os.utime(dead, (time.time() - 120,) * 2)
    open_bundle(MODEL, tmp_path)
    assert not dead.exists()
    assert living.exists()


# --- beside the imports


def test_prefetched_model_is_asked_for_once(bucket, tmp_path: Path, asked: list[str]) -> None:
    bundle = prefetch(MODEL, tmp_path)()
    assert bundle.pose.is_file()
    assert asked == ["v1/pose.json", "v1/locate.onnx", "v1/pose.onnx"]
    assert prefetch(MODEL, tmp_path)() == bundle
    assert asked[3:] == ["v1/pose.json"]


def test_failed_prefetch_is_tried_again_by_the_one_who_needs_it(bucket, tmp_path: Path, model_files) -> None:
    bucket.delete_object(Bucket="hpe-models", Key="v1/pose.json")
    fetched = prefetch(MODEL, tmp_path)
    with pytest.raises(ModelUnavailable, match="no such key"):
        fetched()
    bucket.put_object(Bucket="hpe-models", Key="v1/pose.json", Body=model_files["pose.json"])
    assert fetched().pose.is_file()


def test_prefetch_and_fetch_together_stay_within_one_time_limit(
    faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "READ_TIMEOUT_S", 0.5)

    def silent(_) -> bool:
        time.sleep(5)
        return False

    faulty.script = [silent] * 10
    began = time.monotonic()
    with pytest.raises(ModelUnavailable, match="timed out"):
        prefetch("s3://models/pose.json", tmp_path, timeout_s=2.0)()
    assert time.monotonic() - began < 18
