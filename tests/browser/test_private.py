"""Private mode on a plain file host: no API anywhere, and the photo never leaves the browser."""

import json
from pathlib import Path
from typing import Any

import pytest
from browser.host import READY_S, Host
from PIL import Image


@pytest.fixture
def private(page: Any, host: Host) -> Any:
    """The page, open on the plain host."""
    page.open(host.url)
    page.until(lambda: page.id("private").is_selected(), 20)
    return page


def people_found(page: Any, photo: Path, seconds: float = 30) -> None:
    """Give a photo and wait for its people."""
    page.choose(photo)
    page.until(lambda: page.view in ("done", "problem") and "on this device" in page.text("facts"), seconds)


def test_people_are_found_without_any_api_and_nothing_is_asked_meanwhile(private: Any, host: Host, photo: Path) -> None:
    people_found(private, photo, READY_S)
    assert private.text("summary").startswith("1 person")
    files = json.loads((host.folder / "private" / "files.json").read_text())["files"]
    assert {path.split("?")[0] for path in host.asked} >= {f"/{file['url']}" for file in files}
    private.js("return navigator.serviceWorker.ready.then(() => true)")
    before = list(host.asked)
    people_found(private, photo)
    assert host.asked == before, "while a photo is processed, nothing is asked for at all"
    private.id("fix").click()
    private.until_view("crop")
    private.id("crop-ask").click()
    private.until(lambda: "in the box you drew" in private.text("facts"))
    assert "on this device" in private.text("facts")
    assert host.asked == before, "nor for a box"
    assert "never leave this device" in private.text("privacy")
    assert not private.id("curl-box").is_displayed(), "there is no API to call"
    private.id("export").click()
    assert not private.id("copy-curl").is_displayed()
    assert private.log() == []


def test_page_works_offline_once_it_was_used(private: Any, host: Host, photo: Path) -> None:
    people_found(private, photo, READY_S)
    private.js("return navigator.serviceWorker.ready.then(() => true)")
    private.until(lambda: private.js("return caches.match('app.js').then(Boolean)"), 20)
    host.down = True
    try:
        private.open(host.url)
        private.until(lambda: private.id("private").is_selected(), 20)
        people_found(private, photo, READY_S)
        assert private.text("summary").startswith("1 person")
    finally:
        host.down = False


def test_api_page_without_an_api_offers_nothing_that_fails(page: Any, host: Host) -> None:
    page.open(host.url + "docs.html")
    page.until(lambda: not page.id("reference").get_attribute("aria-busy"))
    assert not page.id("try").is_displayed()
    assert page.text("try-note").startswith("This copy of the site has no API")
    page.until(lambda: '"keypoints"' in page.text("try-answer"))


def test_damaged_file_is_refused_by_its_sha256_and_said_so(page: Any, host: Host, photo: Path) -> None:
    listed = host.folder / "private" / "files.json"
    whole = listed.read_text()
    pose = json.loads(whole)["files"][3]["sha256"]
    listed.write_text(whole.replace(pose, "0" * 64))
    try:
        page.open(host.url)
        page.until(lambda: page.id("private").is_selected(), 20)
        page.choose(photo)
        page.until_view("problem", READY_S)
        assert page.text("problem-title") == "Private mode could not start"
        assert "is damaged" in page.text("problem-text")
        assert page.id("again").is_displayed()
    finally:
        listed.write_text(whole)
    page.id("again").click()


def test_format_that_the_browser_cannot_read_is_told(private: Any, photo: Path, tmp_path: Path) -> None:
    Image.open(photo).save(tmp_path / "scan.tif")
    private.choose(tmp_path / "scan.tif")
    private.until_view("problem", READY_S)
    assert private.text("problem-title") == "This browser can\u2019t open that photo"
    assert "scan.tif" in private.text("problem-text")


def test_app_can_be_installed(private: Any) -> None:
    manifest = private.cdp("Page.getAppManifest")
    assert manifest["errors"] == []
    assert json.loads(manifest["data"])["display"] == "standalone"
    assert private.cdp("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorArguments": [], "errorId": "in-incognito"}],
    )


def test_host_without_the_files_says_why_there_is_no_switch(page: Any, host: Host) -> None:
    listed = host.folder / "private" / "files.json"
    whole = listed.read_text()
    listed.write_text(json.dumps({"missing": "this server came without onnxruntime-web", "site": []}))
    try:
        page.open(host.url)
        page.until_view("setup")
        assert not page.id("private").is_enabled()
        assert "came without onnxruntime-web" in page.text("private-note")
        assert "came without onnxruntime-web" in page.text("problem-hint")
    finally:
        listed.write_text(whole)
