"""One photo, one recipe: whatever door it comes through, the same people are found in it, to the last digit."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from batch.test_work import FakeS3, batch
from click.testing import CliRunner
from PIL import Image

from hpe import PoseEstimator
from hpe.batch.work import work
from hpe.cli import main
from hpe.photo.stages import Stages
from hpe.queue import results
from hpe.settings import Settings
from hpe.web.api import handle
from hpe.web.messages import Request

SIZE = (4000, 3000)
API = Settings()
# as serverless.yml sets them for the queue, which draws larger
QUEUE = Settings(max_output_side=4096, max_pixels=120_000_000)


@pytest.fixture(scope="module")
def estimator() -> PoseEstimator:
    return PoseEstimator()


@pytest.fixture(scope="module", params=["JPEG", "PNG"])
def photo(request: pytest.FixtureRequest, root: Path) -> bytes:
    """12 MP with people in it, as a phone has them."""
    with Image.open(root / "static-site" / "samples" / "people.jpg") as sample:
        large = sample.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    out = io.BytesIO()
    large.save(out, request.param, quality=92, compress_level=1)
    return out.getvalue()


def of_api(photo: bytes, source: Any) -> Any:
    request = Request("POST", "/pose", {"format": "json"}, {"content-type": "application/octet-stream"}, photo)
    return json.loads(handle(request, source, API).body)["people"]


def of_queue(photo: bytes, source: Any) -> Any:
    drawn, joints, _ = results(photo, source, QUEUE, Stages())
    assert Image.open(io.BytesIO(drawn)).size == SIZE, "the drawn photo has a size of its own"
    return json.loads(joints)["people"]


def of_batch(photo: bytes, source: Any) -> Any:
    s3 = FakeS3({"a": photo})
    work(batch("a"), s3, source, API)
    (lines,) = [data for key, data in s3.written.items() if key.endswith(".jsonl.gz")]
    return json.loads(gzip.decompress(lines))["people"]


def of_command_line(photo: bytes, source: Any) -> Any:
    run = CliRunner().invoke(main, ["predict", "-", "--format", "json"], input=photo)
    assert run.exit_code == 0, run.stderr
    return json.loads(run.stdout)["people"]


def of_python(photo: bytes, source: Any) -> Any:
    return [pose.to_dict() for pose in source()(photo)]


@pytest.mark.real
def test_all_doors_agree_on_a_photo_of_12_megapixels(photo: bytes, estimator: PoseEstimator) -> None:
    people = of_python(photo, lambda: estimator)
    assert len(people) >= 2
    for door in (of_api, of_queue, of_batch, of_command_line):
        assert door(photo, lambda: estimator) == people, door.__name__


@pytest.mark.real
def test_what_is_drawn_larger_or_smaller_is_analysed_alike(root: Path, estimator: PoseEstimator) -> None:
    photo = (root / "static-site" / "samples" / "people.jpg").read_bytes()
    answers = []
    for side in (100, 1000, 5000):
        _, joints, _ = results(photo, lambda: estimator, Settings(max_output_side=side), Stages())
        answers.append(json.loads(joints)["people"])
    assert answers[0]
    assert answers[0] == answers[1] == answers[2]


def test_a_small_box_in_a_large_photo_is_a_box(estimator: PoseEstimator) -> None:
    (pose,) = estimator(np.zeros((3000, 4000, 3), np.uint8), boxes=[(100, 100, 101.5, 101.5)])
    assert pose.box == pytest.approx([100, 100, 101.5, 101.5], abs=0.01)
