"""How it looks and what it weighs. Screenshots go to tests/browser/shots, for eyes; git ignores them."""

from pathlib import Path
from typing import Any

import pytest
from browser.conftest import person, result
from browser.host import Host
from browser.stub import Answer, Stub
from PIL import Image

WIDTHS = {
    "320": (320, 640),
    "390": (390, 844),
    "820": (820, 1180),
    "1280": (1280, 800),
    "1920": (1920, 1080),
    "2560": (2560, 1440),
}


@pytest.mark.parametrize("name", WIDTHS)
def test_screens_for_eyes(name: str, page: Any, stub: Stub, photo: Path, root: Path) -> None:
    """Light and dark in one go: loading is what takes long."""
    shots = root / "tests" / "browser" / "shots"
    width, height = WIDTHS[name]
    screen = {"width": width, "height": height, "phone": width < 500}

    def both(what: str, *, whole: bool = False) -> None:
        for theme in ("dark", "light"):
            page.screen(**screen, dark=theme == "dark")
            page.shot(shots / f"{name}-{theme}-{what}.png", whole=whole)

    stub.reset(Answer(body=result(person(), person(300, 0.4))))
    page.open(stub.url, **screen)
    page.until(lambda: page.all("#overlay circle.dot"))
    assert page.js("return shift") < 0.01, "nothing moves while the page loads"
    assert too_wide(page) <= 0
    assert on_screen(page, "choose"), "the first thing to do is in sight"
    assert on_screen(page, "photo"), "and so is what comes of it"
    both("first")
    page.choose(photo)
    page.until_view("done")
    assert on_screen(page, "choose"), "a second photo can be given from where one is"
    page.id("show-names").click()
    assert too_wide(page) <= 0
    both("done", whole=True)
    box = page.js("const b = document.getElementById('photo').getBoundingClientRect(); return [b.width, b.height]")
    assert box[0] == pytest.approx(box[1], abs=1), "a square photo stays square"
    assert box[0] > 250
    page.id("show-compare").click()
    page.js("document.getElementById('curl-box').open = true")
    assert too_wide(page) <= 0


def too_wide(page: Any) -> int:
    """px by which the page is wider than the screen."""
    return int(page.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def on_screen(page: Any, name: str) -> bool:
    """Whether most of an element is in the window."""
    script = """const b = document.getElementById(arguments[0]).getBoundingClientRect();
      return (Math.min(b.bottom, innerHeight) - Math.max(b.top, 0)) / b.height"""
    return float(page.js(script, name)) > 0.5


@pytest.mark.parametrize("width", [1920, 2560])
def test_wide_screens_are_used(width: int, page: Any, stub: Stub, photo: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.png"
    Image.new("RGB", (1600, 900), "green").save(wide)
    stub.reset(Answer(body=result(person(), size=(1600, 900))))
    page.open(stub.url, width=width, height=width * 9 // 16)
    page.choose(wide)
    page.until_view("done")
    picture = page.id("picture").rect
    panel = page.id("panel").rect
    assert picture["width"] > 0.55 * width
    assert panel["x"] + panel["width"] > 0.95 * width


def test_photo_does_not_move_when_its_result_comes(page: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result(person()), delay_s=1.2))
    page.open(stub.url)
    page.choose(photo)
    page.until(lambda: page.text("wait").startswith("Looking"))
    where = "const b = document.getElementById('photo').getBoundingClientRect(); return [b.top, b.width]"
    before = page.js(where)
    page.until_view("done")
    after = page.js(where)
    assert after[0] == before[0]
    assert after[1] == pytest.approx(before[1], abs=20), "at most a scroll bar's width"


def test_first_view_is_light_even_uncompressed(page: Any, stub: Stub) -> None:
    page.open(stub.url)
    page.until(lambda: page.all("#overlay circle.dot"))
    page.until(lambda: page.js("return [...document.images].every((image) => image.complete)"))
    sizes = page.js(
        "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".filter((e) => !e.name.endsWith('/health')).map((e) => [new URL(e.name).pathname, e.decodedBodySize])"
    )
    assert sum(size for _, size in sizes) < 250_000, sizes
    assert sum(size for name, size in sizes if not name.startswith("/samples/")) < 190_000, sizes
    assert sum("/samples/" in name and "-thumb" not in name for name, _ in sizes) == 2, "one sample"


def test_first_view_of_the_built_site_is_light_and_fetches_no_network(page: Any, host: Host) -> None:
    page.open(host.url)
    page.until(lambda: page.all("#overlay circle.dot") and page.id("private").is_selected())
    page.until(lambda: page.js("return [...document.images].every((image) => image.complete)"))
    sizes = page.js(
        "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".map((e) => [new URL(e.name).pathname, e.decodedBodySize])"
    )
    assert sum(size for _, size in sizes) < 250_000, sizes
    assert [name for name, _ in sizes if name.endswith((".onnx", ".gz", ".wasm", ".mjs"))] == [], "before the models"


def test_nothing_comes_from_elsewhere(page: Any, stub: Stub, photo: Path) -> None:
    page.open(stub.url)
    page.choose(photo)
    page.until_view("done")
    names = page.js("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert [name for name in names if not name.startswith((stub.url, "blob:"))] == []
    assert page.log() == []
