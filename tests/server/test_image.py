"""The container image: what its Dockerfile copies is there, and its website has private mode. Nothing is built here."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SITE_PACKAGES = re.compile(r"^/opt/hpe/lib/python(\d+\.\d+)/site-packages/")


def copies(root: Path) -> list[tuple[str, list[str], str]]:
    """(the stage it is from, '' for the checkout; sources; destination) of each COPY."""
    text = (root / "Dockerfile").read_text().replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if line.startswith("COPY "):
            words = line.split()[1:]
            stage = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
            found.append((stage, words[:-1], words[-1]))
    return found


def test_what_is_copied_from_the_checkout_is_there_and_goes_to_the_builder(root: Path) -> None:
    ignored = (root / ".dockerignore").read_text().split()
    wanted = [source.rstrip("/") for stage, sources, _ in copies(root) if not stage for source in sources]
    assert {"hpe", "models", "static-site", "package-lock.json"} <= set(wanted)
    for source in wanted:
        assert (root / source).exists(), source
        assert f"!{source}" in ignored, f"{source} never reaches the builder"


def test_image_has_private_mode(root: Path, tmp_path: Path) -> None:
    """The package as the image holds it: without a checkout around it, with what is copied into it."""
    if not (root / "node_modules" / "onnxruntime-web").is_dir():
        pytest.skip("needs onnxruntime-web: npm ci")
    if not (root / "models" / "pose.onnx").is_file():
        pytest.skip("needs the model: models/pose.onnx")
    package = tmp_path / "hpe"
    shutil.copytree(root / "hpe", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "models").symlink_to(root / "models")
    python = re.search(r"FROM python:(\d+\.\d+)", (root / "Dockerfile").read_text())
    assert python
    for stage, sources, destination in copies(root):
        if stage != "private":
            continue
        place = SITE_PACKAGES.match(destination)
        assert place, destination
        assert place[1] == python[1], "the packages of another Python"
        folder = tmp_path / SITE_PACKAGES.sub("", destination)
        folder.mkdir(parents=True)
        for source in sources:
            (folder / Path(source).name).symlink_to(root / source.removeprefix("/private/"))
    script = (
        "from hpe.server.private import private_file; from hpe.settings import Settings;"
        "print(private_file('files.json', Settings(), []).decode());"
        "assert len(private_file('runtime.wasm', Settings(), [])) > 1_000_000"
    )
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert {file["role"] for file in json.loads(ran.stdout)["files"]} == {"runtime", "wasm", "locate", "pose"}
