"""The same photo gives the same bytes: on every run, in every process, with every number of threads."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpe.engine.estimator import PoseEstimator
from hpe.settings import Settings
from hpe.web.api import handle
from hpe.web.messages import Request

ROOT = Path(__file__).resolve().parents[1]
FORMATS = ("png", "jpeg", "webp", "json")
THREADS = (1, 2, 4)

ANSWER = """
import json, sys
from test_determinism import answers
from hpe.engine.estimator import PoseEstimator
data = open(sys.argv[1], "rb").read()
print(json.dumps(answers(PoseEstimator(threads=int(sys.argv[2])), data)))
"""

pytestmark = pytest.mark.real


def answers(estimator: PoseEstimator, data: bytes) -> dict[str, str]:
    """Format -> sha256 of what POST /pose answers; of JSON without its timings, which are measured."""
    found = {}
    for format in FORMATS:
        request = Request("POST", "/pose", {"format": format}, {"content-type": "image/jpeg"}, data)
        answer = handle(request, lambda: estimator, Settings())
        assert answer.status == 200, answer.body
        body = answer.body
        if format == "json":
            joints = json.loads(body)
            assert joints["people"], "a photo without anybody would prove little"
            assert joints.pop("timings_ms")
            body = json.dumps(joints).encode()
        found[format] = hashlib.sha256(body).hexdigest()
    return found


@pytest.fixture(scope="module")
def once(astronaut_jpeg: bytes) -> dict[str, str]:
    """What one run with one thread answers."""
    return answers(PoseEstimator(threads=1), astronaut_jpeg)


def test_run_after_run(once: dict[str, str], astronaut_jpeg: bytes) -> None:
    estimator = PoseEstimator(threads=2)
    assert [answers(estimator, astronaut_jpeg) for _ in range(3)] == [once] * 3


@pytest.mark.parametrize("threads", THREADS)
def test_whatever_the_number_of_threads(once: dict[str, str], astronaut_jpeg: bytes, threads: int) -> None:
    assert answers(PoseEstimator(threads=threads), astronaut_jpeg) == once


@pytest.mark.parametrize("threads", [1, 4])
def test_process_after_process(once: dict[str, str], astronaut_jpeg: bytes, tmp_path: Path, threads: int) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(astronaut_jpeg)
    # another order of hashing each time, as between containers
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PYTHONHASHSEED": str(threads)}
    run = subprocess.run(
        [sys.executable, "-c", ANSWER, str(photo), str(threads)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(run.stdout) == once


def test_photos_before_it_make_no_difference(once: dict[str, str], astronaut_jpeg: bytes) -> None:
    from web.fakes import photo

    estimator = PoseEstimator(threads=2)
    for size in ((640, 480), (33, 900), (64, 64)):
        handle(
            Request("POST", "/pose", {}, {"content-type": "image/jpeg"}, photo(*size)), lambda: estimator, Settings()
        )
    assert answers(estimator, astronaut_jpeg) == once


def test_another_photo_gives_other_bytes(once: dict[str, str], root: Path) -> None:
    other = answers(PoseEstimator(threads=1), (root / "static-site" / "samples" / "volleyball.jpg").read_bytes())
    assert not set(other.values()) & set(once.values())
