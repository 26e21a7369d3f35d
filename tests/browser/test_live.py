"""Live: the fake camera shows an astronaut who moves; the networks run in the browser."""

from typing import Any

import pytest
from browser.host import READY_S, Host
from PIL import Image

# the networks answered a second time, so that the rate is known
_ANSWERED = "return Number(document.getElementById('live-fps').dataset.networks) > 0"


@pytest.fixture(scope="module")
def live(chrome: Any, host: Host) -> Any:
    """The live page, watching: for all tests here, since the networks take long to start."""
    chrome.cdp("Browser.setPermission", permission={"name": "camera"}, setting="granted", origin=host.url)
    chrome.open(host.url + "live.html")
    chrome.until(lambda: chrome.id("start").is_enabled(), 20)
    chrome.id("start").click()
    chrome.until(lambda: chrome.text("live-count"), READY_S)
    yield chrome
    assert chrome.violations() == []
    chrome.js("document.querySelector('video').srcObject?.getTracks().forEach((t) => t.stop())")
    chrome.cdp("Browser.resetPermissions")


def test_person_is_followed_counted_and_drawn(live: Any, host: Host) -> None:
    live.until(lambda: live.text("live-count") == "1 person", READY_S)
    asked = list(host.asked)
    drawn = """const c = document.getElementById("live-canvas");
      return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v > 0)"""
    live.until(lambda: live.js(drawn), 30)
    live.js("document.getElementById('angles').open = true")
    live.until(lambda: "\u00b0" in live.text("angles-list"), 30)
    assert live.text("angles-list").startswith("Person 1")
    live.until(lambda: live.js(_ANSWERED), READY_S)
    drawn = float(live.text("live-fps").removesuffix(" frames a second"))
    assert drawn >= 10, "flow draws every frame of the camera, whatever else the machine does"
    assert host.asked == asked, "frames are sent nowhere"
    live.js(
        "window.said = 0; new MutationObserver(() => (said += 1)).observe(document.getElementById('live'),"
        " { childList: true, characterData: true, subtree: true })"
    )
    live.js("return new Promise((done) => setTimeout(done, 1500))")
    assert live.js("return said") == 0, "a screen reader hears of changes only"
    assert live.log() == []


def test_pause_stops_and_a_snapshot_is_what_is_seen(live: Any) -> None:
    live.until(lambda: live.text("live-count") == "1 person", READY_S)
    live.id("pause").click()
    assert live.js("return document.getElementById('live-video').paused")
    frame = "return document.getElementById('live-canvas').toDataURL().length"
    live.js("return new Promise((done) => setTimeout(done, 500))")
    before = live.js(frame)
    live.js("return new Promise((done) => setTimeout(done, 700))")
    assert live.js(frame) == before
    live.id("snapshot").click()
    live.until(lambda: live.text("live-note").startswith("Saved as live-"))
    (saved,) = live.until(lambda: list((live.home / "downloads").glob("live-*.png")))
    live.downloaded(saved.name)
    assert Image.open(saved).size == (640, 480)


def test_live_without_private_mode_says_why(page: Any, stub: Any) -> None:
    page.open(f"{stub.url}/live.html")
    page.until(lambda: page.text("live-note").startswith("Not here"))
    assert not page.id("start").is_enabled()
    assert not page.id("live-tools").is_displayed(), "there is nothing to draw yet"
    stage, start = page.id("stage").rect, page.id("start").rect
    assert stage["y"] < start["y"] < stage["y"] + stage["height"], "the button is where the picture will be"
