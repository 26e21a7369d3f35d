"""The camera: Chromium's own fake one, which shows a moving test picture."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from browser.conftest import person, result
from browser.stub import Answer, Stub
from PIL import Image


def allow(page: Any, stub: Stub, setting: str) -> None:
    page.cdp("Browser.setPermission", permission={"name": "camera"}, setting=setting, origin=stub.url)


@pytest.fixture
def camera(site: Any, stub: Stub) -> Iterator[Any]:
    """The page, which may use the camera."""
    allow(site, stub, "granted")
    yield site
    site.cdp("Browser.resetPermissions")


def playing(page: Any) -> bool:
    return bool(page.js("const v = document.getElementById('camera-video'); return v.videoWidth > 0 && !v.paused"))


def off(page: Any) -> bool:
    """The dialog's close event, which turns the camera off, may come after the click has returned."""
    return bool(page.js("return document.getElementById('camera-video').srcObject === null"))


def test_photo_is_taken_after_three_seconds(camera: Any, stub: Stub) -> None:
    camera.id("camera").click()
    camera.until(lambda: playing(camera) and camera.id("camera-shoot").is_enabled())
    size = camera.js("const v = document.getElementById('camera-video'); return [v.videoWidth, v.videoHeight]")
    stub.reset(Answer(body=result(person(), size=tuple(size))))
    mirrored = "return getComputedStyle(document.getElementById('camera-video')).scale"
    assert camera.js(mirrored) == "-1 1", "a preview is a mirror"
    camera.id("camera-shoot").click()
    for left in ("3", "2", "1"):
        camera.until(lambda left=left: camera.text("camera-count") == left)
    camera.until(lambda: len(stub.posts) == 1)
    camera.until_view("done")
    sent = Image.open(io.BytesIO(stub.posts[0][1]))
    assert list(sent.size) == size
    assert not camera.id("camera-box").is_displayed()
    camera.until(lambda: off(camera))


def test_refused_camera_is_told_and_can_be_tried_again(site: Any, stub: Stub) -> None:
    allow(site, stub, "denied")
    try:
        site.id("camera").click()
        site.until(lambda: "may not use the camera" in site.text("camera-note"))
        assert not site.id("camera-shoot").is_enabled()
        allow(site, stub, "granted")
        site.id("camera-retry").click()
        site.until(lambda: playing(site))
        site.id("camera-close").click()
        site.until(lambda: off(site))
        assert stub.posts == []
    finally:
        site.cdp("Browser.resetPermissions")


@pytest.mark.parametrize(("fault", "said"), [("NotFoundError", "No camera"), ("NotReadableError", "in use by another")])
def test_camera_that_does_not_start_is_told(fault: str, said: str, site: Any) -> None:
    site.js(
        "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', arguments[0]))".replace(
            "arguments[0]", repr(fault)
        )
    )
    site.id("camera").click()
    site.until(lambda: said in site.text("camera-note"))
    assert site.id("camera-retry").is_displayed()


def test_closing_before_the_camera_starts_leaves_it_off(site: Any) -> None:
    site.js(
        """window.stopped = 0;
        navigator.mediaDevices.getUserMedia = () => new Promise((done) => setTimeout(() => done(
          { getTracks: () => [{ stop: () => { window.stopped += 1; } }] }), 400));"""
    )
    site.id("camera").click()
    site.until(lambda: site.id("camera-box").is_displayed())
    site.id("camera-close").click()
    site.until(lambda: site.js("return stopped") == 1)


def test_camera_that_starts_late_does_not_join_the_next_one(site: Any) -> None:
    """Closed and opened again while the browser still asks: the first stream is stopped, the second stays."""
    site.js(
        """window.calls = 0; window.stopped = [];
        navigator.mediaDevices.getUserMedia = () => {
          const call = (window.calls += 1);
          const stream = document.createElement('canvas').captureStream(5);
          for (const track of stream.getTracks()) {
            const stop = track.stop.bind(track);
            track.stop = () => { window.stopped.push(call); stop(); };
          }
          return new Promise((done) => setTimeout(() => done(stream), call === 1 ? 600 : 0));
        };"""
    )
    site.id("camera").click()
    site.until(lambda: site.js("return calls") == 1)
    site.id("camera-close").click()
    site.until(lambda: not site.id("camera-box").is_displayed())
    site.id("camera").click()
    site.until(lambda: site.js("return stopped.length") > 0)
    assert site.js("return stopped") == [1]
    site.id("camera-close").click()
    site.until(lambda: site.js("return stopped") == [1, 2])


def test_without_camera_access_the_phones_own_app_opens(site: Any) -> None:
    """A page on plain http has no mediaDevices."""
    site.js(
        """Object.defineProperty(navigator, "mediaDevices", { value: undefined });
        window.opened = 0;
        document.getElementById("shot").addEventListener("click", (e) => { opened += 1; e.preventDefault(); });"""
    )
    site.id("camera").click()
    assert site.js("return opened") == 1
    assert site.id("shot").get_attribute("capture") == "environment"
