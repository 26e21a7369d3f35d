"""For everyone: axe finds nothing, the keyboard is enough, nothing needs more than 320 px, motion can be off."""

import json
from pathlib import Path
from typing import Any

import pytest
from browser.conftest import person, result
from browser.stub import Answer, Stub, problem
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from hpe.web.openapi import openapi

SCREENS = {
    "desktop dark": {"width": 1280, "height": 900, "dark": True},
    "phone light": {"width": 320, "height": 640, "phone": True},
}
TWO = Answer(body=result(person(), person(300, 0.4)))
VIEWS = {
    "done": TWO,
    "busy": Answer(body=result(person()), delay_s=60),
    "problem": problem(415, "This is a ZIP archive.", "Send a JPEG."),
    "nobody": Answer(body=result()),
}


@pytest.fixture(scope="module")
def axe(root: Path) -> str:
    """axe-core's source."""
    file = root / "node_modules" / "axe-core" / "axe.min.js"
    if not file.is_file():
        pytest.skip("needs axe-core: npm ci")
    return file.read_text()


def faults(page: Any, axe: str, where: str = "html") -> list[str]:
    """What axe finds in that part of the page, as "rule: element" lines; best practices included."""
    page.js(axe)
    found = page.chrome.execute_async_script(
        "const [where, done] = arguments; axe.run(where, { resultTypes: ['violations'] })"
        ".then((r) => done(JSON.stringify(r.violations)), (e) => done(JSON.stringify([{id: String(e), nodes: []}])))",
        where,
    )
    return [f"{v['id']}: {[n['html'][:120] for n in v['nodes']]}" for v in json.loads(found)]


def still(page: Any) -> None:
    """Wait until nothing fades or moves but what goes on for ever."""
    page.until(
        lambda: page.js(
            "return document.getAnimations()"
            ".every((a) => a.effect.getTiming().iterations > 1 || a.playState !== 'running')"
        )
    )


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_in_any_view(screen: str, page: Any, stub: Stub, photo: Path, axe: str) -> None:
    page.open(stub.url, **SCREENS[screen])
    page.until(lambda: page.text("summary") != "…")
    still(page)
    found = {"first": faults(page, axe)}
    for view, answer in VIEWS.items():
        stub.reset(answer)
        page.choose(photo)
        page.until_view(view)
        still(page)
        if view == "done":
            page.unfold()
            for box in ("show-names", "show-compare"):
                page.id(box).click()
            page.all("#people-list button")[1].click()
        found[view] = faults(page, axe)
        if view == "done":
            page.id("show-compare").click()
            page.id("fix").click()
            found["crop"] = faults(page, axe)
            page.id("crop-stop").click()
            page.id("camera").click()
            page.until(lambda: page.text("camera-note"))
            found["camera"] = faults(page, axe)
            page.id("camera-close").click()
        elif view == "busy":
            page.id("cancel").click()
    stub.reset(TWO, config={})
    page.open(stub.url, **SCREENS[screen])
    found["setup"] = faults(page, axe)
    assert {view: list_ for view, list_ in found.items() if list_} == {}


def test_keyboard_alone_is_enough(site: Any, stub: Stub, photo: Path) -> None:
    def press(*keys: str) -> None:
        ActionChains(site.chrome).send_keys(*keys).perform()

    def focus() -> str:
        return str(site.js("return document.activeElement.id || document.activeElement.textContent"))

    def tab_to(name: str, most: int = 40) -> None:
        for _ in range(most):
            press(Keys.TAB)
            if focus() == name:
                assert site.js("return document.activeElement.matches(':focus-visible')")
                return
        raise AssertionError(f"{name} is not reached within {most} tabs")

    stub.reset(TWO)
    press(Keys.TAB)
    assert focus() == "Skip to the photo"
    press(Keys.ENTER)
    site.js("document.querySelector('.brand').focus()")
    tab_to("choose", 6)  # past the four pages
    site.js(
        "window.opened = 0; document.getElementById('file')"
        ".addEventListener('click', (e) => { opened += 1; e.preventDefault(); })"
    )
    press(Keys.ENTER)
    assert site.js("return opened") == 1
    site.choose(photo)  # the system's own dialogue is the one step a test can't take by key
    site.until_view("done")
    assert focus() == "choose", "the focus stays where it was: the next photo is one key away"
    site.unfold()
    tab_to("threshold")
    before = site.text("threshold-value")
    press(Keys.ARROW_RIGHT)
    assert site.text("threshold-value") != before
    ActionChains(site.chrome).key_down(Keys.SHIFT).send_keys(Keys.TAB * 3).key_up(Keys.SHIFT).perform()
    assert site.js("return document.activeElement.textContent") == "Person 2 64 %"
    assert len(site.all("#overlay .other")) == 1, "who has the focus is brought out"
    tab_to("Head top")
    press(Keys.TAB, Keys.TAB, Keys.TAB, Keys.TAB)
    assert site.text("tip").startswith("Left shoulder")
    press(Keys.SPACE)
    assert len(site.all("#overlay circle.ring")) == 1


def test_toggles_and_people_work_by_key(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(TWO)
    site.choose(photo)
    site.until_view("done")
    site.js("document.getElementById('show-names').focus()")
    ActionChains(site.chrome).send_keys(Keys.SPACE).perform()
    assert len(site.all("#overlay text:not(.badge *)")) == 12
    site.unfold()
    site.js("document.querySelectorAll('#people-list button')[1].focus()")
    ActionChains(site.chrome).send_keys(Keys.ENTER).perform()
    assert site.all("#joints [data-joint='9']")[0].text.split()[2:4] == ["390,", "8"]
    assert site.js("return document.activeElement.getAttribute('aria-pressed')") == "true", "the focus stays"
    site.js("document.getElementById('show-compare').click(); document.getElementById('compare').focus()")
    ActionChains(site.chrome).send_keys(Keys.END).perform()
    assert site.js("return document.getElementById('compare').getAttribute('aria-valuetext')") == "100 % photo"


def test_export_menu_by_key(site: Any, stub: Stub, photo: Path) -> None:
    def press(*keys: str) -> str:
        ActionChains(site.chrome).send_keys(*keys).perform()
        return str(site.js("return document.activeElement.id"))

    site.choose(photo)
    site.until_view("done")
    site.js("document.getElementById('export').focus()")
    assert press(Keys.ARROW_DOWN) == "get-png", "it opens on its first line"
    assert site.id("export").get_attribute("aria-expanded") == "true"
    assert press(Keys.ARROW_UP) == "copy-curl"
    assert press(Keys.HOME, Keys.ARROW_DOWN) == "get-webp"
    assert press(Keys.ESCAPE) == "export"
    assert not site.id("export-list").is_displayed()
    press(Keys.ENTER)
    assert site.id("export-list").is_displayed()
    press(Keys.TAB, Keys.END, Keys.TAB)
    assert not site.id("export-list").is_displayed(), "who goes on leaves it behind"


def test_status_is_announced(site: Any, stub: Stub, photo: Path) -> None:
    site.js(
        "window.said = []; new MutationObserver(() => said.push(document.getElementById('live').textContent))"
        ".observe(document.getElementById('live'), { childList: true })"
    )
    site.choose(photo)
    site.until_view("done")
    said = site.js("return said")
    assert said[0] == "Opening the photo…"
    assert said[-1] == "1 person found · 12 of 16 joints sure"
    assert "1 person found · 12 of 16 joints sure" in site.id("photo").get_attribute("alt")


def test_motion_stops_where_it_is_unwanted(site: Any, stub: Stub, photo: Path) -> None:
    site.screen(1280, 900, calm=True)
    stub.reset(Answer(body=result(person()), delay_s=1.5))
    site.choose(photo)
    site.until(lambda: site.text("wait").startswith("Looking"))
    assert site.js("return document.getAnimations().length") == 0
    site.until_view("done")
    assert site.js("return document.getAnimations().length") == 0


def test_forced_colours_still_show_what_is_chosen(page: Any, stub: Stub) -> None:
    """Windows' contrast themes take shadows and backgrounds away, in which the page says it otherwise."""
    stub.other["GET", "/openapi.json"] = Answer(body=openapi())
    stub.reset(TWO)
    page.open(f"{stub.url}/docs.html")
    page.cdp("Emulation.setEmulatedMedia", features=[{"name": "forced-colors", "value": "active"}])
    for css in ("nav a[aria-current]", "[role=tab][aria-selected=true]"):
        line = "return getComputedStyle(document.querySelector(arguments[0])).textDecorationLine"
        assert page.js(line, css) == "underline", css
    page.chrome.get(stub.url)
    page.until(lambda: page.all("#people-list button"))
    page.all("#people-list button")[1].click()
    outline = "return getComputedStyle(document.querySelector(arguments[0])).outlineStyle"
    for css in (".people [aria-pressed=true]", ".chip:has(:checked)", "#samples [aria-current]"):
        assert page.js(outline, css) == "solid", css


def test_print_has_the_result_and_nothing_to_press(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(TWO)
    site.choose(photo)
    site.until_view("done")
    site.unfold()
    site.cdp("Emulation.setEmulatedMedia", media="print")
    seen = """return [...document.querySelectorAll("button, input, select, nav, summary")]
      .filter((e) => e.checkVisibility() && !e.closest("td, #people-list")).map((e) => e.id || e.className)"""
    assert [name for name in site.js(seen) if name != "compare"] == []
    assert site.id("photo").is_displayed()
    assert site.id("joints").is_displayed()
    site.cdp("Emulation.setEmulatedMedia", media="")


def test_skeleton_is_drawn_in_once_by_a_short_motion(site: Any, stub: Stub, photo: Path) -> None:
    site.choose(photo)
    site.until_view("done")
    still(site)
    site.id("show-names").click()
    moving = "return document.getAnimations().filter((a) => a.playState === 'running').length"
    assert site.js(moving) == 0, "a redraw does not begin it again"


def test_targets_are_large_enough(site: Any, stub: Stub, photo: Path) -> None:
    """WCAG 2.2's 2.5.8: at least 24 CSS px each way."""
    stub.reset(TWO)
    site.choose(photo)
    site.until_view("done")
    small = site.js(
        "return [...document.querySelectorAll('button, .chip, nav a, .range input, summary, select')]"
        ".filter((e) => e.checkVisibility())"
        ".map((e) => [e.textContent || e.id, e.getBoundingClientRect()])"
        ".filter(([, r]) => r.height < 24 || r.width < 24).map(([t]) => t)"
    )
    assert small == []


def test_axe_finds_nothing_on_the_api_page(page: Any, stub: Stub, axe: str) -> None:
    stub.other["GET", "/openapi.json"] = Answer(body=openapi())
    for screen in ({"width": 320, "height": 640, "phone": True}, {"width": 1280, "height": 900, "dark": True}):
        page.open(f"{stub.url}/docs.html", **screen)
        page.until(lambda: not page.id("reference").get_attribute("aria-busy"))
        assert "POST /pose" in page.id("main").text
        page.all(".example summary")[5].click()
        assert faults(page, axe) == []
        for tab in page.all("[role=tab]")[1:]:
            tab.click()
            assert faults(page, axe, ".columns") == []
        assert page.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_axe_would_find_something(page: Any, stub: Stub, axe: str) -> None:
    page.open(stub.url)
    page.js(
        "document.getElementById('choose').textContent = ''; document.querySelector('.intro p').style.color = '#ccc'"
    )
    assert {fault.split(":")[0] for fault in faults(page, axe)} == {"button-name", "color-contrast"}
