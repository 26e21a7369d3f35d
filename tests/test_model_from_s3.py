"""`hpe predict` with a model in S3: a line that names the fault, and the model once it is there.

The API's side of it is in tests/faults/, the fetcher's in tests/store/.
"""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3
import pytest

MODEL = "s3://hpe-models/pose.json"


def test_command_line_takes_its_model_from_s3(
    moto_url: str, root: Path, tmp_path: Path, astronaut_jpeg: bytes, aws_env: pytest.MonkeyPatch
) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST"))
    for name, value in {
        "AWS_ENDPOINT_URL": moto_url,
        "HPE_CACHE_DIR": str(tmp_path / "cache"),
        "HPE_MODEL": MODEL,
    }.items():
        aws_env.setenv(name, value)
    client = boto3.client("s3", endpoint_url=moto_url, region_name="us-east-1")
    client.create_bucket(Bucket="hpe-models")
    (tmp_path / "a.jpg").write_bytes(astronaut_jpeg)
    command = [sys.executable, "-m", "hpe.cli", "predict", str(tmp_path / "a.jpg"), "--format", "json"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=root)
    assert run.returncode == 1
    assert run.stderr.startswith("Error: s3://hpe-models/pose.json: no such key")
    for path in (root / "models").glob("*.*"):
        client.upload_file(str(path), "hpe-models", path.name)
    run = subprocess.run(command, capture_output=True, text=True, cwd=root, check=True)
    assert len(json.loads(run.stdout)["people"]) == 1
