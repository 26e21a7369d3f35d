"""The same page in Firefox: private mode, with the real model, and nothing that is not meant to be seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.host import READY_S, Host

from bench.firefox import Firefox, binary, firefox


@pytest.fixture(scope="module")
def fox() -> Iterator[Firefox]:
    """One Firefox for all tests."""
    pytest.importorskip("websocket", reason="needs websocket-client, which comes with selenium")
    program = binary()
    if not program:
        pytest.skip("needs Firefox: apt-get install firefox-esr")
    with firefox(program) as found:
        yield found


def test_people_are_found_on_the_device(fox: Firefox, host: Host, photo: Path) -> None:
    fox.open(host.url)
    fox.until("return document.getElementById('private').checked", 30)
    fox.choose(photo)
    fox.until("return document.getElementById('facts').textContent.includes('on this device')", READY_S)
    assert fox.text("summary").startswith("1 person found")
    fox.until("return document.querySelectorAll('#overlay circle.dot').length > 5", 10)
    seen = "return [...document.querySelectorAll('[hidden]')].filter((e) => e.checkVisibility()).map((e) => e.id)"
    assert fox.js(seen) == []
    assert fox.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("name", ["live.html", "video.html", "docs.html"])
def test_other_pages_are_ready(name: str, fox: Firefox, host: Host) -> None:
    fox.open(host.url + name, width=320, height=640)
    fox.until("return !document.getElementById('boot') && !document.querySelector('[aria-busy]')", 30)
    fox.until("const b = document.querySelector('button.primary'); return !b.disabled", 30)
    assert fox.js("return document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
