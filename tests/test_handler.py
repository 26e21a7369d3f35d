"""handler.py as Lambda runs it: a fresh process, one estimator a container, recovery after a failure."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpe.engine.manifest import read_manifest

ROOT = Path(__file__).parents[1]
EVENTS = Path(__file__).parent / "events"
MODEL = ROOT / "models" / "pose.json"
HEAVY = ("cv2", "numpy", "onnxruntime", "boto3", "requests", "PIL", "torch", "onnx", "ssl")


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HPE_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_importing_it_loads_nothing_heavy() -> None:
    code = f"import sys, handler; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = run(code)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_bad_setting_stops_it_at_the_start_and_is_named() -> None:
    done = run("import handler", HPE_MAX_PIXELS="lots")
    assert done.returncode != 0
    assert "HPE_MAX_PIXELS" in done.stderr


def test_it_fits_on_a_page() -> None:
    assert len((ROOT / "handler.py").read_text().splitlines()) <= 30


CALL = """
import json, pathlib, handler
class Context: aws_request_id = "container-1"
for name in {names!r}:
    event = json.loads(pathlib.Path("tests/events", name + ".json").read_text())
    got = handler.handler(event, Context())
    headers = got.get("headers") or {{name: values[0] for name, values in got["multiValueHeaders"].items()}}
    print(json.dumps([got["statusCode"], headers.get("Content-Type"), got["body"][:200]]))
    {between}
"""


def test_without_a_model_it_answers_503_and_recovers_when_there_is_one(tmp_path: Path) -> None:
    if not MODEL.exists():
        pytest.skip("needs models/pose.json and its model")
    target = tmp_path / "later" / "pose.json"
    move = f"import shutil; shutil.copytree('models', {str(target.parent)!r}, dirs_exist_ok=True)"
    code = CALL.format(names=["http-api-v2-default-route-named-stage"] * 2, between=move)
    done = run(code, HPE_MODEL=str(target), HPE_CACHE_DIR=str(tmp_path / "cache"), AWS_LAMBDA_RUNTIME_API="127.0.0.1:9")
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first[0], second[0]) == (503, 200), done.stderr
    assert "later/pose.json" in first[2]
    assert read_manifest(MODEL).sha256 in second[2]


@pytest.mark.real
def test_every_event_on_file_with_the_real_model(tmp_path: Path) -> None:
    if not MODEL.exists():
        pytest.skip("needs models/pose.json and its model")
    names = sorted(path.stem for path in EVENTS.glob("*.json"))
    done = run(CALL.format(names=names, between=""), HPE_CACHE_DIR=str(tmp_path))
    answers = dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))
    assert answers["http-api-v2-form"][:2] == [200, "image/png"]
    assert answers["rest-v1-repeated-query"][:2] == [400, "application/problem+json"]
    assert answers["function-url-raw-image"][:2] == [200, "image/png"]
    assert all(status < 500 for status, _, _ in answers.values())
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert [line["request_id"] for line in lines] == ["container-1"] * len(names)
    assert [line["status"] for line in lines] == [answers[name][0] for name in names]
