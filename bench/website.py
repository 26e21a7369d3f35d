"""The website's first view: when its picture with the skeleton is painted, and what was sent for it."""

import gzip
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.report import Effort, table
from bench.serving import ROOT, serving

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
READY: Final = "return document.getElementById('boot') ? 0 : performance.now()"
SKELETON: Final = "return document.querySelector('#overlay circle.dot') ? performance.now() : 0"
SENT: Final = """return [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((e) => !e.name.endsWith("/health")).map((e) => [e.decodedBodySize, e.encodedBodySize])"""
TEXT: Final = (".html", ".css", ".js", ".json", ".svg", ".webmanifest")


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = [
        "## The website's first view",
        "Nothing cached, medians. Painted: the largest paint, which is the sample photo. Ready: the page's script has "
        "begun. Skeleton: the sample's stored answer is drawn; both up to 50 ms before the number says. Built: "
        "`npm run site` on a file host that compresses, over HTTP/1.1, else `hpe serve`, which does not.",
    ]
    binary, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not binary or not driver:
        return "\n\n".join([*text, "Not measured: this machine has no Chromium with its driver."])
    rows = []
    with tempfile.TemporaryDirectory() as home, serving() as served, _built() as built:
        chrome = start_chromium(binary, driver, home)
        chrome.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        try:
            for name, (width, height, line, slower) in SCREENS.items():
                for url in [f"http://127.0.0.1:{served.port}/", *built]:
                    _screen(chrome, width, height, line, slower)
                    got = [_open(chrome, url) for _ in range(max(3, effort.rounds // 4))]
                    painted, ready, skeleton, size, sent, files = (float(v) for v in np.median(np.array(got), axis=0))
                    called = f"{name}, built" if url in built else name
                    times = [round(painted), round(ready), round(skeleton)]
                    rows.append([called, *times, round(size / 1000), round(sent / 1000), int(files)])
        finally:
            chrome.quit()
    heads = ["", "painted, ms", "ready, ms", "skeleton, ms", "kB", "kB sent", "files"]
    return "\n\n".join([*text, table(heads, rows)])


@contextmanager
def _built() -> Iterator[list[str]]:
    """The built site on a file host that compresses: [its address], [] where it cannot be built."""
    node = shutil.which("node")
    if not node or not (ROOT / "node_modules" / "esbuild").is_dir():
        yield []
        return
    with tempfile.TemporaryDirectory() as folder:
        command = [node, "deploy/build_site.js", folder]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Compressing, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield [f"http://127.0.0.1:{server.server_port}/"]
        finally:
            server.shutdown()
            server.server_close()


class _Compressing(SimpleHTTPRequestHandler):
    """Text gzipped, as CDNs send it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.partition("?")[0]
        file = Path(self.directory, (name if not name.endswith("/") else f"{name}index.html").lstrip("/"))
        if file.suffix not in TEXT or not file.is_file():
            super().do_GET()
            return
        body = gzip.compress(file.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(file))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


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


def _open(chrome: Any, url: str) -> tuple[float, float, float, float, float, float]:
    """-> ms to the largest paint, to the script, to the skeleton; bytes, bytes sent, files."""
    chrome.get("about:blank")
    chrome.get(url)
    ready = _when(chrome, READY)
    skeleton = _when(chrome, SKELETON)
    time.sleep(0.5)  # the list of paints comes late
    sizes = chrome.execute_script(SENT)
    size, sent = (float(sum(one)) for one in zip(*sizes, strict=True))
    return float(chrome.execute_script("return lcp")), ready, skeleton, size, sent, float(len(sizes))


def _when(chrome: Any, script: str) -> float:
    """ms at which a script of the page first gave something."""
    end = time.monotonic() + 60
    while not (at := float(chrome.execute_script(script))):
        if time.monotonic() > end:
            raise TimeoutError(f"after a minute the page still answers 0 to {script}")
        time.sleep(0.05)
    return at
