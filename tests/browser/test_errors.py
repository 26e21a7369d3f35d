"""Every way it can go wrong ends in a calm card that says what to do."""

from pathlib import Path
from typing import Any

import pytest
from browser.conftest import person, result
from browser.stub import Answer, Stub, problem

FOUND = Answer(body=result(person()))
NO_THRESHOLD = {name: value for name, value in result(person()).items() if name != "threshold"}
CASES = {
    "bad request": (
        problem(400, "threshold=7 is not between 0 and 1."),
        "could not be understood",
        "threshold=7",
        False,
    ),
    "no such path": (problem(404, "There is nothing at /pose."), "nothing at this address", "nothing at /pose", False),
    "too many bytes": (problem(413, "6 MB; the limit is 4 MB.", "Send less."), "too large", "6 MB", False),
    "wrong type": (problem(415, "This is a ZIP archive."), "kind of file", "ZIP archive", False),
    "cut short": (problem(422, "The JPEG ends after 10 %."), "can\u2019t be read", "10 %", False),
    "server error": (problem(500, "Traceback in api.py"), "had a problem", "nothing to do with your photo", True),
    "gateway page": (Answer(502, b"<html>bad gateway</html>"), "had a problem", "nothing to do with your photo", True),
    "gateway timeout": (Answer(504, b"{}"), "had a problem", "nothing to do with your photo", True),
    "dropped": (Answer(drop=True), "did not answer", "down for a moment", True),
    "not the api": (Answer(body=b"<html>hello</html>"), "not the expected answer", "config.js", True),
    "half an answer": (Answer(body={"people": [{}]}), "not the expected answer", "config.js", True),
    "no threshold": (Answer(body=NO_THRESHOLD), "not the expected answer", "config.js", True),
}


@pytest.mark.parametrize("case", CASES)
def test_fault_is_told_calmly(case: str, site: Any, stub: Stub, photo: Path) -> None:
    answer, title, text, retry = CASES[case]
    stub.reset(answer)
    site.choose(photo)
    site.until_view("problem")
    assert title in site.text("problem-title")
    assert text in site.text("problem-text")
    assert "Traceback" not in site.text("problem")
    assert site.id("problem").get_attribute("role") == "alert"
    assert site.id("again").is_displayed() == retry
    assert site.id("other").is_displayed()


def test_the_apis_hint_is_shown(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(problem(413, "70 megapixels; the limit is 64.", "Make it smaller than 8000 px."))
    site.choose(photo)
    site.until_view("problem")
    assert site.id("problem-hint").text == "Make it smaller than 8000 px."


def test_trying_again_after_a_fault_works(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(problem(500, "no"), FOUND)
    site.choose(photo)
    site.until_view("problem")
    site.id("again").click()
    site.until_view("done")


@pytest.mark.parametrize(("status", "said"), [(429, "too many requests right now"), (503, "not ready yet")])
def test_busy_service_is_asked_again_automatically(status: int, said: str, site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(problem(status, "later", Retry_After="1"), FOUND)
    site.choose(photo)
    site.until(lambda: said in site.text("wait") and "Trying again in 1 s" in site.text("wait"))
    site.until_view("done")


def test_service_that_stays_busy_is_left_in_peace(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(problem(429, "Slow down.", Retry_After="1"))
    site.choose(photo)
    site.until_view("problem")
    assert "too many requests right now" in site.text("problem-title")
    assert len(stub.posts) == 3


def test_waiting_for_a_busy_service_can_be_cancelled(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(problem(429, "Slow down.", Retry_After="9"))
    site.choose(photo)
    site.until(lambda: "Trying again in" in site.text("wait"))
    site.id("cancel").click()
    site.until_view("done")
    assert len(stub.posts) == 1


def test_no_answer_in_time_is_a_timeout(page: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result(person()), delay_s=2), config={"apiUrl": "", "timeoutMs": 600})
    page.open(stub.url)
    page.choose(photo)
    page.until_view("problem")
    assert "took too long" in page.text("problem-title")


def test_offline_is_told_and_the_photo_kept(site: Any, stub: Stub, photo: Path) -> None:
    site.cdp("Network.enable")
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    site.cdp("Network.emulateNetworkConditions", offline=True, **line)
    try:
        site.choose(photo)
        site.until_view("problem")
        assert site.text("problem-title") == "You are offline"
    finally:
        site.cdp("Network.emulateNetworkConditions", offline=False, **line)
    site.id("again").click()
    site.until_view("done")


def test_file_that_is_no_picture_is_not_sent(site: Any, stub: Stub, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    site.choose(tmp_path / "notes.txt")
    site.until_view("problem")
    assert site.text("problem-title") == "That is not a picture"
    assert "notes.txt" in site.text("problem-text")
    assert stub.posts == []


def test_photo_over_the_limit_that_cannot_be_shrunk_is_not_sent(site: Any, stub: Stub, tmp_path: Path) -> None:
    (tmp_path / "big.heic").write_bytes(b"\x00\x00\x00\x18ftypheic" + bytes(4_600_000))
    site.choose(tmp_path / "big.heic")
    site.until_view("problem")
    assert "4.6 MB; the limit is 4.5 MB" in site.text("problem-text")
    assert stub.posts == []


def test_nobody_found_comes_with_two_ways_on(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result()))
    site.choose(photo)
    site.until_view("nobody")
    assert site.text("problem-title") == "Nobody found"
    assert site.id("draw").is_displayed()
    assert site.id("guess").is_displayed()
    assert site.id("photo").is_displayed()
    assert site.id("other").is_displayed()
    assert not site.id("again").is_displayed(), "the same photo would give the same"
    hidden = "const c = document.getElementById('problem'); return c.scrollHeight - c.clientHeight"
    for width, height in ((1280, 900), (375, 812)):
        site.screen(width, height, phone=width < 500)
        assert site.js(hidden) <= 0, "no button has to be scrolled to"


def test_long_wait_is_not_taken_without_asking(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(problem(503, "the model cannot be used", "whoever runs this service must mend it", Retry_After="30"))
    site.choose(photo)
    site.until_view("problem")
    assert site.id("problem-text").text == "The model cannot be used."
    assert site.id("again").is_displayed()


def test_page_without_its_api_says_what_to_do(page: Any, stub: Stub, photo: Path) -> None:
    stub.reset(FOUND, config={})
    page.open(stub.url)
    page.until_view("setup")
    assert page.text("problem-title") == "No API is set up yet"
    assert "make serve" in page.text("setup")
    assert "samples/people" in page.id("photo").get_attribute("src"), "the samples need no API"
    page.all("#samples button")[1].click()
    page.until_view("done")
    page.choose(photo)
    page.until_view("setup")
    assert stub.posts == []


def test_page_opened_as_a_file_says_what_to_do(page: Any, root: Path) -> None:
    page.open((root / "static-site" / "index.html").as_uri())
    page.until(lambda: page.id("boot").is_displayed())
    assert "make serve" in page.text("boot")


def test_export_that_cannot_be_loaded_offline_says_so(site: Any, stub: Stub, photo: Path) -> None:
    site.choose(photo)
    site.until_view("done")
    site.cdp("Network.enable")
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    site.cdp("Network.emulateNetworkConditions", offline=True, **line)
    try:
        site.save_as("png")
        site.until(lambda: "You are offline" in site.text("take-note"))
    finally:
        site.cdp("Network.emulateNetworkConditions", offline=False, **line)
    assert site.view == "done"
    assert site.id("export").is_enabled()


def test_trying_again_tries_every_photo_that_the_same_fault_stopped(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(problem(500, "no"))
    site.choose(photo, photo, photo)
    site.until(lambda: len(stub.posts) == 3)
    site.until_view("problem")
    stub.reset(FOUND)
    site.id("again").click()
    site.until_view("done")
    site.until(lambda: len(stub.posts) == 3)


def test_failed_second_try_leads_back_to_the_result(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(FOUND, problem(500, "no"))
    site.choose(photo)
    site.until_view("done")
    site.id("fix").click()
    site.until_view("crop")
    site.id("crop-ask").click()
    site.until_view("problem")
    site.id("back").click()
    assert site.view == "done"
    assert site.text("summary") == "1 person found · 12 of 16 joints sure"


def test_what_becomes_of_photos_is_told_as_it_is_set_up(page: Any, stub: Stub) -> None:
    page.open(stub.url)
    assert page.text("privacy") == (
        "Photos are processed in memory and not stored. "
        "Your browser keeps those of this tab until you clear them or close it."
    )
    stub.reset(FOUND, config={"apiUrl": "", "uploads": True, "photoDays": 3})
    page.open(stub.url)
    assert "first midnight UTC after 3 days: 4 days at most" in page.text("privacy")


def test_key_is_asked_for_kept_in_the_tab_and_sent(site: Any, stub: Stub, photo: Path) -> None:
    refused = problem(401, "this API wants a key", "send a key: Authorization: Bearer KEY")
    stub.reset(refused, refused, FOUND)
    site.choose(photo, photo)
    site.until(lambda: len(stub.posts) == 2)
    site.until_view("problem")
    assert site.text("problem-title") == "This service needs a key"
    site.id("key").send_keys("hpe_secret\n")
    site.until_view("done")
    site.until(lambda: len(stub.posts) == 4)
    assert stub.keys == ["", "", "Bearer hpe_secret", "Bearer hpe_secret"]
    assert site.js("return [localStorage.length, document.cookie]") == [0, ""]
    assert not site.id("key-form").is_displayed()
    site.js("sessionStorage.clear()")


def test_where_keys_are_wanted_curl_says_where_yours_goes(page: Any, stub: Stub) -> None:
    stub.reset(FOUND, config={"apiUrl": "", "auth": "key"})
    page.open(stub.url)
    page.until(lambda: page.text("curl"))
    assert '-H "Authorization: Bearer $HPE_KEY"' in page.text("curl")
