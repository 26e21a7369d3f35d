"""What a stack was told to be shows in its own template: that is where a later deploy reads what to keep."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/a"
# Another value than the default for every parameter but `model`, which is kept by its key.
CHOSEN = {
    "prefix": "team", "architecture": "x86_64", "runtime": "python3.12", "memory": 2048, "workerMemory": 4096,
    "concurrency": 33, "workerConcurrency": 3, "throttleRate": 7.5, "throttleBurst": 30, "uploadRate": 2,
    "answerMaxBytes": 400_000, "photoMaxBytes": 40_000_000, "photoDays": 2, "linkSeconds": 600, "logDays": 14,
    "website": "cloudfront", "domain": "pose.example.org", "certificateArn": CERTIFICATE,
    "apiDomain": "api.example.org", "apiCertificateArn": CERTIFICATE,
    "corsOrigins": "https://a.example,https://b.example", "auth": "key", "jwtIssuer": "none", "jwtAudience": "none",
    "alarmEmail": "a@b.example", "budgetUsd": 100, "batchBuckets": "photos,more-photos",
    "batchOutput": "poses/run", "batchMemory": 3008, "batchConcurrency": 30,
}  # fmt: skip
OTHERS = {"auth": "jwt", "jwtIssuer": "https://i.example/", "jwtAudience": "a,b", "website": "s3"}


def choices(template: Any, stage: str = "dev") -> dict[str, Any]:
    """As deploy/plugin/deployed.js reads them."""
    script = (
        "import { choicesOf } from './deploy/plugin/deployed.js'; import { readFileSync } from 'node:fs';"
        f"console.log(JSON.stringify(choicesOf(JSON.parse(readFileSync(0)), '{stage}')))"
    )
    command = [shutil.which("node") or "node", "--input-type=module", "-e", script]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(template), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("chosen", [CHOSEN, OTHERS], ids=["keys", "tokens"])
def test_every_choice_is_read_back_from_the_template(package: Any, tmp_path: Path, chosen: dict[str, Any]) -> None:
    template = package(tmp_path, *(f"--param={name}={value}" for name, value in chosen.items() if value != "none"))
    found = choices(template)
    assert {name: found.get(name, "none") for name in chosen} == chosen


def test_every_parameter_is_known_by_the_reader(template: Any) -> None:
    defaults = yaml.safe_load((ROOT / "deploy" / "parameters.yml").read_text())
    assert set(defaults) == {*CHOSEN, "model"}
    found = choices(template)
    assert {name: found[name] for name in found} == {name: defaults[name] for name in found}
    assert set(CHOSEN) - set(found) == {
        "certificateArn", "apiDomain", "apiCertificateArn", "jwtIssuer", "jwtAudience", "alarmEmail", "budgetUsd",
        "batchBuckets", "batchOutput", "batchMemory", "batchConcurrency",
    }, "what is off by default does not show"  # fmt: skip


def test_table_of_keys_outlives_every_change_of_the_stack(template: Any, package: Any, tmp_path: Path) -> None:
    closed = package(tmp_path, "--param=auth=key")
    for one in (template, closed):
        assert one["Resources"]["KeysTable"]["DeletionPolicy"] == "Retain"
        assert one["Resources"]["KeysTable"]["UpdateReplacePolicy"] == "Retain"
        assert one["Resources"]["KeysTable"] == closed["Resources"]["KeysTable"], "no change of auth may replace it"
    assert "ApiChecksKeys" not in template["Resources"]
