"""The pages' Python runs as it stands, one block after the other, in a folder with a photo."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hpe.cli import main

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
    assert list(names["table"].columns) == ["file", "person", "name", "x", "y", "score", "confident"]
    assert len(names["table"]) == 16 * len(names["poses"])
    assert len(names["known"]) == len(names["best"]) == 1
    assert {path.name for path in here.iterdir()} == {"photos", "models", "drawn.png", "person-1.jpg"}


@pytest.mark.real
def test_networks_page(here: Path) -> None:
    names = run(section("onnx.md"))
    assert names["joints"].shape == (16, 2)
    # her hair is at the top of the picture, a little left of the middle
    x, y = names["joints"][9] / names["height"]
    assert (x, y) == pytest.approx((0.44, 0.06), abs=0.12)


@pytest.mark.real
@pytest.mark.parametrize(("heading", "package"), [("pandas", "pandas"), ("pycocotools", "pycocotools")])
def test_formats_page(here: Path, heading: str, package: str) -> None:
    pytest.importorskip(package, reason=f"needs {package}: pip install -r requirements-dev.txt")
    text = section("formats.md", heading)
    command = re.search(r"```sh\nhpe (.*?)\n```", text)
    assert command
    assert CliRunner().invoke(main, command[1].split()).exit_code == 0
    names = run(text)
    found = names.get("joints", names.get("dataset"))
    assert len(found) == 16 if heading == "pandas" else len(found.getAnnIds()) == 1


def test_formats_page_names_every_format() -> None:
    from hpe.photo.formats import FORMATS

    assert set(FORMATS) <= set(re.findall(r"`([a-z0-9-]+)`", section("formats.md").partition("## ")[0]))
