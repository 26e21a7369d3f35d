"""Nothing about a photo's service leaves the machine unasked: onnxruntime's telemetry is off."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import time
import numpy
from hpe import PoseEstimator
PoseEstimator()(numpy.zeros((64, 64, 3), numpy.uint8))
time.sleep(2)
"""


@pytest.mark.real
@pytest.mark.skipif(sys.platform != "linux", reason="the file is looked for where Linux has it")
def test_a_process_that_estimates_leaves_no_file_and_calls_nobody(tmp_path: Path) -> None:
    # onnxruntime sends nothing where it detects CI
    environ = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG")}
    environ |= {"TMPDIR": str(tmp_path), "HOME": str(tmp_path), "HPE_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=Path(__file__).parents[2], env=environ, check=True)
    assert not [path for path in tmp_path.rglob("*") if "cache" not in path.parts]


def test_who_wants_it_may_have_it() -> None:
    environ = {**os.environ, "ORT_DISABLE_TELEMETRY": "0"}
    script = "import os, hpe; hpe.PoseEstimator(); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    done = subprocess.run([sys.executable, "-c", script], env=environ, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "0"


def test_importing_hpe_changes_no_environment() -> None:
    script = "import os; before = dict(os.environ); import hpe; assert dict(os.environ) == before"
    environ = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run([sys.executable, "-c", script], env=environ, check=True)
