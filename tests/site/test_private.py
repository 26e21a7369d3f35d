"""The browser's engine is Python's: by vectors, and by what both find in photos."""

import importlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpe.engine.estimator import PoseEstimator
from hpe.pose.boxes import AREA_OF_BOX, OKS_SIGMAS, box_iou

NODE = shutil.which("node")


@pytest.fixture
def program(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """tests/site/make_vectors.py."""
    monkeypatch.syspath_prepend(str(root / "tests" / "site"))
    return importlib.import_module("make_vectors")


def close(stored: Any, now: Any, where: str = "") -> None:
    """The same, numbers to six digits: other processors round otherwise."""
    if isinstance(stored, dict) and "shape" in stored:
        assert stored["shape"] == now["shape"], where
    elif isinstance(stored, dict):
        assert stored.keys() == now.keys(), where
        for key, value in stored.items():
            close(value, now[key], f"{where}.{key}")
    elif isinstance(stored, list):
        assert len(stored) == len(now), where
        for i, value in enumerate(stored):
            close(value, now[i], f"{where}[{i}]")
    elif isinstance(stored, float):
        assert np.isclose(stored, now, rtol=1e-5, atol=1e-6), f"{where}: python tests/site/make_vectors.py"
    else:
        assert stored == now, f"{where}: python tests/site/make_vectors.py"


def test_vectors_are_what_python_says_now(root: Path, program: Any) -> None:
    close(json.loads((root / "tests" / "site" / "vectors.json").read_text()), program.vectors())


def coco_photos(shared: Path, count: int) -> dict[str, np.ndarray]:
    """The first `count` of coco-train's photos with several keypoints: name -> (H, W, 3) uint8 RGB."""
    from hpe.image.decode import decode_image

    rows = json.loads((shared / "data" / "coco" / "coco-train.json").read_text())
    chosen = [row for row in rows if any(person.get("joints") for person in row["people"])][:count]
    photos = {}
    for name in sorted({row["shard"] for row in chosen}):
        with tarfile.open(shared / "data" / "coco" / name) as shard:
            for row in chosen:
                if row["shard"] == name:
                    member = shard.extractfile(row["file"])
                    assert member is not None
                    photos[Path(row["file"]).stem] = decode_image(member.read()).rgb
    return photos


def similarity(a: dict[str, Any], b: dict[str, Any]) -> float:
    """OKS of two people of answers, over the keypoints that either is sure of; area from the first one's box."""
    x0, y0, x1, y1 = a["box"]
    area = AREA_OF_BOX * (x1 - x0) * (y1 - y0)
    values = []
    for j, (one, other) in enumerate(zip(a["keypoints"], b["keypoints"], strict=True)):
        if (one["confident"] and other["confident"]) and j < len(OKS_SIGMAS):
            apart = (one["x"] - other["x"]) ** 2 + (one["y"] - other["y"]) ** 2
            values.append(np.exp(-apart / (2 * area * (2 * OKS_SIGMAS[j]) ** 2)))
    return float(np.mean(values)) if values else 1.0


def test_browser_and_python_find_the_same_people(root: Path, shared: Path, tmp_path: Path) -> None:
    """In 40 photos nearly the same people, alike by OKS: each by its own boxes, and Python in the browser's boxes.

    Crops are the same bytes. So are the networks' answers, if what they add has short ratios (hpe/export/exact.py);
    in other models the last bit of a sum may differ, since WebAssembly has no fused multiply-add.
    """
    if not NODE or not (root / "node_modules" / "onnxruntime-web").is_dir():
        pytest.skip("needs Node and onnxruntime-web: npm ci")
    if not (root / "models" / "pose.onnx").is_file():
        pytest.skip("needs the model: models/pose.onnx")
    photos = coco_photos(shared, 40)
    for name, rgb in photos.items():
        (tmp_path / f"{name}.rgba").write_bytes(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]).tobytes())
    listed = [{"name": name, "width": rgb.shape[1], "height": rgb.shape[0]} for name, rgb in photos.items()]
    (tmp_path / "list.json").write_text(json.dumps(listed))
    program = str(root / "tests" / "site" / "private_run.mjs")
    manifest = root / "models" / "pose.json"
    command = [NODE, program, str(tmp_path), str(manifest)]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=280)
    assert ran.returncode == 0, ran.stderr
    in_browser = json.loads(ran.stdout)
    estimator = PoseEstimator()
    own, same_box, missed, total = [], [], 0, 0
    for name, rgb in photos.items():
        here = [pose.to_dict() for pose in estimator(rgb)]
        there = in_browser[name]["people"]
        total += len(here)
        missed += abs(len(here) - len(there))
        if not here or not there:
            continue
        boxes = np.array([person["box"] for person in there])
        overlap = box_iou(np.array([person["box"] for person in here]), boxes)
        own += [similarity(here[i], there[int(row.argmax())]) for i, row in enumerate(overlap) if row.max() > 0.5]
        again = [pose.to_dict() for pose in estimator(rgb, boxes=boxes)]
        same_box += [similarity(a, b) for a, b in zip(again, there, strict=True)]
    assert total > 60
    assert missed <= 0.1 * total, (missed, total)
    assert np.median(own) >= 0.995, np.median(own)
    assert np.percentile(own, 5) >= 0.97, np.percentile(own, 5)
    assert np.median(same_box) >= 0.995, np.median(same_box)
    assert np.percentile(same_box, 5) >= 0.97, np.percentile(same_box, 5)
