"""The site against the server of `make serve` with the real model: nothing is played here."""

import io
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest
from PIL import Image

from hpe.pose.skeleton import COLOURS_RGB, KEYPOINTS
from hpe.web.params import OUTPUT_TYPES


@pytest.fixture(scope="module")
def served(root: Path) -> Iterator[str]:
    """The address of `hpe serve`."""
    if not (root / "models" / "pose.onnx").is_file():
        pytest.skip("needs the model: models/pose.onnx")
    command = [sys.executable, "-m", "hpe.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        line = server.stderr.readline()
        try:
            yield line.split()[2]
        finally:
            server.terminate()
            server.stderr.read()


@pytest.fixture
def done(page: Any, served: str, photo: Path) -> Any:
    """The page with the astronaut's joints found."""
    page.open(served)
    page.choose(photo)
    page.until_view("done", 60)
    return page


def test_switched_joints_are_those_the_api_calls_confident(done: Any) -> None:
    done.save_as("json")
    told = json.loads(done.downloaded("astronaut-pose.json").read_text())
    (someone,) = told["people"]
    assert [k["name"] for k in someone["keypoints"]] == list(KEYPOINTS)
    sure = {k["name"] for k in someone["keypoints"] if k["confident"]}
    drawn = {dot.get_attribute("data-joint") for dot in done.all("#overlay circle.dot")}
    assert drawn == sure
    assert len(sure) >= 6
    assert told["image"] == {"width": 512, "height": 512}
    assert done.text("facts").startswith("Sent as it is")
    assert done.log() == []


def test_json_with_a_moved_threshold_marks_other_joints(done: Any) -> None:
    done.set_range("threshold", 0.45)
    done.save_as("json")
    told = json.loads(done.downloaded("astronaut-pose.json").read_text())
    for k in told["people"][0]["keypoints"]:
        assert k["confident"] == (k["score"] >= 0.45)


def test_eyes_and_ears_are_told_apart_in_words(done: Any) -> None:
    done.unfold()
    seen = (
        "return [...arguments[0].childNodes].filter((n) => n.className !== 'unseen').map((n) => n.textContent).join('')"
    )
    rows = [done.js(seen, button) for button in done.all("#joints td button")]
    assert {"Left eye", "Right eye", "Left ear", "Right ear"} <= set(rows)
    assert rows.count("Shoulder") == 2, "the headings Left arm and Right arm say which"


def test_missing_page_leads_back(page: Any, served: str) -> None:
    page.open(served + "nothing-here")
    head, link = page.all("h1")[0].rect, page.all("main a")[0].rect
    assert link["x"] == head["x"]
    assert link["y"] > head["y"]


def test_png_holds_the_skeleton_where_the_page_draws_it(done: Any, photo: Path) -> None:
    done.save_as("png")
    drawn = Image.open(done.downloaded("astronaut-pose.png")).convert("RGB")
    assert drawn.size == (512, 512)
    x1, y1, x2, y2 = done.js(
        "const l = [...document.querySelectorAll('#overlay line')]"
        ".find((l) => l.getAttribute('stroke') === 'rgb(255 138 61)');"
        "return ['x1', 'y1', 'x2', 'y2'].map((a) => Number(l.getAttribute(a)))"
    )
    found = drawn.getpixel((round((x1 + x2) / 2), round((y1 + y2) / 2)))
    was = Image.open(photo).getpixel((round((x1 + x2) / 2), round((y1 + y2) / 2)))
    assert far(found, COLOURS_RGB["left"]) < 90
    assert found != was


def far(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Sum of absolute differences."""
    return sum(abs(x - y) for x, y in zip(a, b, strict=True))


def test_curl_command_of_the_page_works(done: Any, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "astronaut.jpg").write_bytes(photo.read_bytes())
    subprocess.run(done.text("curl"), shell=True, check=True, cwd=tmp_path, capture_output=True)
    assert Image.open(tmp_path / "astronaut-pose.png").size == (512, 512)


def ten_photos(folder: Path, photo: Path) -> Iterator[Path]:
    """Two pictures in five formats, with all that phones do to them: turned by EXIF, with a place in it."""
    from pillow_heif import from_pillow

    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    whole = Image.open(photo)
    for name, picture in (("square", whole), ("upright", whole.crop((60, 0, 440, 512)))):
        lying = picture.rotate(90, expand=True)
        lying.save(folder / f"{name}.jpg", quality=88, exif=exif)
        lying.save(folder / f"{name}.png", exif=exif)
        lying.save(folder / f"{name}.webp", quality=85, exif=exif)
        picture.save(folder / f"{name}.avif", quality=80)
        from_pillow(picture).save(folder / f"{name}.heic", quality=80)
        yield from (folder / f"{name}.{ending}" for ending in ("jpg", "png", "webp", "avif", "heic"))


def test_page_and_curl_give_the_same_joints(page: Any, served: str, photo: Path, tmp_path: Path) -> None:
    """What the page's JSON says of ten photos is what curl's says, to the last digit."""
    page.open(served)
    for file in ten_photos(tmp_path, photo):
        page.choose(file)
        page.until_view("done", 60)
        page.save_as("json")
        of_page = json.loads(page.downloaded(f"{file.stem}-pose.json").read_text())
        (page.home / "downloads" / f"{file.stem}-pose.json").unlink()
        command = ["curl", "-sS", "--fail-with-body", "-F", f"image=@{file}", f"{served}pose?format=json"]
        of_curl = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        for answer in (of_page, of_curl):
            del answer["timings_ms"]
        assert of_page == of_curl, file.name
        assert of_page["people"], file.name
        natural = page.js("const p = document.getElementById('photo'); return [p.naturalWidth, p.naturalHeight]")
        assert natural == [of_page["width"], of_page["height"]], f"{file.name}: the skeleton lies on the photo"
    assert page.log() == []


def snippet(page: Any, panel: str, number: int = 0) -> str:
    """The text of an example on the API's page."""
    css = f"#panel-{panel} pre code"
    return str(page.js("return document.querySelectorAll(arguments[0])[arguments[1]].textContent", css, number))


def test_examples_of_the_api_page_run(page: Any, served: str, photo: Path, tmp_path: Path) -> None:
    """Each in its own runtime: a shell, Python, and the browser."""
    (tmp_path / "photo.jpg").write_bytes(photo.read_bytes())
    page.open(served + "docs.html")
    page.until(lambda: served.rstrip("/") in snippet(page, "curl"))
    for number in range(3):
        command = snippet(page, "curl", number).replace("120,40,380,600", "60,20,480,500")
        ran = subprocess.run(command, shell=True, check=True, cwd=tmp_path, capture_output=True, text=True)
        assert number == 0 or json.loads(ran.stdout)["people"]
    assert Image.open(tmp_path / "pose.png").size == (512, 512)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(photo.read_bytes())
    command = shlex.split(snippet(page, "curl", 3))
    subprocess.run([sys.executable, "-m", "hpe.cli", *command[1:]], check=True, cwd=tmp_path, capture_output=True)
    assert set(pandas.read_parquet(tmp_path / "joints.parquet").person) >= {1}
    (tmp_path / "example.py").write_text(snippet(page, "python"))
    ran = subprocess.run([sys.executable, "example.py"], check=True, cwd=tmp_path, capture_output=True, text=True)
    assert ran.stdout.startswith("1 ")
    drawn = page.chrome.execute_async_script(
        "const done = arguments[arguments.length - 1]; (async () => {"
        "const canvas = Object.assign(document.createElement('canvas'), { width: 512, height: 512 });"
        "const file = await (await fetch('samples/astronaut.jpg')).blob();"
        + snippet(page, "javascript")
        + "\ndone(canvas.getContext('2d').getImageData(0, 0, 512, 512).data.some((v) => v > 0));"
        "})().catch((error) => done(String(error)));"
    )
    assert drawn is True


def test_every_worked_example_of_the_reference_runs(page: Any, served: str, photo: Path, tmp_path: Path) -> None:
    """As the page shows them, at this very server; what they answer is held by tests/web/test_examples.py."""
    (tmp_path / "photo.jpg").write_bytes(photo.read_bytes())
    (tmp_path / "notes.txt").write_text("not a photo")
    page.open(served + "docs.html")
    page.until(lambda: page.all(".example"))
    requests = page.js(
        "return [...document.querySelectorAll('.example')].map((e) => e.querySelector('code').textContent)"
    )
    assert len(requests) >= len(OUTPUT_TYPES)
    for command in requests:
        ran = subprocess.run(command, shell=True, check=True, cwd=tmp_path, capture_output=True, text=True)
        assert ran.stdout or " -o " in command, command
    assert {Image.open(tmp_path / name).size for name in ("pose.png", "control.png", "pose.jpg", "pose.webp")} == {
        (512, 512)
    }


def test_best_guess_and_box_are_answered(page: Any, served: str, tmp_path: Path, photo: Path) -> None:
    Image.new("RGB", (640, 480), (120, 140, 160)).save(tmp_path / "wall.png")
    page.open(served)
    page.choose(tmp_path / "wall.png")
    page.until_view("nobody", 60)
    page.id("guess").click()
    page.until_view("done", 60)
    assert page.text("summary").startswith("Best guess of a person")
    page.choose(photo)
    page.until_view("done", 60)
    page.id("fix").click()
    page.until_view("crop")
    page.id("crop-ask").click()
    page.until_view("done", 60)
    assert "in the box you drew" in page.text("facts")


def test_samples_on_the_page_are_those_of_the_running_model(page: Any, served: str) -> None:
    page.open(served)
    page.until(lambda: page.all("#overlay circle.dot"))
    stored = page.js("return fetch('samples/astronaut.json').then((a) => a.json())")
    now = page.js(
        "return fetch('samples/astronaut.jpg').then((a) => a.blob())"
        ".then((body) => fetch('pose?format=json', { method: 'POST', body })).then((a) => a.json())"
    )
    assert stored["model"] == now["model"]
    assert set(stored) == set(now) - {"timings_ms"}


def test_broken_heic_gets_the_apis_own_words(page: Any, served: str, tmp_path: Path) -> None:
    (tmp_path / "torn.heic").write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(500))
    page.open(served)
    page.choose(tmp_path / "torn.heic")
    page.until_view("problem", 60)
    assert page.id("problem-text").text[-1] in ".!?"
    assert not page.id("again").is_displayed()


def test_tiff_which_browsers_cannot_read_is_shown_as_the_api_reads_it(
    page: Any, served: str, photo: Path, tmp_path: Path
) -> None:
    out = io.BytesIO()
    Image.open(photo).save(out, "TIFF", compression="tiff_lzw")
    (tmp_path / "scan.tif").write_bytes(out.getvalue())
    page.open(served)
    page.choose(tmp_path / "scan.tif")
    page.until_view("done", 60)
    page.until(lambda: page.js("return document.getElementById('photo').naturalWidth") == 512)
    assert len(page.all("#overlay circle.dot")) >= 6


def test_api_page_is_made_from_the_openapi_document(page: Any, served: str, root: Path) -> None:
    page.open(served + "docs.html")
    page.until(lambda: not page.id("reference").get_attribute("aria-busy"))
    text = page.id("main").text
    paths = json.loads((root / "hpe" / "web" / "openapi.json").read_text())["paths"]
    for path, item in paths.items():
        for method in item:
            assert f"{method.upper()} {path}" in text or method in ("head", "parameters")
    assert "threshold" in text
    assert f"{served}pose" in text, "examples name this very server"
    assert page.log() == []
    page.id("try").click()
    page.until(lambda: "200 after" in page.text("try-note"), 60)
    assert '"keypoints"' in page.text("try-answer")
    page.all("#try-format option")[1].click()
    page.id("try").click()
    page.until(lambda: "image/png" in page.text("try-note"), 60)
    assert (
        page.js("const p = document.getElementById('try-picture'); return p.decode().then(() => p.naturalWidth)")
        == 1080
    )
