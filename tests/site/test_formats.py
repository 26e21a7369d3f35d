"""The formats that the page writes are Python's own, to the number, at whatever threshold is shown."""

import csv
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpe.photo import coco, openpose, tables
from hpe.photo.answer import Answer
from hpe.pose.result import Pose
from hpe.pose.skeleton import KEYPOINTS
from hpe.video.result import TrackedFrame, TrackedPose
from hpe.video.rows import RowSink

NODE = shutil.which("node")
SIZE = (640, 480)


def answer_at(threshold: float) -> Answer:
    """Two people of 21 keypoints, one of them cut by the photo's edge, as the API answers at this threshold."""
    rng = np.random.default_rng(1)
    people = []
    for k, box in enumerate(([10.5, 20.25, 300, 380], [-0.5, 100, 200.75, 479.5])):
        points = rng.uniform(box[:2], box[2:], (len(KEYPOINTS), 2)).round(2)
        scores = np.where(np.arange(len(KEYPOINTS)) < 2 * k, 0, rng.random(len(KEYPOINTS))).round(4)
        people.append(Pose(points, scores, np.array(box), 0.9 - 0.2 * k, threshold, SIZE))
    return Answer(people, *SIZE, SIZE, threshold, {"name": "made"}, {})


@pytest.fixture(scope="module", params=[0.5, 0.2, 0.9])
def answer(request: pytest.FixtureRequest) -> Answer:
    """What the page shows, at the threshold of the slider."""
    return answer_at(request.param)


@pytest.fixture(scope="module")
def written(root: Path, answer: Answer) -> dict[str, str]:
    """format -> what the page's formats.js writes, from an answer that the API gave at 0.5."""
    if not NODE:
        pytest.skip("needs Node 20 or newer: apt-get install nodejs npm")
    script = """import * as f from './static-site/formats.js';
      const [answer, threshold] = JSON.parse(process.argv[1]);
      const result = f.atThreshold(answer, threshold);
      const written = ['json', 'coco', 'csv', 'openpose'].map((name) => [name, f[name](result)]);
      console.log(JSON.stringify(Object.fromEntries(written)));"""
    given = json.dumps([answer_at(0.5).to_dict(), answer.threshold])
    command = [NODE, "--input-type=module", "--eval", script, given]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(ran.stdout))


def close(a: Any, b: Any) -> bool:
    """Equal, numbers to a hundredth."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    return abs(a - b) <= 0.0101 if isinstance(a, int | float) else a == b


def test_json_is_the_apis(written: dict[str, str], answer: Answer) -> None:
    assert close(json.loads(written["json"]), json.loads(json.dumps(answer.to_dict())))


def test_coco_is_the_packages(written: dict[str, str], answer: Answer) -> None:
    assert close(json.loads(written["coco"]), json.loads(json.dumps(coco.results(answer, 1))))


def test_openpose_is_the_packages(written: dict[str, str], answer: Answer) -> None:
    assert close(json.loads(written["openpose"]), json.loads(json.dumps(openpose.document(answer))))


def test_csv_is_the_packages(written: dict[str, str], answer: Answer) -> None:
    ours = list(csv.DictReader(io.StringIO(written["csv"])))
    theirs = list(csv.DictReader(io.StringIO(tables.header(named=False) + tables.as_csv(answer))))
    assert len(ours) == len(theirs) == 42
    for a, b in zip(ours, theirs, strict=True):
        assert list(a) == list(b)
        for column, value in b.items():
            number = column not in ("joint", "state") and value
            same = abs(float(a[column]) - float(value)) <= 0.11 if number else a[column] == value
            assert same, (column, a, b)


def test_csv_of_nobody_is_the_packages(root: Path) -> None:
    if not NODE:
        pytest.skip("needs Node 20 or newer: apt-get install nodejs npm")
    script = "import { csv } from './static-site/formats.js'; process.stdout.write(csv({ people: [] }))"
    command = [NODE, "--input-type=module", "--eval", script]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    nobody = Answer([], *SIZE, SIZE, 0.5, {}, {})
    assert ran.stdout == tables.header(named=False) + tables.as_csv(nobody)


@pytest.fixture(scope="module")
def tracked() -> list[TrackedFrame]:
    """Two people who move; nobody in the middle."""
    rng = np.random.default_rng(3)
    frames = []
    for index in (0, 1, 2, 5, 6):
        poses = []
        for id in (1, 2):
            points = rng.uniform(20, 400, (len(KEYPOINTS), 2)).round(1)
            scores = rng.random(len(KEYPOINTS)).round(3)
            box = np.array([10.5, 20.2, 300, 380])
            poses.append(TrackedPose(points, scores, box, 0.9, 0.35, SIZE, id=id, raw=points + 0.5))
        frames.append(TrackedFrame(index, index / 30, poses, np.zeros((1, 1, 3), np.uint8), True, False))
    return frames


def test_tracks_come_in_and_go_out_as_hpe_video_writes_them(root: Path, tracked: list[TrackedFrame]) -> None:
    if not NODE:
        pytest.skip("needs Node 20 or newer: apt-get install nodejs npm")
    lines, table = io.BytesIO(), io.BytesIO()
    for file, form in ((lines, "jsonl"), (table, "csv")):
        sink = RowSink(file, form)
        for frame in tracked:
            sink.take(frame)
        sink.close()
    script = """import { framesOf, tracksCsv, tracksJsonl } from './static-site/tracks.js';
      const frames = framesOf(process.argv[1], { width: 640, height: 480 });
      console.log(JSON.stringify([tracksJsonl(frames), tracksCsv(frames)]));"""
    command = [NODE, "--input-type=module", "--eval", script, lines.getvalue().decode()]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    of_lines, of_table = json.loads(ran.stdout)
    rows = [[json.loads(line) for line in text.splitlines()] for text in (of_lines, lines.getvalue().decode())]
    for ours, theirs in zip(*rows, strict=True):
        near = {name: pytest.approx(degrees, abs=0.11) for name, degrees in theirs.pop("angles").items()}
        assert ours.pop("angles") == near
        assert ours == theirs
    tables = [list(csv.DictReader(io.StringIO(text))) for text in (of_table, table.getvalue().decode())]
    assert len(tables[0]) == 10
    for ours, theirs in zip(*tables, strict=True):
        assert list(ours) == list(theirs)
        assert [float(v or -1) for v in ours.values()] == pytest.approx(
            [float(v or -1) for v in theirs.values()], abs=0.11
        )
