"""A browser, the site with a scripted API, and photos to give it."""

import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser.host import Host, hosting
from browser.stub import Answer, Stub, serving
from PIL import Image

from hpe.pose.skeleton import JOINTS, LIMBS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
# A person of 512 px, half of whom is in the picture; the legs are unsure.
POINTS = {
    "right_ankle": (150, 700), "right_knee": (160, 620), "right_hip": (165, 500), "left_hip": (290, 500),
    "left_knee": (300, 620), "left_ankle": (300, 700), "pelvis": (228, 500), "thorax": (225, 230),
    "upper_neck": (222, 195), "head_top": (225, 20), "right_wrist": (60, 505), "right_elbow": (75, 390),
    "right_shoulder": (110, 260), "left_shoulder": (340, 260), "left_elbow": (385, 390), "left_wrist": (380, 470),
}  # fmt: skip
UNSURE = {"right_ankle": 0.02, "right_knee": 0.11, "left_knee": 0.12, "left_ankle": 0.03}


def person(x: float = 0, scale: float = 1, threshold: float = 0.3) -> dict[str, Any]:
    """One person as the API tells of them: 12 sure joints and 4 unsure ones."""
    scores = {name: UNSURE.get(name, 0.5 + 0.02 * i) for i, name in enumerate(JOINTS)}
    keypoints = [
        {
            "name": name,
            "x": POINTS[name][0] * scale + x,
            "y": POINTS[name][1] * scale,
            "score": scores[name],
            "confident": scores[name] >= threshold,
        }
        for name in JOINTS
    ]
    box = [60 * scale + x, 20 * scale, 385 * scale + x, 505 * scale]
    return {"score": 0.64, "box": box, "keypoints": keypoints}


def result(*people: dict[str, Any], size: tuple[int, int] = (512, 512)) -> dict[str, Any]:
    """A whole JSON answer."""
    return {
        "image": {"width": size[0], "height": size[1]},
        "width": size[0],
        "height": size[1],
        "threshold": 0.3,
        "skeleton": [list(limb) for limb in LIMBS],
        "people": list(people),
        "model": {"name": "stub", "sha256": "0" * 64},
        "timings_ms": {"decode": 6.1, "infer": 43.2, "draw": 0.0, "encode": 0.4},
    }


def moving_person(jpeg: bytes) -> Iterator[bytes]:
    """JPEGs of 640 x 480 px in which an astronaut goes from left to right and back: what the fake camera sees."""
    person = Image.open(io.BytesIO(jpeg)).resize((420, 420))
    for step in [*range(0, 60, 2), *range(60, 0, -2)]:
        frame = Image.new("RGB", (640, 480), (120, 130, 140))
        frame.paste(person, (80 + step, 60))
        out = io.BytesIO()
        frame.save(out, "JPEG", quality=85)
        yield out.getvalue()


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory, astronaut_jpeg: bytes) -> Iterator[Any]:
    """(Page, its folder): one Chromium for all tests."""
    pytest.importorskip("selenium", reason="needs selenium: pip install -r requirements-dev.txt")
    if not CHROMIUM or not DRIVER:
        pytest.skip("needs Chromium and its driver: apt-get install chromium chromium-driver")
    from browser.page import Page, start_chromium

    home = tmp_path_factory.mktemp("chromium")
    (home / "camera.mjpeg").write_bytes(b"".join(moving_person(astronaut_jpeg)))
    browser = start_chromium(CHROMIUM, DRIVER, home)
    yield Page(browser, home)
    browser.quit()


@pytest.fixture(scope="session")
def host(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """`npm run site`, served by Python's own file server."""
    node = shutil.which("node")
    if not node or not (root / "node_modules" / "onnxruntime-web").is_dir():
        pytest.skip("needs Node and onnxruntime-web: npm ci")
    if not (root / "models" / "pose.onnx").is_file():
        pytest.skip("needs the model: models/pose.onnx")
    folder = tmp_path_factory.mktemp("site")
    subprocess.run([node, "deploy/build_site.js", str(folder)], cwd=root, check=True, capture_output=True, timeout=120)
    with hosting(folder) as host:
        yield host


@pytest.fixture(scope="session")
def stub_server(root: Path) -> Iterator[Stub]:
    """static-site/ and the scripted API on one port."""
    with serving(root / "static-site") as stub:
        yield stub


@pytest.fixture
def stub(stub_server: Stub) -> Stub:
    """The scripted API, which finds one person until told otherwise."""
    stub_server.reset(Answer(body=result(person())))
    return stub_server


@pytest.fixture
def page(chrome: Any) -> Iterator[Any]:
    """The browser. No test may end with a refusal by the Content-Security-Policy."""
    for file in (chrome.home / "downloads").iterdir():
        file.unlink()
    yield chrome
    assert chrome.violations() == []
    chrome.forget()


@pytest.fixture
def site(page: Any, stub: Stub) -> Any:
    """The page, open on a desktop, with the scripted API behind it."""
    page.open(stub.url)
    page.until(lambda: page.text("summary") != "…")
    return page


@pytest.fixture(scope="session")
def photo(astronaut_jpeg: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """astronaut.jpg, 512x512."""
    file = tmp_path_factory.mktemp("photos") / "astronaut.jpg"
    file.write_bytes(astronaut_jpeg)
    return file


@pytest.fixture(scope="session")
def phone_photo(photo: Path) -> Path:
    """A 12 MP JPEG as phones make them: lying on its side by EXIF, with a place and a camera in it."""
    smooth = np.asarray(Image.open(photo).crop((0, 0, 512, 384)).resize((4032, 3024)))
    grain = np.tile(np.random.default_rng(0).integers(0, 20, (1008, 1008, 1), np.uint8), (3, 4, 1))
    big = Image.fromarray(smooth // 13 * 12 + grain)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    file = photo.with_name("IMG_0001.JPG")
    out = io.BytesIO()
    big.save(out, "JPEG", quality=92, exif=exif)
    file.write_bytes(out.getvalue())
    return file
