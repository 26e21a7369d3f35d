"""A model in an S3 that breaks on demand, and one request through the whole API."""

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults.broken_s3 import BrokenS3
from web.fakes import photo

from hpe.engine import estimator
from hpe.engine.bundle import open_bundle
from hpe.settings import Settings
from hpe.store import s3
from hpe.web.api import handle
from hpe.web.messages import Request, Response
from hpe.web.source import EstimatorSource

MODEL = "s3://hpe-models/pose.json"
SECRET = "wJalr-not-to-be-seen"


@pytest.fixture
def bucket(aws_env: pytest.MonkeyPatch, root: Path) -> Iterator[BrokenS3]:
    """The real model in an S3 that is whole for now; whoever reads it has little patience."""
    aws_env.setattr(s3, "READ_TIMEOUT_S", 0.3)
    aws_env.setattr(s3, "PAUSE_S", 0.01)
    aws_env.setattr(estimator, "open_bundle", functools.partial(open_bundle, timeout_s=1.5))
    aws_env.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    server = BrokenS3(root / "models")
    aws_env.setenv("AWS_ENDPOINT_URL", server.url)
    yield server
    server.mended.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where the model is kept; not there yet."""
    return tmp_path / "cache"


@pytest.fixture
def post(cache: Path) -> Callable[[], Response]:
    """One photo to one process' API, whose model is in S3."""
    settings = Settings(model=MODEL, cache_dir=str(cache))
    source = EstimatorSource(settings)
    request = Request("POST", "/pose", {"format": "json"}, {"content-type": "image/jpeg"}, photo())
    return lambda: handle(request, source, settings)


def refused(response: Response) -> str:
    """The detail of an answer that says: not now, try again. Fails where it says anything else."""
    problem = json.loads(response.body)
    assert response.status == problem["status"] == 503
    assert response.headers["Content-Type"] == "application/problem+json"
    assert int(response.headers["Retry-After"]) > 0
    assert b"Traceback" not in response.body
    assert SECRET.encode() not in response.body
    detail: str = problem["detail"]
    return detail
