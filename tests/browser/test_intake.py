"""Every way photos get in, and what of them leaves the browser."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from browser.conftest import person, result
from browser.stub import Answer, Stub
from PIL import Image


def sent(stub: Stub) -> bytes:
    """The one photo that was posted."""
    (body,) = [body for _, body in stub.posts]
    return body


def pixels(data: bytes) -> np.ndarray:
    """(H, W, 3) uint8, as stored: not turned."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_chosen_photo_is_sent_and_shown(site: Any, stub: Stub, photo: Path) -> None:
    site.choose(photo)
    site.until_view("done")
    assert site.text("summary") == "1 person found · 12 of 16 joints sure"
    assert Image.open(io.BytesIO(sent(stub))).size == (512, 512)
    assert site.log() == []


def test_photo_dropped_anywhere_is_taken(site: Any, photo: Path, stub: Stub) -> None:
    data = {"items": [], "files": [str(photo)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver"):
        site.cdp("Input.dispatchDragEvent", type=kind, x=1100, y=850, data=data)
    assert site.id("veil").is_displayed()
    site.cdp("Input.dispatchDragEvent", type="drop", x=1100, y=850, data=data)
    site.until(lambda: site.text("summary") == "1 person found · 12 of 16 joints sure")
    assert not site.id("veil").is_displayed()


def test_veil_goes_when_the_drag_leaves(site: Any, photo: Path) -> None:
    data = {"items": [], "files": [str(photo)], "dragOperationsMask": 1}

    def dragged_over() -> bool:
        for kind in ("dragEnter", "dragOver"):
            site.cdp("Input.dispatchDragEvent", type=kind, x=500, y=500, data=data)
        return bool(site.id("veil").is_displayed())

    site.until(dragged_over)
    site.cdp("Input.dispatchDragEvent", type="dragCancel", x=0, y=0, data=data)
    site.until(lambda: not site.id("veil").is_displayed())


def test_pasted_photo_is_taken(site: Any, stub: Stub, photo: Path) -> None:
    png = io.BytesIO()
    Image.open(photo).save(png, "PNG")
    allowed = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    site.cdp("Browser.grantPermissions", permissions=allowed, origin=stub.url)
    site.js(
        """return (async (text) => {
          const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
          const png = new Blob([bytes], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
        })(arguments[0])""",
        base64.b64encode(png.getvalue()).decode(),
    )
    key = {"modifiers": 2, "key": "v", "code": "KeyV", "windowsVirtualKeyCode": 86, "commands": ["paste"]}
    site.cdp("Input.dispatchKeyEvent", type="keyDown", **key)
    site.cdp("Input.dispatchKeyEvent", type="keyUp", **key)
    site.until(lambda: len(stub.posts) == 1)
    site.until_view("done")
    assert Image.open(io.BytesIO(sent(stub))).size == (512, 512)


def test_phones_are_not_told_to_drop_and_paste(site: Any, stub: Stub) -> None:
    assert "Drop or paste" in site.id("main").text
    site.open(stub.url, width=360, height=740, phone=True)
    assert "Drop or paste" not in site.id("main").text


def test_photo_goes_up_with_every_pixel_but_without_place_and_camera(site: Any, stub: Stub, phone_photo: Path) -> None:
    stub.reset(Answer(body=result(person(), size=(3024, 4032))))
    site.choose(phone_photo)
    site.until_view("done")
    image = Image.open(io.BytesIO(sent(stub)))
    assert image.size == (4032, 3024), "as it is, lying on its side"
    assert dict(image.getexif()) == {0x0112: 6}, "the orientation alone is left"
    assert b"PhoneMaker" not in sent(stub)
    assert np.array_equal(pixels(sent(stub)), pixels(phone_photo.read_bytes()))
    assert "Sent as it is, without place, date and camera" in site.text("facts")


def test_photo_over_the_limit_goes_smaller_and_the_page_says_so(site: Any, stub: Stub, phone_photo: Path) -> None:
    limit = phone_photo.stat().st_size // 2
    stub.reset(Answer(body=result(person(), size=(1512, 2016))), config={"apiUrl": "", "maxBytes": limit})
    site.open(stub.url)
    site.choose(phone_photo)
    site.until_view("done", 60)
    image = Image.open(io.BytesIO(sent(stub)))
    assert len(sent(stub)) <= limit
    assert image.width < image.height, "upright"
    assert len(image.getexif()) == 0
    assert "more than can be sent" in site.text("facts")
    upright = Image.open(phone_photo).rotate(-90, expand=True).resize((12, 16))
    assert mean_difference(image.resize((12, 16)), upright) < 6
    site.save_as("json")
    site.unfold()
    told = json.loads(site.downloaded("IMG_0001-pose.json").read_text())
    assert (told["width"], told["height"]) == (3024, 4032), "px of the photo, not of what was sent"
    assert site.all("#joints [data-joint='9']")[0].text.split()[2:4] == ["451,", "41"]


def mean_difference(a: Image.Image, b: Image.Image) -> float:
    """Mean absolute difference of two pictures of one size, 0..255."""
    return float(np.abs(np.asarray(a.convert("RGB"), int) - np.asarray(b.convert("RGB"), int)).mean())


def test_several_files_are_processed_in_order_and_each_is_kept(
    site: Any, stub: Stub, photo: Path, tmp_path: Path
) -> None:
    for name, size in (("a.png", (300, 200)), ("b.png", (200, 300))):
        Image.new("RGB", size, "green").save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    stub.reset(
        Answer(body=result(person(), size=(300, 200)), delay_s=1),
        Answer(body=result(size=(200, 300))),
        Answer(body=result(person(), person(300, 0.4))),
    )
    site.choose(tmp_path / "a.png", tmp_path / "notes.txt", tmp_path / "b.png", photo)
    assert site.text("progress-own") == "0 of 4 done"
    assert "Waiting" not in site.text("wait"), "the first is shown, and is not waiting"
    site.until(lambda: site.text("progress-own") == "4 photos")
    assert [Image.open(io.BytesIO(body)).size for _, body in stub.posts] == [(300, 200), (200, 300), (512, 512)]
    assert site.text("summary") == "1 person found · 12 of 16 joints sure", "the view stays on the first"
    buttons = site.all("#own button:not(.away)")
    assert [b.get_attribute("title") for b in buttons] == [
        "a.png: 1 person found · 12 of 16 joints sure",
        "notes.txt: failed",
        "b.png: Nobody found",
        "astronaut.jpg: 2 people found · 24 of 32 joints sure",
    ]
    buttons[1].click()
    assert site.text("problem-title") == "That is not a picture"
    buttons[2].click()
    site.until_view("nobody")
    buttons[3].click()
    site.until_view("done")
    assert site.text("summary").startswith("2 people")
    site.until(lambda: site.js("return document.getElementById('photo').naturalWidth") == 512)


def test_photo_only_the_api_can_read_is_sent_as_it_is(site: Any, stub: Stub, photo: Path, tmp_path: Path) -> None:
    """As HEIC is, outside Safari: the picture on the page is then the API's copy, with nothing drawn on it."""
    heic = b"\x00\x00\x00\x18ftypheic" + bytes(2000)
    (tmp_path / "IMG_1.HEIC").write_bytes(heic)
    answer = Answer(body=result(person()))
    stub.reset(answer, Answer(body=photo.read_bytes(), headers={"Content-Type": "image/jpeg"}))
    site.choose(tmp_path / "IMG_1.HEIC")
    site.until_view("done")
    assert stub.posts == [("/pose?format=json", heic), ("/pose?format=jpeg&threshold=1", heic)]
    site.until(lambda: site.js("return document.getElementById('photo').naturalWidth") == 512)
    assert len(site.all("#overlay circle.dot")) == 12
    assert "with everything the camera wrote into it" in site.text("facts")


def test_photo_that_the_api_turns_otherwise_is_shown_as_the_api_turns_it(
    site: Any, stub: Stub, photo: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (300, 200), "green").save(tmp_path / "turned.png")
    copy = io.BytesIO()
    Image.new("RGB", (200, 300), "green").save(copy, "JPEG")
    stub.reset(
        Answer(body=result(person(), size=(200, 300))),
        Answer(body=copy.getvalue(), headers={"Content-Type": "image/jpeg"}),
    )
    site.choose(tmp_path / "turned.png")
    site.until_view("done")
    site.until(lambda: site.js("return document.getElementById('photo').naturalHeight") == 300)


def test_same_photo_can_be_chosen_again(site: Any, stub: Stub, photo: Path) -> None:
    for n in (1, 2):
        site.choose(photo)
        site.until(lambda n=n: len(stub.posts) == n)
        site.until_view("done")
    assert len(site.all("#own li")) == 2
