"""The model's bucket breaks in every way, its file rots, the clock is wrong: 503, and the next request succeeds."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.broken_s3 import WEEK_S, BrokenS3
from faults.conftest import MODEL, SECRET, refused
from web.fakes import photo

from hpe.engine.manifest import read_manifest
from hpe.errors import ModelUnavailable
from hpe.settings import Settings
from hpe.web import source as web_source
from hpe.web.api import handle
from hpe.web.messages import Request, Response
from hpe.web.source import EstimatorSource

Post = Callable[[], Response]


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("gone", "no such bucket"),
        ("refusing", "asks to slow down"),
        ("silent", "timed out"),
        ("trickling", "too slow"),
        ("truncated", "the connection dropped after"),
        ("other bytes", "wrong checksum"),
    ],
)
def test_bucket_breaks_and_mends(
    bucket: BrokenS3, post: Post, cache: Path, caplog: pytest.LogCaptureFixture, fault: str, cause: str
) -> None:
    bucket.fault = fault
    began = time.monotonic()
    assert cause in refused(post())
    assert time.monotonic() - began < 29, "the gateway would have given up by now"
    assert not list(cache.glob("*.onnx")), "half a model was kept"
    bucket.fault = ""
    bucket.mended.set()
    assert post().status == 200
    assert SECRET not in caplog.text


def test_loaded_model_needs_its_bucket_no_more(bucket: BrokenS3, post: Post) -> None:
    assert post().status == 200
    bucket.fault = "gone"
    assert post().status == 200


@pytest.mark.parametrize("ahead_s", [WEEK_S, -WEEK_S])
def test_wrong_clock_is_named(bucket: BrokenS3, post: Post, ahead_s: float) -> None:
    bucket.clock_s = ahead_s
    assert "clock is more than 15 minutes off" in refused(post())
    assert bucket.asked == 1
    bucket.clock_s = 0
    assert post().status == 200


def test_corrupted_file_harms_no_running_process_and_the_next_one_fetches_anew(
    bucket: BrokenS3, post: Post, cache: Path
) -> None:
    assert post().status == 200
    model = max(cache.glob("*.onnx"), key=lambda path: path.stat().st_size)
    model.write_bytes(b"\0" * model.stat().st_size)
    assert post().status == 200
    settings = Settings(model=MODEL, cache_dir=str(cache))
    request = Request("POST", "/pose", {}, {"content-type": "image/jpeg"}, photo())
    assert handle(request, EstimatorSource(settings), settings).status == 200


def test_local_model_that_is_damaged_is_503_until_it_is_whole(tmp_path: Path, root: Path) -> None:
    for path in (root / "models").glob("*.*"):
        shutil.copy(path, tmp_path)
    model = tmp_path / "pose.onnx"
    whole = model.read_bytes()
    settings = Settings(model=str(tmp_path / "pose.json"), cache_dir=str(tmp_path / "cache"))
    source = EstimatorSource(settings)
    ask = Request("GET", "/health")
    for damaged in (b"", whole[:-1], whole[:1000] + b"\xff" + whole[1001:]):
        model.write_bytes(damaged)
        assert "wrong checksum" in refused(handle(ask, source, settings))
    model.write_bytes(whole)
    assert handle(ask, source, settings).status == 200
    assert source().card == read_manifest(tmp_path / "pose.json")


def test_missing_keys_are_named_and_used_once_they_are_there(
    bucket: BrokenS3, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials" in refused(post())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert post().status == 200


def test_failure_while_warming_stops_nobody(bucket: BrokenS3, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    bucket.fault = "gone"
    settings = Settings(model=MODEL, cache_dir=str(cache))
    source = EstimatorSource(settings)
    with caplog.at_level("WARNING", logger=web_source.LOGGER.name):
        source.warm()
    assert "could not be loaded ahead" in caplog.text
    with pytest.raises(ModelUnavailable):
        source()
    bucket.fault = ""
    assert source().card.name
