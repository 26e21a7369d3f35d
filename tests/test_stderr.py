"""What C libraries say of odd photos is in no log and on no terminal; what this package says is."""

import base64
import io
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]


def fax(rows: int = 30_000) -> bytes:
    """A fax-coded TIFF of 1728x30000 px whose data are random: thousands of lines of libtiff."""
    data = np.random.default_rng(0).bytes(400_000 * rows // 30_000)
    tags = {256: 1728, 257: rows, 258: 1, 259: 3, 262: 0, 273: 200, 277: 1, 278: rows, 279: len(data)}
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return (b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + bytes(4)).ljust(200, b"\0") + data


def damaged_jpeg() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(out, "JPEG")
    data = bytearray(out.getvalue())
    data[-200:-100] = bytes(100)
    return bytes(data)


SAID = {"fax": (fax, "fax.tif"), "JPEG": (damaged_jpeg, "damaged.jpg")}
HANDLER = """
import json, sys
import handler
sys.path.append("tests")
from web.fakes import FakeEstimator
handler.estimator = FakeEstimator
print(handler.handler(json.loads(sys.stdin.read()), None)["statusCode"])
"""
LIBRARIES = """
import contextlib, sys
import cv2
from PIL import Image
cv2.imread(sys.argv[1])
with contextlib.suppress(OSError):
    Image.open(sys.argv[1]).load()
"""
PYTHON = """
import contextlib, sys, threading
import cv2
from hpe import HpeError, draw_pose
from PIL import Image
data = open(sys.argv[1], "rb").read()
def each(image):
    with contextlib.suppress(HpeError):
        draw_pose(image, [])
photos = (sys.argv[1], data, open(sys.argv[1], "rb"), Image.open(sys.argv[1]))
several = [threading.Thread(target=each, args=(photo,)) for photo in photos]
for thread in several: thread.start()
print("a line of our own", file=sys.stderr)
for thread in several: thread.join()
"""
SILENCE = "import os, sys\nfrom hpe.stderr import silence_libraries\n"


def run(code: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *code], input=given, capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.parametrize("name", SAID)
def test_libraries_do_speak_of_these(name: str, tmp_path: Path) -> None:
    path = tmp_path / SAID[name][1]
    path.write_bytes(SAID[name][0]())
    assert run(["-c", LIBRARIES, str(path)]).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="C's stderr cannot be set there")
@pytest.mark.parametrize("name", SAID)
def test_a_python_program_hears_nothing_of_them_but_all_else(name: str, tmp_path: Path) -> None:
    path = tmp_path / SAID[name][1]
    path.write_bytes(fax(600) if name == "fax" else damaged_jpeg())
    assert run(["-c", PYTHON, str(path)]).stderr == "a line of our own\n"
    after = f"{PYTHON}\ncv2.imread(sys.argv[1])\nImage.open(sys.argv[1]).load()"
    assert run(["-c", after, str(path)]).stderr > "a line of our own\n", "what others decode is heard as before"


@pytest.mark.parametrize("name", SAID)
def test_the_log_has_one_line_of_json_a_request(name: str) -> None:
    event = {
        "version": "2.0",
        "rawPath": "/pose",
        "rawQueryString": "format=png",
        "headers": {"content-type": "image/tiff"},
        "requestContext": {"http": {"method": "POST", "path": "/pose"}},
        "body": base64.b64encode(SAID[name][0]()).decode(),
        "isBase64Encoded": True,
    }
    found = run(["-c", HANDLER], json.dumps(event))
    (line,) = found.stderr.splitlines()
    assert json.loads(line)["status"] == int(found.stdout)


def test_the_terminal_has_what_the_command_says(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    path.write_bytes(fax())
    found = run(["-m", "hpe.cli", "predict", str(path), "--format", "json"])
    assert len(found.stderr.splitlines()) <= 2
    assert "fax.tif" in found.stderr or found.stdout


def test_tracebacks_are_still_seen() -> None:
    assert "ZeroDivisionError" in run(["-c", f"{SILENCE}silence_libraries()\nsilence_libraries()\n1 / 0"]).stderr
    assert run(["-c", f"{SILENCE}silence_libraries()\nos.write(2, b'chatter')"]).stderr == ""
    assert run(["-c", f"{SILENCE}sys.stderr = None\nsilence_libraries()"]).returncode == 0
