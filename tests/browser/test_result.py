"""The result: what is drawn over the photo, what can be switched, looked at and taken away."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from browser.conftest import POINTS, UNSURE, person, result
from browser.stub import Answer, Stub, problem
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.keys import Keys

from hpe.pose.skeleton import COLOURS_RGB, INDEX, JOINTS


@pytest.fixture
def done(site: Any, stub: Stub, photo: Path) -> Any:
    """The page with one person found."""
    site.choose(photo)
    site.until_view("done")
    return site


def row(page: Any, joint: str) -> Any:
    """A joint's row in the table."""
    (line,) = page.all(f"#joints [data-joint='{INDEX[joint]}']")
    return line


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
    assert done.text("summary") == "1 person found · 14 of 16 joints sure"
    done.set_range("threshold", 0.99)
    assert len(done.all("#overlay circle.dot")) == 0
    assert len(done.all("#joints tr.unsure")) == 16
    assert len(stub.seen) == before


def test_threshold_is_the_apis_own(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result(person()) | {"threshold": 0.115}))
    site.choose(photo)
    site.until_view("done")
    assert site.text("summary") == "1 person found · 13 of 16 joints sure"
    site.unfold()
    assert site.id("threshold-own").is_displayed()


def test_limbs_are_those_of_the_answer(site: Any, stub: Stub, photo: Path) -> None:
    edges = [[INDEX["head_top"], INDEX["left_wrist"]], [INDEX["head_top"], INDEX["left_knee"]]]
    stub.reset(Answer(body=result(person()) | {"skeleton": edges}))
    site.choose(photo)
    site.until_view("done")
    assert len(site.all("#overlay line:not(.casing)")) == 1, "the knee is unsure"


def test_joints_are_grouped_by_body_part_head_first(done: Any) -> None:
    done.unfold()
    heads = [head.text for head in done.all("#joints th[scope=rowgroup]")]
    assert heads == ["Head", "Trunk", "Left arm", "Right arm", "Left leg", "Right leg"]
    assert done.all("#joints [data-joint]")[0].text.startswith("Head top")
    assert len(done.all("#joints [data-joint]")) == 16


def test_compare_uncovers_the_photo_by_slider_and_by_drag(done: Any) -> None:
    done.set_range("compare", 50)
    done.id("show-compare").click()
    clip = "return document.getElementById('drawn').style.clipPath"
    assert done.js(clip) == "inset(0px 0px 0px 50%)"
    done.set_range("compare", 80)
    assert done.js(clip) == "inset(0px 0px 0px 80%)"
    done.js("document.getElementById('choose').focus()")
    for _ in range(8):
        ActionChains(done.chrome).send_keys(Keys.TAB).perform()
        if done.js("return document.activeElement.id") == "compare":
            break
    ring = "return getComputedStyle(document.querySelector('.divider i')).outlineStyle"
    assert done.js(ring) == "solid", "the handle shows that the keys move it"
    ActionChains(done.chrome).send_keys(Keys.ARROW_LEFT).perform()
    assert done.js(clip) == "inset(0px 0px 0px 79%)"
    done.set_range("compare", 80)
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
    assert [row.get_attribute("textContent") for row in site.all("#joints tr.picked button")] == ["Right Shoulder"]


def test_row_of_the_table_marks_its_joint(done: Any) -> None:
    done.unfold()
    line = row(done, "head_top")
    assert line.text.split() == ["Head", "top", "225,", "20", "68", "%"]
    line.find_element("tag name", "button").click()
    assert len(done.all("#overlay circle.ring")) == 1
    assert done.text("tip").startswith("Head top")


def test_people_are_brought_out_one_by_one(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result(person(), person(300, 0.4))))
    site.choose(photo)
    site.until_view("done")
    buttons = site.all("#people-list button")
    assert [b.get_attribute("textContent") for b in buttons] == ["Person 1 64 %", "Person 2 64 %"]
    assert [badge.get_attribute("textContent") for badge in site.all("#overlay .badge text")] == ["1", "2"]
    assert site.all("#overlay .other") == [], "nobody is dimmed until one is pointed at"
    buttons[1].click()
    site.unfold()
    assert row(site, "head_top").text.split()[2:4] == ["390,", "8"]
    assert site.text("joints").strip().startswith("Joints of person 2")
    assert len(site.all("#overlay .other")) == 1
    buttons[1].click()
    site.id("summary").click()
    ActionChains(site.chrome).move_to_element(site.id("summary")).perform()
    site.js("document.activeElement.blur()")
    assert site.all("#overlay .other") == []


def test_pointer_on_a_person_dims_the_others(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result(person(), person(300, 0.4))))
    site.choose(photo)
    site.until_view("done")
    image = site.id("photo")
    scale = image.size["width"] / 512
    x, y = (300 + 0.4 * 225) * scale, 0.4 * 400 * scale
    place = (x - image.size["width"] / 2, y - image.size["height"] / 2)
    ActionChains(site.chrome).move_to_element_with_offset(image, *place).perform()
    site.until(lambda: len(site.all("#overlay .other")) == 1)
    ActionChains(site.chrome).click().perform()
    assert site.text("joints").strip().startswith("Joints of person 2")
    pressed = [b.get_attribute("aria-pressed") for b in site.all("#people-list button")]
    assert pressed == ["false", "true"]


def test_wheel_keys_and_buttons_zoom(done: Any) -> None:
    def width() -> float:
        return float(done.js("return document.getElementById('overlay').getBoundingClientRect().width"))

    before = width()
    image = done.id("photo")
    ActionChains(done.chrome).scroll_from_origin(ScrollOrigin.from_element(image), 0, -240).perform()
    done.until(lambda: width() > before * 1.2)
    assert done.js("return scrollY") == 0
    x, y, _ = dots(done)["thorax"]
    assert (x / width(), y / width()) == (pytest.approx(225.5 / 512, abs=0.002), pytest.approx(230.5 / 512, abs=0.002))
    done.id("zoom-fit").click()
    assert width() == pytest.approx(before, abs=0.5)
    assert done.js("return document.activeElement.id") == "zoom-more"
    ActionChains(done.chrome).send_keys("++").perform()
    assert width() == pytest.approx(before * 2.25, rel=0.01)
    left = done.js("return document.getElementById('overlay').getBoundingClientRect().left")
    ActionChains(done.chrome).send_keys(Keys.ARROW_RIGHT).perform()
    moved = done.js("return document.getElementById('overlay').getBoundingClientRect().left")
    assert moved == pytest.approx(left - 60, abs=1)
    ActionChains(done.chrome).send_keys("0").perform()
    assert width() == pytest.approx(before, abs=0.5)


def test_pinch_zooms_the_photo(site: Any, stub: Stub, photo: Path) -> None:
    site.open(stub.url, width=390, height=800, phone=True)
    site.choose(photo)
    site.until_view("done")
    x, y = site.js(
        "const b = document.getElementById('photo').getBoundingClientRect(); return [b.left + 180, b.top + 180]"
    )

    def fingers(apart: int) -> list[dict[str, float]]:
        return [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]

    site.cdp("Input.dispatchTouchEvent", type="touchStart", touchPoints=fingers(30))
    for apart in (45, 60, 75, 90):
        site.cdp("Input.dispatchTouchEvent", type="touchMove", touchPoints=fingers(apart))
    site.cdp("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    width = "return document.getElementById('overlay').getBoundingClientRect().width"
    site.until(lambda: site.js(width) > 1.8 * 362)


def test_wheel_scrolls_a_page_that_is_not_at_its_top(done: Any) -> None:
    done.screen(1280, 500)
    done.js("scrollTo(0, 150)")
    before = done.js("return document.getElementById('overlay').getBoundingClientRect().width")
    ActionChains(done.chrome).scroll_from_origin(ScrollOrigin.from_element(done.id("photo")), 0, -60).perform()
    done.until(lambda: done.js("return scrollY") < 150)
    after = done.js("return document.getElementById('overlay').getBoundingClientRect().width")
    assert after == pytest.approx(before, abs=1)


def test_box_is_drawn_and_asked_for(done: Any, stub: Stub) -> None:
    stub.reset(Answer(body=result(person(100, 0.5))))
    done.id("fix").click()
    done.until_view("crop")
    layer = done.id("crop")
    width, height = layer.size["width"], layer.size["height"]
    drag = ActionChains(done.chrome)
    drag.move_to_element_with_offset(layer, -round(0.45 * width), -round(0.4 * height)).click_and_hold()
    drag.move_to_element_with_offset(layer, round(0.1 * width), round(0.3 * height)).release().perform()
    done.id("crop-ask").click()
    done.until_view("done")
    (path, _) = stub.posts[-1]
    box = [float(v) for v in path.split("box=")[1].replace("%2C", ",").split(",")]
    assert box == pytest.approx([0.05 * 512, 0.1 * 512, 0.6 * 512, 0.8 * 512], abs=4)
    assert "box=" in done.text("curl")
    assert "in the box you drew" in done.text("facts")
    asked = len(stub.posts)
    done.id("whole").click()
    assert done.text("summary") == "1 person found · 12 of 16 joints sure"
    assert "in the box" not in done.text("facts")
    assert len(stub.posts) == asked, "it is still known"
    assert not done.id("whole").is_displayed()


def test_empty_box_leads_back_to_the_whole_photo(done: Any, stub: Stub) -> None:
    stub.reset(Answer(body=result()))
    done.id("fix").click()
    done.id("crop-ask").click()
    done.until_view("nobody")
    assert done.text("problem-title") == "Nobody found in the box"
    done.id("back").click()
    assert done.view == "done"
    assert done.text("summary") == "1 person found · 12 of 16 joints sure"


def test_box_without_a_sure_joint_is_nobody(done: Any, stub: Stub) -> None:
    """The network has a pose for every box, one round a chair too."""
    chair = person()
    for keypoint in chair["keypoints"]:
        keypoint.update(score=0.2, confident=False)
    stub.reset(Answer(body=result(chair)))
    done.id("fix").click()
    done.id("crop-ask").click()
    done.until_view("nobody")
    assert done.text("problem-title") == "Nobody found in the box"
    assert done.text("own").strip().startswith("0")


def test_one_button_stands_out_in_every_view(done: Any, stub: Stub, photo: Path) -> None:
    orange = """return [...document.querySelectorAll("button")].filter((b) => b.checkVisibility())
      .filter((b) => getComputedStyle(b).backgroundColor === "rgb(255, 138, 61)").map((b) => b.id)"""
    done.id("summary").click()  # away from the buttons
    assert done.js(orange) == ["choose"]
    done.id("fix").click()
    assert done.js(orange) == ["crop-ask"]
    stub.reset(Answer(body=result()), problem(415, "This is a ZIP archive."))
    done.id("crop-ask").click()
    done.until_view("nobody")
    assert done.js(orange) == ["draw"]
    done.choose(photo)
    done.until_view("problem")
    assert done.js(orange) == ["other"], "the only way on"


@pytest.mark.parametrize(("width", "height", "phone"), [(1280, 700, False), (375, 640, True)])
def test_export_menu_stays_in_the_window(
    width: int, height: int, phone: bool, page: Any, stub: Stub, photo: Path
) -> None:
    page.open(stub.url, width=width, height=height, phone=phone)
    page.choose(photo)
    page.until_view("done")
    page.js("const b = document.getElementById('export'); b.scrollIntoView({ block: 'end' }); b.click()")
    box = page.js("const b = document.getElementById('export-list').getBoundingClientRect(); return [b.top, b.bottom]")
    assert box[0] >= 0
    assert box[1] <= page.js("return innerHeight")
    assert box[1] - box[0] > 140


def test_names_never_lie_on_each_other(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result(person(200, 0.12))))
    site.choose(photo)
    site.until_view("done")
    site.id("show-names").click()
    boxes = site.js(
        "return [...document.querySelectorAll('#overlay text')].map((t) => t.getBoundingClientRect())"
        ".map(({ left, top, right, bottom }) => [left, top, right, bottom])"
    )
    assert 2 <= len(boxes) < 12, "a small figure has room for a few"
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            assert min(wide, high) <= 0.4 * (a[3] - a[1]), "a letter's edge at most"
    before = len(boxes)
    for _ in range(4):
        site.id("zoom-more").click()
    assert len(site.all("#overlay text")) > before, "nearer there is room for more"


def test_box_can_be_drawn_by_key_and_left(done: Any, stub: Stub) -> None:
    done.id("fix").click()
    done.until_view("crop")
    assert done.js("return document.activeElement.id") == "crop-first"
    before = done.id("crop-frame").rect
    keys = ActionChains(done.chrome)
    keys.send_keys(Keys.ARROW_RIGHT, Keys.TAB).key_down(Keys.SHIFT).send_keys(Keys.ARROW_UP).key_up(
        Keys.SHIFT
    ).perform()
    after = done.id("crop-frame").rect
    assert after["x"] > before["x"]
    assert after["height"] < before["height"]
    sent = len(stub.posts)
    ActionChains(done.chrome).send_keys(Keys.ESCAPE).perform()
    assert done.view == "done"
    assert len(stub.posts) == sent
    assert done.text("summary") == "1 person found · 12 of 16 joints sure"


def test_best_guess_is_shown_when_asked_and_called_a_guess(site: Any, stub: Stub, photo: Path) -> None:
    stub.reset(Answer(body=result()), Answer(body=result(person())))
    site.choose(photo)
    site.until_view("nobody")
    site.id("guess").click()
    site.until_view("done")
    assert stub.posts[-1][0] == "/pose?format=json&box=0,0,512,512"
    assert site.text("summary") == "Best guess of a person · 12 of 16 joints sure"
    assert site.id("guessed").is_displayed()


def test_own_photo_is_reached_again_after_a_sample(done: Any) -> None:
    done.all("#samples button")[1].click()
    done.until(lambda: done.text("credit"))
    done.all("#own button:not(.away)")[0].click()
    done.until(lambda: "blob:" in done.id("photo").get_attribute("src"))


def test_photos_come_back_after_a_reload_and_can_be_removed(done: Any, stub: Stub, photo: Path) -> None:
    done.choose(photo)
    done.until(lambda: len(stub.posts) == 2 and done.view == "done")
    done.chrome.refresh()
    done.until(lambda: len(done.all("#own li")) == 2 and "blob:" in done.id("photo").get_attribute("src"))
    assert done.text("summary") == "1 person found · 12 of 16 joints sure"
    assert len(stub.posts) == 2, "their answers are kept with them"
    done.js("document.querySelector('#own .away').click()")
    done.until(lambda: len(done.all("#own li")) == 1)
    done.id("clear").click()
    done.until(lambda: "samples/" in done.id("photo").get_attribute("src"))
    done.chrome.refresh()
    done.until(lambda: done.text("summary") != "…")
    assert done.all("#own li") == []


def test_what_was_sent_is_still_told_so_after_a_reload(done: Any) -> None:
    told = done.text("facts")
    assert told.startswith("Sent as it is")
    done.chrome.refresh()
    done.until(lambda: done.all("#own li") and "blob:" in done.id("photo").get_attribute("src"))
    assert done.text("facts") == told, "not that it was processed here"


def test_strip_of_many_photos_scrolls(done: Any, photo: Path, stub: Stub) -> None:
    done.choose(*[photo] * 14)
    done.until(lambda: len(done.all("#own li")) == 15)
    inside, whole = done.js("const s = document.getElementById('own'); return [s.clientWidth, s.scrollWidth]")
    assert whole > inside
    assert done.js("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_crowd_has_numbers_only_where_the_pointer_is(site: Any, stub: Stub, photo: Path) -> None:
    crowd = [person(20 * i, 0.1) for i in range(20)]
    stub.reset(Answer(body=result(*crowd)))
    site.choose(photo)
    site.until_view("done")
    assert site.text("summary").startswith("The first 20 people found")
    assert site.all("#overlay .badge") == []
    site.all("#people-list button")[2].click()
    assert [b.get_attribute("textContent") for b in site.all("#overlay .badge text")] == ["3"]
    site.id("show-people").click()
    fills = {c.get_attribute("fill") for c in site.all("#overlay circle.dot")}
    assert len(fills) == 9, "a colour each, nine of them"


def test_sample_is_shown_at_once_with_its_stored_answer(site: Any, stub: Stub) -> None:
    assert len(site.all("#overlay circle.dot")) >= 6
    assert stub.posts == []
    for button in site.all("#samples button"):
        button.click()
        site.until(lambda b=button: b.get_attribute("aria-current") == "true" and site.view in ("done", "nobody"))
        assert site.text("credit")
        assert site.js("const p = document.getElementById('photo'); return p.decode().then(() => p.naturalWidth)") > 300
    assert stub.posts == []
    assert "samples/volleyball.jpg" in site.text("curl")


def test_box_can_be_drawn_on_a_sample(site: Any, stub: Stub, root: Path) -> None:
    stub.reset(Answer(body=result(person(), size=(1080, 512))))
    site.id("fix").click()
    site.until_view("crop")
    site.id("crop-ask").click()
    site.until(lambda: len(stub.posts) == 1 and site.view == "done")
    assert stub.posts[0][1] == (root / "static-site" / "samples" / "people.jpg").read_bytes()


def test_saved_png_is_what_is_shown_at_the_photos_full_size(site: Any, stub: Stub, tmp_path: Path) -> None:
    big = tmp_path / "wide.png"
    Image.new("RGB", (2000, 1500), (40, 90, 60)).save(big)
    stub.reset(Answer(body=result(person(100, 2.5), size=(2000, 1500))))
    site.choose(big)
    site.until_view("done")
    assert site.text("png-size") == "2000 \u00d7 1500 px"
    elbow = (round(100 + 2.5 * POINTS["left_elbow"][0]), round(2.5 * POINTS["left_elbow"][1]))
    asked = len(stub.seen)
    site.save_as("png")
    saved = Image.open(site.downloaded("wide-pose.png")).convert("RGB")
    assert saved.size == (2000, 1500)
    assert far(saved.getpixel(elbow), COLOURS_RGB["left"]) < 30
    site.id("show-joints").click()
    site.id("show-skeleton").click()
    (site.home / "downloads" / "wide-pose.png").unlink()
    site.save_as("png")
    bare = Image.open(site.downloaded("wide-pose.png")).convert("RGB")
    assert far(bare.getpixel(elbow), (40, 90, 60)) < 6, "what is switched off is not in the picture"
    assert [path for path, _ in stub.seen[asked:] if path.startswith("/pose")] == [], "nothing is sent for it"


def far(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Sum of absolute differences."""
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def test_every_format_of_the_menu_is_saved(done: Any, photo: Path) -> None:
    done.set_range("threshold", 0.6)
    for name, file in {
        "webp": "astronaut-pose.webp", "svg": "astronaut-pose.svg", "json": "astronaut-pose.json",
        "coco": "astronaut-coco.json", "csv": "astronaut-pose.csv", "openpose": "astronaut-openpose.json",
        "controlnet": "astronaut-controlnet.png",
    }.items():  # fmt: skip
        done.save_as(name)
        assert done.downloaded(file).stat().st_size > 100
        done.until(lambda said=f"Saved as {file}.": done.text("take-note") == said)
    folder = done.home / "downloads"
    keypoints = json.loads((folder / "astronaut-pose.json").read_text())["people"][0]["keypoints"]
    assert {k["confident"] for k in keypoints} == {True, False}
    assert all(k["confident"] == (k["score"] >= 0.6) for k in keypoints)
    assert Image.open(folder / "astronaut-pose.webp").size == (512, 512)
    drawn = Image.open(folder / "astronaut-controlnet.png").convert("RGB")
    assert drawn.size == (512, 512)
    assert drawn.getpixel((5, 5)) == (0, 0, 0)
    assert (
        (folder / "astronaut-pose.csv")
        .read_text()
        .startswith("people,person,person_score,joint,x,y,score,confident,state,")
    )
    svg = (folder / "astronaut-pose.svg").read_text()
    assert svg.count("<image") == 1
    assert svg.count('class="dot"') == sum(k["confident"] for k in keypoints)


def test_picture_is_copied(done: Any, stub: Stub) -> None:
    done.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"], origin=stub.url)
    done.id("copy-image").click()
    done.until(lambda: done.text("take-note") == "Copied.")
    size = done.js(
        "return navigator.clipboard.read().then(([item]) => item.getType('image/png'))"
        ".then(createImageBitmap).then((b) => [b.width, b.height])"
    )
    assert size == [512, 512]


def test_picture_is_shared_where_the_browser_can(page: Any, stub: Stub, photo: Path) -> None:
    script = """navigator.canShare = () => true;
      navigator.share = async ({ files: [f] }) => { window.shared = [f.name, f.type, f.size > 1000]; };"""
    added = page.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)
    try:
        page.open(stub.url)
        page.choose(photo)
        page.until_view("done")
        page.id("share").click()
        page.until(lambda: page.text("take-note") == "Shared.")
        assert page.js("return shared") == ["astronaut-pose.png", "image/png", True]
    finally:
        page.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])


def test_share_is_not_offered_where_the_browser_cannot(done: Any) -> None:
    if done.js("return Boolean(navigator.canShare)"):
        pytest.skip("this browser can share")
    assert not done.id("share").is_displayed()


def test_curl_command_is_copied_and_works(done: Any, stub: Stub, tmp_path: Path, photo: Path) -> None:
    done.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"], origin=stub.url)
    done.set_range("threshold", 0.25)
    done.id("export").click()
    done.id("copy-curl").click()
    done.until(lambda: "is copied" in done.text("take-note"))
    command = done.js("return navigator.clipboard.readText()")
    assert command == done.text("curl")
    (tmp_path / "astronaut.jpg").write_bytes(photo.read_bytes())
    subprocess.run(command, shell=True, check=True, cwd=tmp_path, capture_output=True)
    path, body = stub.seen[-1]
    assert path == "/pose?format=png&threshold=0.25"
    assert photo.read_bytes() in body
    assert (tmp_path / "astronaut-pose.png").exists()
    stub.reset(problem(413, "70 megapixels; the limit is 64."))
    ran = subprocess.run(command, shell=True, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert "the limit is 64" in ran.stdout, "what the API says of an error is shown"


def test_how_long_it_took_is_told(done: Any) -> None:
    assert re.fullmatch(r"Sent as it is.*: \d+ kB\. Answered in \d\.\d s\.", done.text("facts"))


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
    page.until(lambda: page.js("return document.getElementById('photo').naturalWidth") == 512)
