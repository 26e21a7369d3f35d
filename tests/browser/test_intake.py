"""Every way a photo gets in, and what of it leaves the browser."""

import base64
import io
from pathlib import Path
from typing import Any

from browser.conftest import person, result
from browser.stub import Answer, Stub
from PIL import Image


def sent(stub: Stub) -> bytes:
    """The one photo that was posted."""
    (body,) = [body for path, body in stub.seen if path.startswith("/pose")]
    return body


def test_chosen_photo_is_sent_and_shown(site: Any, stub: Stub, photo: Path) -> None:
    site.choose(photo)
    site.until_view("done")
    assert site.text("summary") == "1 person · 12 of 16 joints sure"
    assert Image.open(io.BytesIO(sent(stub))).size == (512, 512)
    assert site.log() == []


def test_photo_dropped_anywhere_is_taken(site: Any, photo: Path) -> None:
    data = {"items": [], "files": [str(photo)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver"):
        site.cdp("Input.dispatchDragEvent", type=kind, x=1100, y=850, data=data)
    assert site.id("veil").is_displayed()
    site.cdp("Input.dispatchDragEvent", type="drop", x=1100, y=850, data=data)
    site.until_view("done")
    assert not site.id("veil").is_displayed()


def test_veil_goes_when_the_drag_leaves(site: Any, photo: Path) -> None:
    data = {"items": [], "files": [str(photo)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver"):
        site.cdp("Input.dispatchDragEvent", type=kind, x=500, y=500, data=data)
    site.until(lambda: site.id("veil").is_displayed())
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
    site.until_view("done")
    assert Image.open(io.BytesIO(sent(stub))).size == (512, 512)


def test_camera_is_offered_on_phones_only(site: Any, stub: Stub) -> None:
    assert not site.id("camera").is_displayed()
    site.open(stub.url, width=360, height=740, phone=True)
    assert site.id("camera").is_displayed()
    assert site.id("shot").get_attribute("capture") == "environment"


def test_phone_photo_goes_up_small_upright_and_without_its_place(site: Any, stub: Stub, phone_photo: Path) -> None:
    site.choose(phone_photo)
    site.until_view("done")
    image = Image.open(io.BytesIO(sent(stub)))
    assert image.size == (1200, 1600)
    assert len(image.getexif()) == 0
    assert b"PhoneMaker" not in sent(stub)
    assert len(sent(stub)) < phone_photo.stat().st_size / 10
    # upright: the photo's left edge, the flag, is at the top after a quarter turn clockwise
    upright = Image.open(phone_photo).rotate(-90, expand=True).resize((12, 16))
    assert mean_difference(image.resize((12, 16)), upright) < 6


def mean_difference(a: Image.Image, b: Image.Image) -> float:
    """Mean absolute difference of two pictures of one size, 0..255."""
    pairs = zip(a.convert("RGB").tobytes(), b.convert("RGB").tobytes(), strict=True)
    return sum(abs(x - y) for x, y in pairs) / (3 * a.width * a.height)


def test_transparent_parts_become_white(site: Any, stub: Stub, tmp_path: Path) -> None:
    Image.new("RGBA", (64, 48), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    site.choose(tmp_path / "clear.png")
    site.until_view("done")
    assert Image.open(io.BytesIO(sent(stub))).getpixel((32, 24)) == (255, 255, 255)


def test_of_several_files_the_picture_is_taken(site: Any, stub: Stub, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a picture")
    site.choose(tmp_path / "notes.txt", photo)
    site.until_view("done")
    assert Image.open(io.BytesIO(sent(stub))).size == (512, 512)


def test_photo_only_the_api_can_read_is_sent_as_it_is(site: Any, stub: Stub, photo: Path, tmp_path: Path) -> None:
    """As HEIC is, outside Safari: the picture on the page is then the API's copy, with nothing drawn on it."""
    heic = b"\x00\x00\x00\x18ftypheic" + bytes(2000)
    (tmp_path / "IMG_1.HEIC").write_bytes(heic)
    answer = Answer(body=result(person()))
    stub.reset(answer, Answer(body=photo.read_bytes(), headers={"Content-Type": "image/jpeg"}))
    site.choose(tmp_path / "IMG_1.HEIC")
    site.until_view("done")
    posts = [(path, body) for path, body in stub.seen if path.startswith("/pose")]
    assert posts == [("/pose?format=json", heic), ("/pose?format=jpeg&threshold=1", heic)]
    assert site.js("return document.getElementById('photo').naturalWidth") == 512
    assert len(site.all("#overlay circle.dot")) == 12


def test_same_photo_can_be_chosen_again(site: Any, stub: Stub, photo: Path) -> None:
    for _ in range(2):
        site.choose(photo)
        site.until(lambda: not stub.seen or site.view == "done")
    site.until(lambda: sum(path.startswith("/pose") for path, _ in stub.seen) == 2)
    site.until_view("done")
