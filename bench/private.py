"""Private mode in Chromium and Firefox: the first answer, ms a photo beside the API, and live frames a second."""

import io
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.firefox import binary, firefox
from bench.report import Effort, table
from bench.serving import ROOT, serving
from bench.website import start_chromium

SAMPLES: Final = ROOT / "static-site" / "samples"
PHOTOS: Final = ("astronaut", "volleyball", "people")
# Each photo as the page does it, here and through the API: ms, from the file's bytes to the answer.
EACH: Final = """
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
  return found;"""
# The tab keeps its photos: the next page must not take an old answer for the new one.
FORGET: Final = "sessionStorage.clear()"
_WAIT_S: Final = 180.0
_LIVE_S: Final = 10


def run(effort: Effort) -> str:
    """The section of results.md."""
    text = [
        "## Private mode",
        "In headless browsers, from the local server, on one thread of WebAssembly. First answer: from the choice of a "
        "photo (astronaut, 512x512 px) to its people on the page; the files come from this machine, uncompressed. API: "
        "the same photo through POST /pose of the local server, in turn, asked from Chromium. Live: a fake camera of "
        "640x480 px, one person who moves; between the networks' answers optical flow carries them from frame to "
        "frame.",
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
            photos = chrome.execute_async_script(
                f"const done = arguments[0]; (async () => {{ {_each(effort)} }})().then(done, (e) => done(String(e)));"
            )
            if isinstance(photos, str):
                raise RuntimeError(photos)
            drawn, asked = _live(chrome, url)
        finally:
            chrome.quit()
        fox = _firefox(url, effort)
    rows: list[list[object]] = [
        [
            f"{name}, {one['size']} px",
            one["people"],
            round(median(one["here"])),
            round(median(fox.photos[name]["here"])) if fox else "-",
            round(median(one["there"])),
        ]
        for name, one in photos.items()
    ]
    told = [
        f"Chromium: first answer {first:.1f} s, with the files kept {cached:.1f} s.",
        f"Firefox {fox.version}: first answer {fox.first:.1f} s, with the files kept {fox.cached:.1f} s."
        if fox
        else "",
        f"Live, in Chromium: the skeleton is redrawn {drawn:.1f} times a second, {asked:.1f} of them with a new "
        "answer of the networks.",
    ]
    heads = ["", "people", "Chromium, ms", "Firefox, ms", "API, ms"]
    return "\n\n".join([*text, " ".join(filter(None, told)), table(heads, rows)])


def _each(effort: Effort) -> str:
    """EACH with its names and rounds."""
    return f"const names = {json.dumps(PHOTOS)}, rounds = {max(3, effort.rounds // 3)}; {EACH}"


@dataclass(frozen=True)
class _Fox:
    """What Firefox took: s to the first answer, cold and with the files kept; photos as EACH gives them."""

    version: str
    first: float
    cached: float
    photos: dict[str, Any]


def _firefox(url: str, effort: Effort) -> _Fox | None:
    """None where there is no Firefox."""
    program = binary()
    if not program:
        return None
    with firefox(program) as fox:
        times = []
        for _ in range(2):
            fox.open(url)
            fox.until("return !document.getElementById('private').disabled")
            fox.js("const s = document.getElementById('private'); if (!s.checked) s.click()")
            began = time.monotonic()
            fox.choose(SAMPLES / "astronaut.jpg")
            fox.until("return document.getElementById('facts').textContent.includes('on this device')")
            times.append(time.monotonic() - began)
            fox.js(FORGET)
        return _Fox(fox.version, times[0], times[1], fox.js(_each(effort)))


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
    began = time.monotonic()
    chrome.find_element("id", "file").send_keys(str(SAMPLES / "astronaut.jpg"))
    _until(lambda: "on this device" in _text(chrome, "facts"), "private mode gave no answer")
    took = time.monotonic() - began
    chrome.execute_script(FORGET)
    return took


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
