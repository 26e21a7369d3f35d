"""Private mode in Chromium: the first answer, ms a photo beside the API, and live frames a second."""

import io
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.report import Effort, table
from bench.serving import ROOT, serving
from bench.website import start_chromium

SAMPLES: Final = ROOT / "static-site" / "samples"
PHOTOS: Final = ("astronaut", "volleyball", "people")
# Each photo as the page does it, here and through the API: ms, from the file's bytes to the answer.
EACH: Final = """const [names, rounds, done] = arguments;
(async () => {
  const { analysedBitmap, createEngine, listFiles } = await import("/private/engine.js");
  const engine = createEngine(await listFiles());
  await engine.open();
  const found = {};
  for (const name of names) {
    const blob = await (await fetch(`/samples/${name}.jpg`)).blob();
    const { width, height } = await createImageBitmap(blob);
    const here = async () => {
      const picture = await createImageBitmap(blob);
      const bitmap = await analysedBitmap(picture, width, height);
      return (await engine.find(bitmap, { photo: { width, height } })).people.length;
    };
    const there = async () => (await fetch("/pose?format=json", { method: "POST", body: blob })).json();
    const times = { here: [], there: [] };
    const people = await here();
    await there();
    for (let i = 0; i < rounds; i++) {
      for (const [where, ask] of [["here", here], ["there", there]]) {
        const since = performance.now();
        await ask();
        times[where].push(performance.now() - since);
      }
    }
    found[name] = { size: `${width}x${height}`, people, ...times };
  }
  return found;
})().then(done, (error) => done(String(error)));"""
_WAIT_S: Final = 180.0
_LIVE_S: Final = 10


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = [
        "## Private mode",
        "In headless Chromium, from the local server, on one thread of WebAssembly. First answer: from the choice of a "
        "photo (astronaut, 512x512 px) to its people on the page; the files come from this machine, uncompressed. API: "
        "the same photo through POST /pose of the local server, in turn. Live: a fake camera of 640x480 px, one "
        "person who moves; between the networks' answers optical flow carries them from frame to frame.",
    ]
    binary, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not binary or not driver:
        return "\n\n".join([*text, "Not measured: this machine has no Chromium with its driver."])
    with tempfile.TemporaryDirectory() as home, serving() as served:
        camera = Path(home, "camera.mjpeg")
        camera.write_bytes(b"".join(_moving()))
        url = f"http://127.0.0.1:{served.port}/"
        chrome = start_chromium(binary, driver, home, f"--use-file-for-fake-video-capture={camera}")
        try:
            chrome.set_script_timeout(_WAIT_S)
            first, cached = _first_answer(chrome, url), _first_answer(chrome, url)
            photos = chrome.execute_async_script(EACH, PHOTOS, max(3, effort.rounds // 3))
            if isinstance(photos, str):
                raise RuntimeError(photos)
            drawn, asked = _live(chrome, url)
        finally:
            chrome.quit()
    rows: list[list[object]] = [
        [f"{name}, {one['size']} px", one["people"], round(median(one["here"])), round(median(one["there"]))]
        for name, one in photos.items()
    ]
    told = (
        f"First answer {first:.1f} s, with the files kept {cached:.1f} s. Live: the skeleton is drawn anew {drawn:.1f} "
        f"times a second, {asked:.1f} of them with a new answer of the networks."
    )
    return "\n\n".join([*text, told, table(["", "people", "private, ms", "API, ms"], rows)])


def _moving() -> Iterator[bytes]:
    """JPEGs of 640x480 px in which an astronaut goes from left to right and back."""
    from PIL import Image

    person = Image.open(SAMPLES / "astronaut.jpg").resize((420, 420))
    for step in [*range(0, 60, 2), *range(60, 0, -2)]:
        frame = Image.new("RGB", (640, 480), (120, 130, 140))
        frame.paste(person, (80 + step, 60))
        out = io.BytesIO()
        frame.save(out, "JPEG", quality=85)
        yield out.getvalue()


def _text(chrome: Any, name: str) -> str:
    return str(chrome.execute_script("return document.getElementById(arguments[0]).textContent", name))


def _until(what: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + _WAIT_S
    while not what():
        if time.monotonic() > end:
            raise TimeoutError(otherwise)
        time.sleep(0.02)


def _first_answer(chrome: Any, url: str) -> float:
    """s from the choice of a photo to its people, in a page that was opened for it."""
    chrome.get(url)
    switch = chrome.find_element("id", "private")
    _until(switch.is_enabled, "there is no private mode")
    if not switch.is_selected():
        switch.click()
    kept = _text(chrome, "facts")  # of the photo that the tab keeps
    began = time.monotonic()
    chrome.find_element("id", "file").send_keys(str(SAMPLES / "astronaut.jpg"))

    def answered() -> bool:
        said = _text(chrome, "facts")
        return "on this device" in said and said != kept

    _until(answered, "private mode gave no answer")
    return time.monotonic() - began


def _live(chrome: Any, url: str) -> tuple[float, float]:
    """-> frames a second, and the networks' answers a second: the means of what the page says over some seconds."""
    grant = {"permission": {"name": "camera"}, "setting": "granted", "origin": url}
    chrome.execute_cdp_cmd("Browser.setPermission", grant)
    chrome.get(f"{url}live.html")
    start = chrome.find_element("id", "start")
    _until(start.is_enabled, "live mode is not there")
    start.click()
    _until(lambda: _text(chrome, "live-count") == "1 person", "nobody was found")
    time.sleep(3)
    said = []
    for _ in range(_LIVE_S):
        networks = chrome.find_element("id", "live-fps").get_attribute("data-networks")
        said.append((float(_text(chrome, "live-fps").split()[0]), float(networks)))
        time.sleep(1)
    drawn, asked = (sum(one) / len(said) for one in zip(*said, strict=True))
    return drawn, asked
