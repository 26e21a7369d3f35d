"""While it runs: what is said, cancelling, and a photo that takes another's place."""

from pathlib import Path
from typing import Any

from browser.conftest import person, result
from browser.stub import Answer, Stub
from PIL import Image

FOUND = Answer(body=result(person()))


def slow(seconds: float) -> Answer:
    return Answer(body=result(person()), delay_s=seconds)


def test_cold_start_is_explained(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(slow(3.8))
    site.choose(photo)
    site.until(lambda: site.text("wait") == "Looking for people…")
    assert site.id("cancel").is_displayed()
    site.until(lambda: site.text("wait").startswith("Waking the service up"))
    assert site.text("live").startswith("Waking the service up")
    site.until_view("done")


def test_upload_shows_how_much_has_gone(site: Any, stub: Stub, phone_photo: Path) -> None:
    site.cdp("Network.enable")
    slow_up = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 300_000}
    site.cdp("Network.emulateNetworkConditions", **slow_up)
    try:
        site.choose(phone_photo)
        site.until(lambda: site.text("wait").startswith("Sending "))
        site.until(lambda: 0 < site.js("return document.getElementById('progress').position") < 1)
    finally:
        site.cdp("Network.emulateNetworkConditions", **{**slow_up, "uploadThroughput": -1})
    site.until_view("done")


def test_cancel_ends_the_wait_and_nothing_comes_after(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(slow(1.0))
    site.choose(photo)
    site.until_view("busy")
    site.id("cancel").click()
    assert site.view == "idle"
    assert site.js("return document.activeElement.id") == "choose"
    site.js("return new Promise((done) => setTimeout(done, 1300))")
    assert site.view == "idle"
    assert site.text("live") == "Cancelled"


def test_second_photo_replaces_the_first(site: Any, stub: Stub, photo: Path, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "green").save(tmp_path / "second.png")
    stub.reset(slow(1.5), Answer(body=result(person(), person(200, 0.4), size=(300, 200))))
    site.choose(photo)
    site.until(lambda: len(stub.seen) == 1)
    site.choose(tmp_path / "second.png")
    site.until_view("done")
    assert site.text("summary").startswith("2 people")
    site.js("return new Promise((done) => setTimeout(done, 1700))")
    assert site.text("summary").startswith("2 people"), "the first photo's late answer must not come through"
    assert site.js("return document.getElementById('photo').naturalWidth") == 300


def test_focus_goes_along_with_the_views(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(slow(0.6))
    site.js("document.getElementById('choose').focus()")
    site.choose(photo)
    site.until_view("busy")
    assert site.js("return document.activeElement.id") == "cancel"
    site.until_view("done")
    assert site.js("return document.activeElement.id") == "summary"


def test_opening_the_page_wakes_the_service(site: Any, stub: Stub) -> None:
    stub.reset(FOUND)
    site.open(stub.url)
    site.until(lambda: ("/health", b"") in stub.seen)
