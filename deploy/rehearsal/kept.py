"""What a stack was told to be stays: keys, closed doors and batches through deploys that do not name them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from deploy.rehearsal.cloud import serverless
from deploy.rehearsal.commands import hpe
from deploy.rehearsal.stack import Stack
from deploy.rehearsal.tools import expect


def check_kept(deployed: Stack, photo: Path, open_package: Path, env: Mapping[str, str]) -> str:
    """A deploy of a closed stack that names nothing, what would open it unasked, and one that opens it by name.

    env: with HPE_PACKAGE_ZIP. The stack is open afterwards.
    """
    key = hpe(deployed.cloud, "keys", "add", "kept", "--rate", "1000").strip()
    said = serverless("deploy", env=env)
    expect("The stack keeps" in said and "auth=key" in said and "batchBuckets=" in said, f"a plain deploy: {said}")
    _closed(deployed, photo, key)
    machines = deployed.cloud.client("stepfunctions").list_state_machines()["stateMachines"]
    found = [one["stateMachineArn"] for one in machines]
    expect(deployed.outputs["BatchMachineArn"] in found, "hpe batch is gone after a plain deploy")
    _refused(("deploy", "--package", str(open_package)), env, "the package was made with")
    _refused(("rollback", "--timestamp", _first(env)), env, "that deployment was open")
    serverless("deploy", "--param=auth=none", env=env)
    expect(_status(deployed, photo, None) == 200, "auth=none on the command line does not open the API")
    expect("kept" in hpe(deployed.cloud, "keys", "list"), "an open stack forgot the keys that it was closed with")
    return "keys and batches after two deploys; opened by the command line alone"


def _first(env: Mapping[str, str]) -> str:
    return min(re.findall(r"Timestamp: (\d+)", serverless("deploy", "list", env=env)))


def _refused(command: tuple[str, ...], env: Mapping[str, str], words: str) -> None:
    said = serverless(*command, env=env, ok=False)
    expect(words in said and "    at " not in said, f"{' '.join(command)} was not refused in one line: {said[-1500:]}")


def _closed(deployed: Stack, photo: Path, key: str) -> None:
    """Nobody without a key; the key that was issued before is good."""
    statuses = (_status(deployed, photo, None), _status(deployed, photo, key))
    expect(statuses == (401, 200), f"without a key and with one: {statuses}")


def _status(deployed: Stack, photo: Path, key: str | None) -> int:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    url = f"{deployed.api}/pose?format=json"
    answer = deployed.ask("POST", url, photo.read_bytes(), content_type="image/jpeg", **headers)
    expect(answer.status == 200 or "type" in json.loads(answer.body), f"{answer.status}: {answer.body[:300]!r}")
    return answer.status
