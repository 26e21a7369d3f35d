"""How it looks and what it weighs. Screenshots go to tests/browser/shots, for eyes; git ignores them."""

from pathlib import Path
from typing import Any

import pytest
from browser.conftest import person, result
from browser.stub import Answer, Stub

SCREENS = {
    "phone-light": {"width": 360, "height": 740, "phone": True},
    "phone-dark": {"width": 360, "height": 740, "phone": True, "dark": True},
    "desktop-light": {"width": 1280, "height": 860},
    "desktop-dark": {"width": 1280, "height": 860, "dark": True},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_screens_for_eyes(screen: str, page: Any, stub: Stub, photo: Path, root: Path) -> None:
    shots = root / "tests" / "browser" / "shots"
    stub.reset(Answer(body=result(person(), person(300, 0.4))))
    page.open(stub.url, **SCREENS[screen])
    page.shot(shots / f"{screen}-idle.png", whole=True)
    page.choose(photo)
    page.until_view("done")
    page.id("show-names").click()
    page.shot(shots / f"{screen}-done.png", whole=True)
    box = page.js("const b = document.getElementById('photo').getBoundingClientRect(); return [b.width, b.height]")
    assert box[0] == pytest.approx(box[1], abs=1), "a square photo stays square"
    assert box[0] > 250


def test_nothing_moves_while_the_page_loads(page: Any, stub: Stub) -> None:
    for screen in SCREENS.values():
        page.open(stub.url, **screen)
        page.until(lambda: page.js("return document.readyState") == "complete")
        assert page.js("return shift") == 0


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


def test_first_load_is_under_60_kb_even_uncompressed(page: Any, stub: Stub) -> None:
    page.open(stub.url)
    page.until(lambda: page.js("return document.readyState") == "complete")
    sizes = page.js(
        "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".filter((e) => !e.name.endsWith('/health')).map((e) => [new URL(e.name).pathname, e.decodedBodySize])"
    )
    assert sum(size for _, size in sizes) < 60_000, sizes


def test_nothing_comes_from_elsewhere(page: Any, stub: Stub, photo: Path) -> None:
    page.open(stub.url)
    page.choose(photo)
    page.until_view("done")
    names = page.js("return performance.getEntriesByType('resource').map((e) => e.name)")
    assert [name for name in names if not name.startswith((stub.url, "blob:"))] == []
    assert page.log() == []
