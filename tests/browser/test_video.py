"""A clip on the page: found and followed here or through the API, played with skeletons over it, and saved."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser.conftest import moving_person
from browser.host import READY_S, Host
from browser.stub import Answer, Stub, problem

from hpe.pose.skeleton import KEYPOINTS
from hpe.video.result import TrackedFrame, TrackedPose
from hpe.video.rows import json_lines


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
    page.until(lambda: page.text("video-note").startswith("Clips of up to 10 minutes"))
    page.choose(clip)
    page.until(lambda: page.id("player").is_displayed(), 2 * READY_S)
    assert "found" in page.text("video-found")
    assert page.text("choose") == "New video"
    assert page.text("timeline").startswith("Person 1")
    asked = [path for path in host.asked if not path.endswith(".js")]
    page.set_range("seek", 0.4)
    page.until(lambda: drawn(page), 20)
    page.id("save-jsonl").click()
    lines = page.downloaded("walk-tracks.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert (first["frame"], first["time"], first["id"]) == (0, 0, 1)
    assert set(first["keypoints"]) == set(first["raw"]) == set(KEYPOINTS)
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
    assert "(3 kB)" in page.text("video-note")
    assert page.text("choose") == "Choose a video"
    assert not page.id("player").is_displayed()


TICKET = {
    **{"id": "a1", "fields": {"key": "clips/a1", "policy": "p"}, "expires_in_s": 600, "result": "/results/a1"},
    "clip": {"max_bytes": 500_000_000, "max_seconds": 1200, "fps": 30, "expected_s": 1.4},
}


def tracks() -> bytes:
    """A person who is in frames 3 to 8 of twelve, as the worker writes them."""
    points = np.array([[200 + 9 * (j % 4), 100 + 12 * j] for j in range(len(KEYPOINTS))], np.float32)
    frames = []
    for index in range(3, 9):
        moved = points + np.array([4 * index, 0], np.float32)
        box = np.concatenate([moved.min(axis=0), moved.max(axis=0)])
        pose = TrackedPose(moved, np.full(len(KEYPOINTS), 0.9), box, 0.95, 0.4, id=1, raw=moved + 1)
        frames.append(TrackedFrame(index, index / 15, [pose], np.zeros((1, 1, 3), np.uint8), True, False))
    return "".join(map(json_lines, frames)).encode()


@pytest.fixture
def cloud(page: Any, stub: Stub) -> Any:
    """The page at an API that takes clips, without private mode."""
    stub.reset(Answer(), config={"apiUrl": "", "uploads": True, "photoDays": 1})
    stub.other = {
        ("POST", "/uploads"): Answer(201, {**TICKET, "url": f"{stub.url}/bucket"}),
        ("POST", "/bucket"): Answer(204),
        ("GET", "/results/a1"): Answer(202, {}, {"Retry-After": "1"}),
        ("GET", "/done.jsonl"): Answer(body=tracks(), headers={"Content-Type": "application/jsonl"}),
    }
    page.open(f"{stub.url}/video.html")
    page.until(lambda: page.id("choose").is_enabled(), 20)
    return page


def drawn(page: Any) -> bool:
    """Whether there is anything on the canvas over the clip."""
    script = """const c = document.getElementById("clip-canvas");
      return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v > 0)"""
    return bool(page.js(script))


def test_clip_goes_to_the_api_and_its_tracks_come_back_over_it(cloud: Any, stub: Stub, clip: Path) -> None:
    assert cloud.id("in-cloud").is_selected()
    assert not cloud.id("on-device").is_enabled(), "this copy of the site has no private mode"
    cloud.until(lambda: "up to 500 MB, and 20 min at 30 frames a second" in cloud.text("video-note"))
    cloud.choose(clip)
    cloud.until(lambda: "Waiting for a worker" in cloud.text("video-note"))
    wish = json.loads(next(body for path, body in reversed(stub.seen) if path == "/uploads"))
    assert wish["size"] == clip.stat().st_size
    assert wish["content_type"] == "video/webm"
    assert wish["seconds"] == pytest.approx(0.8, abs=0.1)
    form = next(body for path, body in stub.seen if path == "/bucket")
    assert form.index(b'name="policy"') < form.index(b'name="file"')
    assert clip.read_bytes() in form
    pending = {"id": "a1", "state": "pending", "progress": {"frame": 6, "frames": 12, "people": 1}}
    stub.other["GET", "/results/a1"] = Answer(202, pending, {"Retry-After": "1"})
    cloud.until(lambda: cloud.text("video-note") == "Followed 6 of 12 frames: 1 person so far.")
    assert cloud.js("return document.getElementById('video-progress').position") == 0.5
    stub.other["GET", "/results/a1"] = Answer(body={"id": "a1", "jsonl": f"{stub.url}/done.jsonl"})
    cloud.until(lambda: cloud.id("player").is_displayed())
    assert cloud.text("video-found") == "1 person found"
    assert cloud.text("timeline") == "Person 1 0.2 to 0.5 s"
    cloud.set_range("seek", 0.4)
    cloud.until(lambda: drawn(cloud))
    cloud.set_range("seek", 0.72)
    cloud.until(lambda: not drawn(cloud), 20)
    cloud.id("save-jsonl").click()
    saved = cloud.downloaded("walk-tracks.jsonl").read_text().splitlines()
    theirs = [json.loads(line) for line in tracks().decode().splitlines()]
    assert [{**json.loads(line), "angles": {}} for line in saved] == [{**row, "angles": {}} for row in theirs]
    # the test alone reads the canvas, and whether there is private mode here was asked
    assert [line for line in cloud.log() if "willReadFrequently" not in line and "files.json" not in line] == []


def posted(stub: Stub) -> int:
    """How many clips went to the bucket."""
    return len([path for path, _ in stub.seen if path == "/bucket"])


def test_clip_that_is_worked_on_is_found_again_after_a_reload(cloud: Any, stub: Stub, clip: Path) -> None:
    cloud.choose(clip)
    cloud.until(lambda: "Waiting for a worker" in cloud.text("video-note"))
    cloud.open(f"{stub.url}/video.html")
    cloud.until(lambda: cloud.text("video-note") == "\u201cwalk.webm\u201d: Waiting for a worker\u2026")
    stub.other["GET", "/results/a1"] = Answer(body={"id": "a1", "jsonl": f"{stub.url}/done.jsonl"})
    cloud.until(lambda: cloud.id("player").is_displayed())
    assert cloud.text("video-found") == "1 person found"
    assert "Choose \u201cwalk.webm\u201d again to watch it" in cloud.text("video-note")
    assert not cloud.id("play").is_displayed()
    cloud.choose(clip)
    cloud.until(lambda: cloud.id("play").is_displayed())
    assert posted(stub) == 1, "what is there already is not sent again"
    cloud.js(
        "window.MediaRecorder = class { static isTypeSupported() { return true; } state = 'recording'; start() {} "
        "stop() { this.onstop(); } }"
    )
    cloud.id("save-clip").click()
    cloud.until(lambda: "too slow to record" in cloud.text("video-note"), 40)
    stub.other["GET", "/results/a1"] = problem(404, "there is no such result")
    stub.other["GET", "/results/a2"] = Answer(202, {}, {"Retry-After": "1"})
    stub.other["POST", "/uploads"] = Answer(201, {**TICKET, "url": f"{stub.url}/bucket", "result": "/results/a2"})
    cloud.choose(clip)
    cloud.until(lambda: "Waiting for a worker" in cloud.text("video-note"))
    assert posted(stub) == 2
    cloud.id("cancel").click()
    cloud.open(f"{stub.url}/video.html")
    cloud.until(lambda: "up to 500 MB" in cloud.text("video-note"))
    assert not cloud.id("cancel").is_displayed(), "what was stopped is not waited for any more"


def test_clip_that_does_not_fit_is_not_sent(cloud: Any, stub: Stub, clip: Path) -> None:
    words = "4000 s at 30 frames a second; the limit is 1200 s at that rate: cut it into shorter clips"
    stub.other["POST", "/uploads"] = problem(413, words)
    cloud.choose(clip)
    cloud.until(lambda: cloud.text("video-note") == words + ".")
    assert [path for path, _ in stub.seen if path == "/bucket"] == []
    assert cloud.id("in-cloud").is_enabled()


def test_clip_that_the_browser_cannot_play_still_gets_its_tracks(cloud: Any, stub: Stub, tmp_path: Path) -> None:
    (tmp_path / "phone.mov").write_bytes(b"\x00\x00\x00\x18ftypqt  " + bytes(3000))
    stub.other["GET", "/results/a1"] = Answer(body={"id": "a1", "jsonl": f"{stub.url}/done.jsonl"})
    cloud.choose(tmp_path / "phone.mov")
    cloud.until(lambda: cloud.id("save-csv").is_displayed())
    assert "can\u2019t play the clip" in cloud.text("video-note")
    assert not cloud.id("play").is_displayed()
    wish = json.loads(next(body for path, body in reversed(stub.seen) if path == "/uploads"))
    assert "seconds" not in wish
