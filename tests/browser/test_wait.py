"""While it runs: what is said, cancelling, and photos that wait for another."""

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
    site.until(lambda: site.text("wait").startswith("The service is starting"))
    assert site.text("live").startswith("The service is starting")
    site.until_view("done")


def test_upload_shows_how_much_has_gone(site: Any, stub: Stub, phone_photo: Path) -> None:
    stub.reset(Answer(body=result(person(), size=(3024, 4032))))
    site.cdp("Network.enable")
    slow_up = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 1_500_000}
    site.cdp("Network.emulateNetworkConditions", **slow_up)
    try:
        site.choose(phone_photo)
        site.until(lambda: site.text("wait").startswith("Sending "))
        site.until(lambda: 0 < site.js("return document.getElementById('progress').position") < 1)
    finally:
        site.cdp("Network.emulateNetworkConditions", **{**slow_up, "uploadThroughput": -1})
    site.until_view("done")


def test_cancel_ends_the_wait_and_the_sample_is_back(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(slow(5))
    site.choose(photo)
    site.until_view("busy")
    site.id("cancel").click()
    site.until_view("done")
    assert "samples/people" in site.id("photo").get_attribute("src")
    assert site.js("return document.activeElement.id") == "summary"
    before = site.text("summary")
    site.js("return new Promise((done) => setTimeout(done, 5300))")
    assert site.text("summary") == before
    assert site.all("#own li") == []


def test_photo_given_while_another_is_processed_waits_its_turn(
    site: Any, stub: Stub, photo: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (300, 200), "green").save(tmp_path / "second.png")
    stub.reset(slow(4), Answer(body=result(person(), person(200, 0.4), size=(300, 200))))
    site.choose(photo)
    site.until(lambda: len(stub.posts) == 1)
    site.choose(tmp_path / "second.png")
    assert site.text("wait") == "Waiting for one photo before this one…"
    site.until_view("done")
    assert site.text("summary").startswith("2 people")
    site.until(lambda: site.js("return document.getElementById('photo').naturalWidth") == 300)
    site.all("#own button:not(.away)")[0].click()
    assert site.text("summary").startswith("1 person"), "the first is kept"


def test_waiting_photo_can_be_cancelled_alone(site: Any, stub: Stub, photo: Path, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "green").save(tmp_path / "second.png")
    stub.reset(slow(5), FOUND)
    site.choose(photo, tmp_path / "second.png")
    site.all("#own button:not(.away)")[1].click()
    site.id("cancel").click()
    site.until_view("done")
    assert len(stub.posts) == 1
    assert [b.get_attribute("title")[:13] for b in site.all("#own button:not(.away)")] == ["astronaut.jpg"]


def test_focus_goes_along_with_the_views(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(slow(0.6))
    site.unfold()
    site.js("document.getElementById('threshold').focus()")
    site.choose(photo)
    site.until_view("busy")
    assert site.js("return document.activeElement.id") == "cancel"
    site.until_view("done")
    assert site.js("return document.activeElement.id") == "summary"


def test_opening_the_page_wakes_the_service(site: Any, stub: Stub) -> None:
    stub.reset(FOUND)
    site.open(stub.url)
    site.until(lambda: ("/health", b"") in stub.seen)
