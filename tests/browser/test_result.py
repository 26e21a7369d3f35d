"""The result: what is drawn over the photo, what can be switched, looked at and taken away."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from browser.conftest import POINTS, UNSURE, person, result
from browser.stub import Answer, Stub
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains

from hpe.pose.skeleton import COLOURS_RGB, INDEX, JOINTS


@pytest.fixture
def done(site: Any, stub: Stub, photo: Path) -> Any:
    """The page with one person found."""
    site.choose(photo)
    site.until_view("done")
    return site


def dots(page: Any) -> dict[str, list[float]]:
    """Joint -> x, y of its dot, in CSS px of the picture's box."""
    script = """const box = document.getElementById("photo").getBoundingClientRect();
      return Object.fromEntries([...document.querySelectorAll("#overlay circle.dot")].map((c) => {
        const r = c.getBoundingClientRect();
        return [c.dataset.joint, [(r.left + r.right) / 2 - box.left, (r.top + r.bottom) / 2 - box.top, box.width]];
      }))"""
    return dict(page.js(script))


def test_joints_lie_where_the_api_says(done: Any) -> None:
    found = dots(done)
    assert set(found) == set(JOINTS) - set(UNSURE)
    for name, (x, y, width) in found.items():
        scale = width / 512
        assert x == pytest.approx((POINTS[name][0] + 0.5) * scale, abs=0.6)
        assert y == pytest.approx((POINTS[name][1] + 0.5) * scale, abs=0.6)


def test_joints_stay_on_the_photo_when_the_window_narrows(done: Any) -> None:
    done.screen(400, 700, phone=True)
    done.until(lambda: dots(done)["thorax"][2] < 400)
    x, y, width = dots(done)["thorax"]
    assert (x, y) == (pytest.approx(225.5 * width / 512, abs=0.6), pytest.approx(230.5 * width / 512, abs=0.6))


def test_sides_have_the_skeletons_colours(done: Any) -> None:
    for name, side in (("left_elbow", "left"), ("right_elbow", "right"), ("thorax", "middle")):
        fill = done.js("return getComputedStyle(document.querySelector(`[data-joint=${arguments[0]}]`)).fill", name)
        assert tuple(map(int, re.findall(r"\d+", fill))) == COLOURS_RGB[side]


def test_layers_can_be_switched(done: Any) -> None:
    lines, circles, names = "#overlay line", "#overlay circle.dot", "#overlay text"
    assert [len(done.all(css)) for css in (lines, circles, names)] == [22, 12, 0]
    done.id("show-skeleton").click()
    assert [len(done.all(css)) for css in (lines, circles, names)] == [0, 12, 0]
    done.id("show-joints").click()
    done.id("show-names").click()
    assert [len(done.all(css)) for css in (lines, circles, names)] == [0, 0, 12]
    assert "Left elbow" in [text.get_attribute("textContent") for text in done.all(names)]


def test_confidence_is_shown_by_colour_with_its_scale(done: Any) -> None:
    done.id("show-heat").click()
    assert done.id("ramp").is_displayed()
    assert not done.id("legend").is_displayed()
    fills = {c.get_attribute("fill") for c in done.all("#overlay circle.dot")}
    assert len(fills) == 12, "each joint has a colour of its own score"
    assert len(done.all("#overlay circle.unsure")) == 4


def test_threshold_acts_at_once_and_asks_nobody(done: Any, stub: Stub) -> None:
    before = len(stub.seen)
    done.set_range("threshold", 0.1)
    assert len(done.all("#overlay circle.dot")) == 14
    assert done.text("summary") == "1 person · 14 of 16 joints sure"
    done.set_range("threshold", 0.99)
    assert len(done.all("#overlay circle.dot")) == 0
    assert len(done.all("#joints tr.unsure")) == 16
    assert len(stub.seen) == before


def test_compare_uncovers_the_photo_by_slider_and_by_drag(done: Any) -> None:
    done.id("show-compare").click()
    clip = "return document.getElementById('overlay').style.clipPath"
    assert done.js(clip) == "inset(0px 0px 0px 50%)"
    done.set_range("compare", 80)
    assert done.js(clip) == "inset(0px 0px 0px 80%)"
    width = done.id("photo").size["width"]
    ActionChains(done.chrome).drag_and_drop_by_offset(done.id("divider"), -round(width * 0.3), 0).perform()
    assert int(done.id("compare").get_attribute("value")) == pytest.approx(50, abs=2)
    done.id("show-compare").click()
    assert done.js(clip) == ""


def test_pointer_on_a_joint_tells_its_name_and_score(done: Any) -> None:
    x, y, width = dots(done)["left_elbow"]
    photo = done.id("photo")
    height = photo.size["height"]
    ActionChains(done.chrome).move_to_element_with_offset(photo, x - width / 2 + 3, y - height / 2).perform()
    done.until(lambda: done.id("tip").is_displayed())
    assert done.text("tip") == f"Left elbow {round(100 * (0.5 + 0.02 * INDEX['left_elbow']))} %"
    ActionChains(done.chrome).move_to_element_with_offset(photo, -width / 2 + 5, -height / 2 + 5).perform()
    done.until(lambda: not done.id("tip").is_displayed())


def test_tap_on_a_joint_keeps_it_marked(site: Any, stub: Stub, photo: Path) -> None:
    site.open(stub.url, width=390, height=800, phone=True)
    site.choose(photo)
    site.until_view("done")
    x, y, _ = dots(site)["right_shoulder"]
    left, top = site.js("const b = document.getElementById('photo').getBoundingClientRect(); return [b.left, b.top]")
    point = [{"x": left + x + 8, "y": top + y + 8}]
    site.cdp("Input.dispatchTouchEvent", type="touchStart", touchPoints=point)
    site.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    site.until(lambda: site.text("tip").startswith("Right shoulder"))
    assert [row.text.split("\n")[0] for row in site.all("#joints tr.picked button")] == ["Right shoulder"]


def test_row_of_the_table_marks_its_joint(done: Any) -> None:
    row = done.all("#joints tr")[INDEX["head_top"]]
    assert row.text.split() == ["Head", "top", "225,", "20", "68", "%"]
    row.find_element("tag name", "button").click()
    assert len(done.all("#overlay circle.ring")) == 1
    assert done.text("tip").startswith("Head top")


def test_people_are_listed_and_can_be_looked_at(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result(person(), person(300, 0.4))))
    site.choose(photo)
    site.until_view("done")
    labels = site.all("#people-list label")
    assert [label.text for label in labels] == ["Person 1 · 64 %", "Person 2 · 64 %"]
    labels[1].click()
    assert site.all("#joints tr")[INDEX["head_top"]].text.split()[2:4] == ["390,", "8"]
    assert len(site.all("#overlay .other")) == 1


def test_json_is_in_px_of_the_original_photo(site: Any, stub: Stub, phone_photo: Path) -> None:
    stub.reset(Answer(body=result(person(), size=(1200, 1600))))
    site.choose(phone_photo)
    site.until_view("done")
    site.id("get-json").click()
    told = json.loads(site.downloaded("IMG_0001-pose.json").read_text())
    assert told["image"] == {"width": 3024, "height": 4032}
    head = told["people"][0]["keypoints"][INDEX["head_top"]]
    assert (head["x"], head["y"]) == (
        pytest.approx(225.5 * 2.52 - 0.5, abs=0.01),
        pytest.approx(20.5 * 2.52 - 0.5, abs=0.01),
    )
    assert told["people"][0]["box"][0] == pytest.approx(60.5 * 2.52 - 0.5, abs=0.01)


def test_png_is_the_apis_with_the_threshold_that_is_shown(done: Any, stub: Stub, photo: Path) -> None:
    png = photo.with_suffix(".png")
    Image.open(photo).save(png)
    stub.reset(Answer(body=png.read_bytes(), headers={"Content-Type": "image/png"}))
    done.set_range("threshold", 0.12)
    done.id("get-png").click()
    assert Image.open(done.downloaded("astronaut-pose.png")).size == (512, 512)
    assert stub.seen[-1][0] == "/pose?format=png&threshold=0.12"
    done.until(lambda: done.text("download-note") == "Saved.")


def test_curl_command_is_copied_and_works(done: Any, stub: Stub, tmp_path: Path, photo: Path) -> None:
    done.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"], origin=stub.url)
    done.set_range("threshold", 0.25)
    done.id("copy-curl").click()
    done.until(lambda: done.text("download-note") == "Copied.")
    command = done.js("return navigator.clipboard.readText()")
    assert command == done.text("curl")
    (tmp_path / "astronaut.jpg").write_bytes(photo.read_bytes())
    subprocess.run(command, shell=True, check=True, cwd=tmp_path, capture_output=True)
    path, body = stub.seen[-1]
    assert path == "/pose?format=png&threshold=0.25"
    assert photo.read_bytes() in body
    assert (tmp_path / "astronaut-pose.png").exists()


def test_timings_are_told(done: Any) -> None:
    assert re.search(r"\d\.\d s in all · \d+ kB sent · decode 6 ms · infer 43 ms", done.text("timings"))


def test_large_photo_takes_the_upload_road(page: Any, stub: Stub, photo: Path, tmp_path: Path) -> None:
    """Where the deployment has POST /uploads: a form to a bucket, then asking until the result is there."""
    heic = b"\x00\x00\x00\x18ftypheic" + bytes(4_600_000)
    (tmp_path / "big.heic").write_bytes(heic)
    stub.reset(Answer(), config={"apiUrl": "", "uploads": True})
    ticket = {"id": "a1", "url": f"{stub.url}/bucket", "fields": {"key": "in/a1", "policy": "p"}, "expires_in_s": 600}
    stub.other = {
        ("POST", "/uploads"): Answer(201, {**ticket, "result": "/results/a1"}),
        ("POST", "/bucket"): Answer(204),
        ("GET", "/results/a1"): Answer(202, {}, {"Retry-After": "1"}),
        ("GET", "/done.json"): Answer(body=result(person())),
        ("GET", "/done.png"): Answer(body=photo.read_bytes(), headers={"Content-Type": "image/png"}),
    }
    page.open(stub.url)
    page.choose(tmp_path / "big.heic")
    page.until(lambda: ("/results/a1", b"") in stub.seen)
    stub.other["GET", "/results/a1"] = Answer(body={"json": f"{stub.url}/done.json", "png": f"{stub.url}/done.png"})
    page.until_view("done")
    posted = dict(reversed(stub.seen))
    wish = json.loads(posted["/uploads"])
    assert wish["content_type"] in ("image/heic", "image/heif")
    assert wish["size"] == len(heic)
    form = posted["/bucket"]
    assert form.index(b'name="key"') < form.index(b'name="policy"') < form.index(b'name="file"')
    assert heic in form
    assert page.js("return document.getElementById('photo').naturalWidth") == 512
