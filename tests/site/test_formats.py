"""The formats that the page writes are Python's own, to the number."""

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
from hpe.pose.skeleton import JOINTS

NODE = shutil.which("node")


@pytest.fixture(scope="module")
def answer() -> Answer:
    """Two people, one of them partly outside the photo."""
    rng = np.random.default_rng(1)
    people = [
        Pose(
            rng.uniform(0, 400, (len(JOINTS), 2)).astype(np.float32),
            np.where(np.arange(len(JOINTS)) < k, 0, rng.random(len(JOINTS))).astype(np.float32),
            np.array([10.5, 20.25, 300, 380], np.float32),
            0.9 - 0.2 * k,
            0.5,
        )
        for k in range(2)
    ]
    return Answer(people, 640, 480, (640, 480), 0.5, {"name": "made"}, {})


@pytest.fixture(scope="module")
def written(root: Path, answer: Answer) -> dict[str, str]:
    """format -> what the page's formats.js writes of it."""
    if not NODE:
        pytest.skip("needs Node 20 or newer: apt-get install nodejs npm")
    script = """import * as f from './static-site/formats.js';
      const result = f.atThreshold(JSON.parse(process.argv[1]), 0.5);
      console.log(JSON.stringify({ coco: f.coco(result), csv: f.csv(result), openpose: f.openpose(result) }));"""
    command = [NODE, "--input-type=module", "--eval", script, json.dumps(answer.to_dict())]
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


def test_coco_is_the_packages(written: dict[str, str], answer: Answer) -> None:
    assert close(json.loads(written["coco"]), json.loads(json.dumps(coco.results(answer, 1))))


def test_openpose_is_the_packages(written: dict[str, str], answer: Answer) -> None:
    assert close(json.loads(written["openpose"]), json.loads(json.dumps(openpose.document(answer))))


def test_csv_is_the_packages(written: dict[str, str], answer: Answer) -> None:
    ours = list(csv.DictReader(io.StringIO(written["csv"])))
    theirs = list(csv.DictReader(io.StringIO(tables.header(named=False) + tables.as_csv(answer))))
    assert len(ours) == len(theirs) == 32
    for a, b in zip(ours, theirs, strict=True):
        assert a["joint"] == b["joint"]
        assert close(
            [float(a[k]) for k in ("x", "y", "score", "confident")],
            [float(b[k]) for k in ("x", "y", "score", "confident")],
        )
