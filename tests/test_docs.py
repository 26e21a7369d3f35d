"""The pages' Python runs as it stands, one block after the other, in a folder with a photo."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from hpe.cli import main
from hpe.pose.skeleton import COCO_JOINTS

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def here(tmp_path: Path, astronaut_jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: photos/astronaut.jpg, and the model as in a checkout."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "astronaut.jpg").write_bytes(astronaut_jpeg)
    (tmp_path / "models").mkdir()
    for file in (*(ROOT / "models").glob("*.json"), *(ROOT / "models").glob("*.onnx")):
        shutil.copy(file, tmp_path / "models")
    return tmp_path


def section(page: str, heading: str = "") -> str:
    text = (ROOT / "docs" / page).read_text()
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0] if heading else text


def run(text: str) -> dict[str, Any]:
    """Every block of Python in a text -> the names that they leave."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.S):
        exec(compile(block, "page", "exec"), names)
    return names


@pytest.mark.real
def test_python_page(here: Path) -> None:
    pytest.importorskip("pandas", reason="needs pandas: pip install -r requirements-dev.txt")
    names = run(section("python.md"))
    assert {"file", "joint", "state", "degrees"} <= set(names["table"].columns)
    assert len(names["table"]) == len(names["poses"][0].names) * len(names["poses"])
    assert len(names["known"]) == len(names["best"]) == 1
    assert {path.name for path in here.iterdir()} == {"photos", "models", "drawn.png", "person-1.jpg", "joints.csv"}


@pytest.mark.real
def test_networks_page(here: Path) -> None:
    names = run(section("onnx.md"))
    assert names["joints"].shape == (21, 2)
    # her hair is at the top of the picture, a little left of the middle
    x, y = names["joints"][9] / names["height"]
    assert (x, y) == pytest.approx((0.44, 0.06), abs=0.12)


@pytest.mark.real
@pytest.mark.parametrize(("heading", "package"), [("pandas", "pandas"), ("pycocotools", "pycocotools")])
def test_formats_page(here: Path, heading: str, package: str) -> None:
    pytest.importorskip(package, reason=f"needs {package}: pip install -r requirements-dev.txt")
    text = section("formats.md", heading)
    commands = re.findall(r"```sh\nhpe (.*?)\n```", text)
    assert commands
    for command in commands:
        if "val2017/" in command:  # stands in for COCO's: the one photo, and what was found in it as its annotations
            shutil.copytree(here / "photos", here / "val2017")
            annotations = (here / "people.json").read_text().replace("photos/", "")
            (here / "person_keypoints_val2017.json").write_text(annotations)
        result = CliRunner().invoke(main, command.split())
        assert result.exit_code == 0, result.output
    names = run(text)
    found = names.get("joints", names.get("dataset"))
    assert len(found) == 21 if heading == "pandas" else len(found.getAnnIds()) == 1
    if heading == "pycocotools":
        assert len(names["results"].getAnnIds()) == 1


def test_formats_page_names_every_format() -> None:
    from hpe.photo.formats import FORMATS

    assert set(FORMATS) <= set(re.findall(r"`([a-z0-9-]+)`", section("formats.md").partition("## ")[0]))


@pytest.mark.real
def test_gallery(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    gallery = importlib.import_module("make_gallery")
    gallery.photos(here / "photos")
    for block in gallery.blocks():
        exec(compile(block, "gallery.md", "exec"), {})
    said = capsys.readouterr().out
    assert re.search(r"fallen: the trunk leans by (8|9)\d degrees, give or take \d+", said)
    assert "2 squats" in said
    shown = re.findall(r'src="gallery/([\w.-]+)"', section("gallery.md"))
    assert shown
    assert all((here / name).is_file() and (ROOT / "docs" / "gallery" / name).is_file() for name in shown)
    heads, before = (np.asarray(Image.open(name).convert("RGB"), float) for name in ("heads.jpg", "photos/people.jpg"))
    assert np.abs(heads - before)[80:170, 245:335].mean() > 10, "the middle one's face is blurred"
    assert np.abs(heads - before)[330:].mean() < 5


def test_the_pages_python_is_typed(tmp_path: Path) -> None:
    for page in ("python.md", "gallery.md", "onnx.md", "formats.md"):
        # blocks go on from each other: on the page of Python to its end, on others to the end of their section
        parts = [section(page)] if page == "python.md" else section(page).split("\n## ")
        blocks = ["\n".join(re.findall(r"```python\n(.*?)```", part, re.S)) for part in parts]
        assert any(blocks)
        for number, text in enumerate(blocks):
            (tmp_path / f"{page.removesuffix('.md')}_{number}.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--ignore-missing-imports", "--cache-dir"]
    command += [str(tmp_path / "cache"), "--config-file", str(ROOT / "pyproject.toml")]
    files = sorted(path.name for path in tmp_path.glob("*.py"))
    env = {**os.environ, "MYPYPATH": str(ROOT)}
    run = subprocess.run([*command, *files], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout


def test_ultralytics_is_told_of_the_keypoints_that_the_labels_have() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", section("formats.md", "Ultralytics"), re.S)
    told = yaml.safe_load(text)
    swapped = {"left": "right", "right": "left"}
    mirrored = [re.sub(r"^(left|right)", lambda side: swapped[side[1]], name) for name in COCO_JOINTS]
    assert told["kpt_shape"] == [len(COCO_JOINTS), 3]
    assert told["flip_idx"] == [COCO_JOINTS.index(name) for name in mirrored]
