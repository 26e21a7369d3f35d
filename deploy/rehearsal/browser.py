"""The deployed site in Chromium, at its real addresses: a photo in, a skeleton out, no complaint in the console.

Through the API, and in private mode; and a clip through the cloud."""

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deploy.rehearsal.stack import Stack
from deploy.rehearsal.tools import WORK, RehearsalError, expect

SEVERE = ("SEVERE", "ERROR")


def chromium() -> tuple[str, str] | None:
    """(browser, driver), or None where this machine lacks one of them."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (binary, driver) if binary and driver else None


@contextlib.contextmanager
def _browser(stack: Stack, page: str, *, bypass_csp: bool = False) -> Iterator[Any]:
    """Chromium with a page of the site open; at the end its console has no complaint."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    found = chromium()
    expect(found is not None, "no Chromium with its driver: apt-get install chromium chromium-driver")
    binary, driver = found  # type: ignore[misc]
    with tempfile.TemporaryDirectory(prefix="hpe-chromium-") as home:
        options = webdriver.ChromeOptions()
        options.binary_location = binary
        # DNS of the real names -> the emulator, whose certificate nobody signed.
        for flag in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--ignore-certificate-errors", f"--user-data-dir={home}", "--window-size=1280,900",
            f"--host-resolver-rules=MAP *.cloudfront.net 127.0.0.1:{stack.cloud.port}, "
            f"MAP *.amazonaws.com 127.0.0.1:{stack.cloud.port}",
        ):  # fmt: skip
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        with webdriver.Chrome(options=options, service=Service(driver)) as browser:
            browser.set_page_load_timeout(240)
            # functions sign addresses of the bucket at the endpoint that they are given, the emulator's own, which the
            # page's policy does not name
            browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": bypass_csp})
            browser.get(f"{stack.site}/{page}")
            yield browser
            log = [line["message"] for line in browser.get_log("browser") if line["level"] in SEVERE]
    # ministack answers /health itself, for every host, and knows nothing of CORS there
    complaints = [line for line in log if f"{stack.api}/health" not in line]
    expect(not complaints, f"the console has {json.dumps(complaints)[:800]}")


def drive(stack: Stack, photo: Path, people: list[dict[str, Any]]) -> Path:
    """Give the page a photo and read its result, answered by the API and here: as many people. Gives a screenshot."""
    shot = WORK / "site.png"
    with _browser(stack, "") as browser:
        for here in (False, True):
            _switch(browser, private=here)
            _answered(browser, photo, len(people), here=here)
        browser.save_screenshot(str(shot))
    if not shot.is_file():
        raise RehearsalError("no screenshot")
    return shot


def drive_clip(stack: Stack, clip: Path) -> Path:
    """Give the video page a clip for the cloud, until its tracks are drawn over it. Gives a screenshot."""
    shot = WORK / "video.png"
    with _browser(stack, "video.html", bypass_csp=True) as browser:

        def text(name: str) -> str:
            return str(browser.execute_script("return document.getElementById(arguments[0]).textContent", name))

        _until(lambda: browser.find_element("id", "choose").is_enabled(), "the video page takes no clip", browser)
        browser.execute_script("document.getElementById('in-cloud').click()")
        _until(lambda: "are sent to" in text("video-note"), "the video page does not say what fits", browser)
        browser.find_element("id", "file").send_keys(str(clip))
        ended = lambda: not browser.find_element("id", "cancel").is_displayed()  # noqa: E731
        _until(lambda: "Waiting" in text("video-note") or "Followed" in text("video-note"), "not sent", browser)
        _until(ended, "no tracks come back", browser)
        expect(text("video-note").startswith("Done, in your cloud"), f"the video page says {text('video-note')!r}")
        expect(text("video-found") == "1 person found", f"the video page found {text('video-found')!r}")
        drawn = (
            "const c = document.getElementById('clip-canvas');"
            "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0)"
        )
        _until(lambda: browser.execute_script(drawn), "nobody is drawn over the clip", browser)
        browser.save_screenshot(str(shot))
    return shot


def _switch(browser: Any, *, private: bool) -> None:
    """Private mode on or off, as a visitor has it: off by default, but on where no API answers."""
    switch = browser.find_element("id", "private")
    _until(lambda: switch.is_enabled(), "private mode is not there", browser)
    # what the page decides on its own, it decides once /health is answered, or is not
    browser.execute_async_script("setTimeout(arguments[0], 3000)")
    if switch.is_selected() != private:
        switch.click()


def _answered(browser: Any, photo: Path, people: int, *, here: bool) -> None:
    """The photo's answer on the page, from where it should be."""
    where = "on this device"
    browser.find_element("id", "file").send_keys(str(photo))

    def view() -> str:
        return str(browser.find_element("id", "main").get_attribute("data-view"))

    def text(name: str) -> str:
        return str(browser.execute_script("return document.getElementById(arguments[0]).textContent", name))

    def done() -> bool:
        own = browser.find_elements("css selector", "#own li")
        return view() == "problem" or (view() == "done" and bool(own) and (where in text("facts")) == here)

    _until(done, f"no answer {where if here else 'of the API'}", browser)
    expect(view() == "done", f"the page shows {view()!r}: {text('problem')}")
    said = text("summary")
    expect(said.startswith(f"{people} "), f"the page says {said!r}, the engine found {people} people")
    rows = browser.find_elements("css selector", "#joints tr")
    expect(bool(people) == bool(rows), f"the page lists {len(rows)} joints, the engine found {people} people")


def _until(what: Callable[[], bool], otherwise: str, browser: Any) -> None:
    end = time.monotonic() + 240
    while not what():
        log = [line["message"] for line in browser.get_log("browser")] if time.monotonic() > end else None
        expect(log is None, f"{otherwise}: {json.dumps(log)[:800]}")
        time.sleep(0.3)
