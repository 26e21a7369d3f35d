"""Packaging: without network or credentials, linted, below the limit, and answering under Lambda's own emulator."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import yaml

from deploy import build_package
from deploy.build_package import LAMBDA_UNZIPPED_BYTES, ROOT
from deploy.rehearsal.cloud import bare_environment
from deploy.rehearsal.tools import (
    WORK,
    expect,
    free_port,
    run,
    runtime_interface_emulator,
    start,
    stop,
    wait_for_port,
)  # fmt: skip


def fetch_wheels(architecture: str, python: str) -> None:
    """The one part of packaging that needs the network, done ahead."""
    cache = ROOT / "build"
    cache.mkdir(exist_ok=True)
    build_package.installed(build_package.requirements_for(architecture, ROOT), architecture, python, cache)


def package(architecture: str, python: str, builder: str) -> tuple[Path, int]:
    """`serverless package` with no credentials and, where this kernel lets us, no network. Gives (folder, bytes)."""
    folder = WORK / f"package-{architecture}"
    shutil.rmtree(folder, ignore_errors=True)
    environment = bare_environment() | {"PYTHON": builder, "NODE_NO_WARNINGS": "1"}
    command = [
        "node_modules/.bin/serverless", "package", "--package", str(folder),
        f"--param=architecture={architecture}", f"--param=runtime=python{python}",
    ]  # fmt: skip
    run([*_without_network(), *command], env=environment)
    expect((folder / "cloudformation-template-update-stack.json").is_file(), "serverless package wrote no template")
    with zipfile.ZipFile(zip_file(architecture)) as archive:
        total = sum(info.file_size for info in archive.infolist())
    expect(total <= LAMBDA_UNZIPPED_BYTES, f"{total} bytes unzipped, over Lambda's {LAMBDA_UNZIPPED_BYTES}")
    return folder, total


def zip_file(architecture: str) -> Path:
    """Where the package of an architecture is built."""
    return ROOT / "build" / f"package-{architecture}.zip"


def _without_network() -> list[str]:
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    return ["unshare", "-rn"] if probe.returncode == 0 else []


def lint_dockerfile(bin: Path) -> None:
    """hadolint; building the image needs a base image, and so a registry."""
    run([bin / "hadolint", ROOT / "Dockerfile"])


def lint(template: Path, bin: Path) -> None:
    """cfn-lint and checkov; what they may say is in deploy/cfnlint.yml and deploy/checkov.yml, with reasons."""
    run([bin / "cfn-lint", "--config-file", ROOT / "deploy" / "cfnlint.yml", "-t", template])
    # By name alone: CKV_AWS_45 reads the template's path as if it were one of the function's variables, and a path
    # with forty letters and slashes in a row is "a secret key" to it.
    command = [bin / "checkov", "--config-file", ROOT / "deploy" / "checkov.yml", "-f", template.name]
    run(command, env={**bare_environment(), "PATH": f"{bin}:{os.environ['PATH']}"}, cwd=template.parent)


def unpack(architecture: str) -> Path:
    """The package's files in a folder, as Lambda lays them in /var/task."""
    folder = WORK / f"task-{architecture}"
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(zip_file(architecture)) as archive:
        archive.extractall(folder)
    return folder


def references(task: Path, python: Path, photos: list[Path]) -> dict[str, dict[str, Any]]:
    """Photo's name -> what the package's own code answers without any cloud."""
    script = ROOT / "deploy" / "rehearsal" / "reference.py"
    limit = yaml.safe_load((ROOT / "deploy" / "parameters.yml").read_text())["answerMaxBytes"]
    command = [str(part) for part in (python, "-I", script, task, ROOT / "models" / "pose.json", limit, *photos)]
    result = subprocess.run(command, env=bare_environment(), capture_output=True, text=True, check=False)
    expect(result.returncode == 0, f"the package's own code: {result.stderr[-2000:]}")
    output = result.stdout
    lines = [line for line in output.splitlines() if line.startswith('{"people"')]
    return {photo.name: json.loads(line) for photo, line in zip(photos, lines, strict=True)}


def answer_under_rie(task: Path, python: Path, photo: Path) -> tuple[dict[str, Any], float, float]:
    """One recorded HTTP API event through awslambdaric and AWS's emulator: (answer, cold s, warm s)."""
    import base64

    service, runtime = free_port(), free_port()
    log = WORK / "rie.log"
    environment = bare_environment() | {
        "HPE_MODEL": str(ROOT / "models" / "pose.json"),
        "HPE_CACHE_DIR": str(WORK / "rie-cache"),
        "LAMBDA_TASK_ROOT": str(task),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "PYTHONPATH": str(task),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "29",
    }
    command = [
        str(runtime_interface_emulator()), "--runtime-interface-emulator-address", f"127.0.0.1:{service}",
        "--runtime-api-address", f"127.0.0.1:{runtime}", str(python), "-m", "awslambdaric", "handler.handler",
    ]  # fmt: skip
    event = {
        "version": "2.0", "routeKey": "POST /pose", "rawPath": "/pose", "rawQueryString": "format=json",
        "headers": {"content-type": "image/jpeg"}, "isBase64Encoded": True,
        "requestContext": {"stage": "$default", "http": {"method": "POST", "path": "/pose"}},
        "body": base64.b64encode(photo.read_bytes()).decode(),
    }  # fmt: skip
    url = f"http://127.0.0.1:{service}/2015-03-31/functions/function/invocations"
    with log.open("wb") as out:
        emulator = start(command, cwd=task, env=environment, stdout=out)
        try:
            wait_for_port(service, emulator, log)
            times, answer = [], {}
            for _ in range(2):
                began = time.monotonic()
                request = urllib.request.Request(url, json.dumps(event).encode())
                with urllib.request.urlopen(request, timeout=180) as response:
                    answer = json.loads(response.read())
                times.append(time.monotonic() - began)
        finally:
            stop(emulator)
    expect(answer.get("statusCode") == 200, f"under RIE: {str(answer)[:500]} {log.read_text()[-800:]}")
    return json.loads(answer["body"]), times[0], times[1]
