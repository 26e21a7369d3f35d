"""The SVG of `hpe predict`: a browser draws it, over the photo that it links to."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from commands.test_predict import Fake
from PIL import Image

from hpe.cli import main
from hpe.commands.predict import work
from hpe.pose.skeleton import COLOURS_RGB

SIZE = (320, 240)
PAPER = (200, 180, 160)


def test_a_browser_draws_the_svg_over_the_photo(tmp_path: Path, chrome: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work, "open_estimator", lambda _: Fake())
    (tmp_path / "album #1").mkdir()
    Image.new("RGB", SIZE, PAPER).save(tmp_path / "album #1" / "100% é.jpg")
    assert CliRunner().invoke(main, ["predict", "album #1", "-o", "drawn/", "--format", "svg"]).exit_code == 0
    chrome.open((tmp_path / "drawn" / "100% é.pose.svg").as_uri())
    seen = Image.open(io.BytesIO(chrome.chrome.get_screenshot_as_png())).convert("RGB")
    # the photo's own colour in a corner, white beside it, and a wrist where the estimator saw it
    assert np.abs(np.array(seen.getpixel((310, 5))) - PAPER).max() < 4
    assert seen.getpixel((SIZE[0] + 5, 5)) == (255, 255, 255)
    wrist = seen.getpixel((int(0.8 * SIZE[0]), int(0.9 * SIZE[1])))
    assert np.abs(np.array(wrist) - COLOURS_RGB["left"]).max() < 8
