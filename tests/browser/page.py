"""Chromium with the site open, in the words of the tests."""

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --force-prefers-no-reduced-motion "
    "--use-fake-device-for-media-stream"
)
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));
window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((e) => { if (!e.hadRecentInput) shift += e.value; }))
  .observe({ type: "layout-shift", buffered: true });
"""


def start_chromium(binary: str, driver: str, home: Path) -> webdriver.Chrome:
    """A headless Chromium with a profile of its own in `home`; downloads go to home/downloads."""
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={home / 'profile'}")
    if (home / "camera.mjpeg").exists():
        options.add_argument(f"--use-file-for-fake-video-capture={home / 'camera.mjpeg'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    chrome.set_page_load_timeout(60)
    chrome.set_script_timeout(60)
    chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    (home / "downloads").mkdir()
    where = {"behavior": "allow", "downloadPath": str(home / "downloads")}
    chrome.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    return chrome


class Page:
    """The site in one tab. home: where downloads land."""

    def __init__(self, chrome: webdriver.Chrome, home: Path) -> None:
        self.chrome, self.home = chrome, home

    def open(self, url: str, *, width: int = 1280, height: int = 900, phone: bool = False, dark: bool = False) -> None:
        """Load url afresh on a screen of this size."""
        self.screen(width, height, phone=phone, dark=dark)
        self.chrome.get(url)
        self.chrome.get_log("browser")  # what the page before said is not this one's

    def screen(self, width: int, height: int, *, phone: bool = False, dark: bool = False, calm: bool = False) -> None:
        """Size in CSS px, touch, colour scheme, and whether motion is unwanted."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if calm else "no-preference",
        }
        self.cdp("Emulation.setDeviceMetricsOverride", **metrics)
        self.cdp("Emulation.setTouchEmulationEnabled", enabled=phone)
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": k, "value": v} for k, v in features.items()])

    def cdp(self, command: str, **arguments: Any) -> Any:
        """One command of the DevTools protocol."""
        return self.chrome.execute_cdp_cmd(command, arguments)

    def js(self, script: str, *arguments: Any) -> Any:
        """Run a function body in the page."""
        return self.chrome.execute_script(script, *arguments)

    def forget(self) -> None:
        """What this tab keeps is the next test's no more."""
        self.js("try { sessionStorage.clear(); localStorage.clear(); } catch { /* a page without storage */ }")

    def unfold(self) -> None:
        """Show the table of joints and the threshold."""
        self.js("document.getElementById('details').open = true")

    def save_as(self, name: str) -> None:
        """Open the export menu and press one of its buttons."""
        self.id("export").click()
        self.id(f"get-{name}").click()

    def id(self, name: str) -> WebElement:
        """The element with this id."""
        return self.chrome.find_element(By.ID, name)

    def all(self, css: str) -> list[WebElement]:
        """All elements that match."""
        return self.chrome.find_elements(By.CSS_SELECTOR, css)

    def text(self, name: str) -> str:
        """What the element holds, seen or not."""
        return str(self.js("return document.getElementById(arguments[0]).textContent", name))

    def choose(self, *files: Path) -> None:
        """As the file chooser gives them."""
        self.id("file").send_keys("\n".join(str(file) for file in files))

    def set_range(self, name: str, value: float) -> None:
        """Move a slider."""
        script = "const r = document.getElementById(arguments[0]); r.value = arguments[1];"
        self.js(script + "r.dispatchEvent(new Event('input', { bubbles: true }))", name, value)

    @property
    def view(self) -> str:
        """busy, done, nobody, crop, problem or setup."""
        return str(self.js("return document.getElementById('main').dataset.view"))

    def until(self, what: Callable[[], Any], seconds: float = 15) -> Any:
        """Wait until `what` gives something true, and return that."""
        end = time.monotonic() + seconds
        while not (got := what()):
            if time.monotonic() > end:
                raise AssertionError(f"not true after {seconds} s; the view is {self.view}, the log {self.log()}")
            time.sleep(0.03)
        return got

    def until_view(self, view: str, seconds: float = 15) -> None:
        """Wait for a view."""
        self.until(lambda: self.view == view, seconds)

    def log(self) -> list[str]:
        """The console's warnings and errors since the last look."""
        return [line["message"] for line in self.chrome.get_log("browser") if line["level"] in ("SEVERE", "WARNING")]

    def violations(self) -> list[str]:
        """What the Content-Security-Policy refused."""
        return list(self.js("return window.violations"))

    def downloaded(self, name: str) -> Path:
        """The file of this name, once it is whole."""
        file = self.home / "downloads" / name
        self.until(lambda: file.is_file() and file.stat().st_size and not file.with_suffix(".crdownload").exists())
        return file

    def shot(self, file: Path, *, whole: bool = False) -> None:
        """A screenshot as PNG; whole: the page beyond the window too."""
        file.parent.mkdir(exist_ok=True)
        got = self.cdp("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(got["data"]))
