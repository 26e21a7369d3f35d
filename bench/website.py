"""The website's first view: when its picture with the skeleton is painted, and what was sent for it."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.report import Effort, table
from bench.serving import serving

# name -> width, height, Mbit/s and round trip in ms (None: as they come), times slower processor
SCREENS: Final = {
    "desktop": (1280, 800, None, 1),
    "phone, 4G": (390, 844, (9.0, 60), 1),
    "phone, slow 4G, processor 4 times slower": (390, 844, (1.6, 150), 4),
    "phone, 400 kbit/s, 1 s": (390, 844, (0.4, 1000), 1),
}
WATCH: Final = """window.lcp = 0;
new PerformanceObserver((list) => list.getEntries().forEach((e) => { lcp = e.startTime; }))
  .observe({ type: "largest-contentful-paint", buffered: true });"""
SKELETON: Final = "return document.querySelector('#overlay circle.dot') ? performance.now() : 0"
SENT: Final = """return [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((e) => !e.name.endsWith("/health")).map((e) => e.decodedBodySize)"""


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = [
        "## The website's first view",
        "From the local server, nothing cached, medians. Painted: the largest paint, which is the sample photo. "
        "Skeleton: its stored answer is drawn, up to 50 ms before the number says. Bytes before compression.",
    ]
    binary, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not binary or not driver:
        return "\n\n".join([*text, "Not measured: this machine has no Chromium with its driver."])
    rows = []
    with tempfile.TemporaryDirectory() as home, serving() as served:
        chrome = start_chromium(binary, driver, home)
        chrome.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        try:
            for name, (width, height, line, slower) in SCREENS.items():
                _screen(chrome, width, height, line, slower)
                got = [_open(chrome, f"http://127.0.0.1:{served.port}/") for _ in range(max(3, effort.rounds // 4))]
                painted, skeleton, sent, files = (float(v) for v in np.median(np.array(got), axis=0))
                rows.append([name, round(painted), round(skeleton), round(sent / 1000), int(files)])
        finally:
            chrome.quit()
    return "\n\n".join([*text, table(["", "painted, ms", "skeleton, ms", "kB", "files"], rows)])


def start_chromium(binary: str, driver: str, home: str, *flags: str) -> Any:
    """A headless Chromium with a profile of its own in `home`, and a camera that is none."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    usual = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
    for flag in (*usual, "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", *flags):
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={Path(home, 'profile')}")
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    chrome.execute_cdp_cmd("Network.enable", {})
    return chrome


def _screen(chrome: Any, width: int, height: int, line: tuple[float, int] | None, slower: int) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": line is not None}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    chrome.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": slower})
    rate, delay = (-1.0, 0) if line is None else (line[0] * 125_000, line[1])
    speed = {"offline": False, "latency": delay, "downloadThroughput": rate, "uploadThroughput": rate}
    chrome.execute_cdp_cmd("Network.emulateNetworkConditions", speed)


def _open(chrome: Any, url: str) -> tuple[float, float, float, float]:
    """-> ms to the largest paint, ms to the skeleton, bytes, files."""
    chrome.get("about:blank")
    chrome.get(url)
    end = time.monotonic() + 60
    while not (skeleton := float(chrome.execute_script(SKELETON))):
        if time.monotonic() > end:
            raise TimeoutError(f"{url} shows no skeleton after a minute")
        time.sleep(0.05)
    time.sleep(0.5)  # the list of paints comes late
    sizes = chrome.execute_script(SENT)
    return float(chrome.execute_script("return lcp")), skeleton, float(sum(sizes)), float(len(sizes))
