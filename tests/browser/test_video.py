"""A clip on the page: found, followed, played with skeletons over it, and saved; nothing is sent."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser.conftest import moving_person
from browser.host import READY_S, Host


@pytest.fixture(scope="session")
def clip(astronaut_jpeg: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WebM of 0.8 s in which an astronaut moves."""
    file = tmp_path_factory.mktemp("clips") / "walk.webm"
    out = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"VP80"), 15, (640, 480))
    for jpeg in list(moving_person(astronaut_jpeg))[:12]:
        out.write(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))
    out.release()
    return file


def test_clip_is_processed_watched_and_saved_here(page: Any, host: Host, clip: Path) -> None:
    page.open(host.url + "video.html")
    page.until(lambda: page.id("choose").is_enabled(), 20)
    page.choose(clip)
    page.until(lambda: page.id("player").is_displayed(), 2 * READY_S)
    assert "found" in page.text("video-found")
    assert page.text("timeline").startswith("Person 1")
    asked = [path for path in host.asked if not path.endswith(".js")]
    drawn = """const c = document.getElementById("clip-canvas");
      return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v > 0)"""
    page.set_range("seek", 0.4)
    page.until(lambda: page.js(drawn), 20)
    page.id("save-jsonl").click()
    lines = page.downloaded("walk-tracks.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert (first["time"], first["id"]) == (0, 1)
    assert len(lines) >= 10
    page.id("save-clip").click()
    page.until(lambda: "without sound" in page.text("video-note"), 60)
    assert page.downloaded("walk-pose.webm").stat().st_size > 5_000
    assert [path for path in host.asked if not path.endswith(".js")] == asked, "nothing is sent"
    assert page.log() == []


def test_file_that_is_no_clip_is_told(page: Any, host: Host, tmp_path: Path) -> None:
    (tmp_path / "torn.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(3000))
    page.open(host.url + "video.html")
    page.until(lambda: page.id("choose").is_enabled(), 20)
    page.choose(tmp_path / "torn.mp4")
    page.until(lambda: "Save it as MP4" in page.text("video-note"), 20)
    assert not page.id("player").is_displayed()
