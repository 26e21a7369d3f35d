"""`serverless package`, offline: the template that would be deployed."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVERLESS = ROOT / "node_modules" / ".bin" / "serverless"


@pytest.fixture(scope="session")
def package() -> Any:
    """(folder, options...) -> the template that these options give, or what is printed where it must fail."""
    if shutil.which("node") is None or not SERVERLESS.exists():
        pytest.skip("needs Node 20.19 or newer and `npm ci`")
    return _package


def _package(tmp: Path, *options: str, ok: bool = True, **environ: str) -> Any:
    zipped = tmp / "package.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("handler.py", "")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"HPE_PACKAGE_ZIP": str(zipped), "NODE_NO_WARNINGS": "1", **environ}
    command = [str(SERVERLESS), "package", "--package", str(tmp / "out"), *options]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if not ok:
        assert result.returncode, "this should have failed"
        return result.stdout + result.stderr
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads((tmp / "out" / "cloudformation-template-update-stack.json").read_text())


@pytest.fixture(scope="session")
def template(package: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The template of the defaults."""
    return package(tmp_path_factory.mktemp("default"))
