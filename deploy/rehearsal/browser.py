"""The deployed site in Chromium, at its real addresses: a photo in, a skeleton out, no complaint in the console."""

import json
import shutil
import tempfile
import time
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


def drive(stack: Stack, photo: Path, people: list[dict[str, Any]]) -> Path:
    """Give the page a photo and read its result: as many people, joints near the engine's. Gives a screenshot."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By

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
            browser.get(f"{stack.site}/")
            browser.find_element(By.ID, "file").send_keys(str(photo))
            end = time.monotonic() + 240
            view = ""
            while time.monotonic() < end and view not in ("done", "problem"):
                view = browser.find_element(By.ID, "main").get_attribute("data-view") or ""
                time.sleep(0.3)
            shot = WORK / "site.png"
            browser.save_screenshot(str(shot))
            said = browser.find_element(By.ID, "summary").text + browser.find_element(By.ID, "problem").text
            log = [line["message"] for line in browser.get_log("browser") if line["level"] in SEVERE]
            # ministack answers /health itself, for every host, and knows nothing of CORS there
            complaints = [line for line in log if f"{stack.api}/health" not in line]
            rows = browser.find_elements(By.CSS_SELECTOR, "#joints tr")
    expect(view == "done", f"the page shows {view!r}: {said} {complaints}")
    expect(not complaints, f"the console has {json.dumps(complaints)[:800]}")
    expect(bool(people) == bool(rows), f"the page lists {len(rows)} joints, the engine found {len(people)} people")
    if not shot.is_file():
        raise RehearsalError("no screenshot")
    return shot
