"""Another model into a running stack, kept by a deploy that names none, and back again, as docs/deploy.md tells it."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.build_package import ROOT
from deploy.rehearsal.cloud import serverless
from deploy.rehearsal.stack import Stack, check_pose
from deploy.rehearsal.tools import WORK, expect

MANIFEST = ROOT / "models" / "pose.json"


def networks(card: dict[str, Any]) -> list[dict[str, Any]]:
    """The networks of a manifest, the pose network last: both of schema 2, or the one of schema 1."""
    return [card["locate"], card["pose"]] if "pose" in card else [card]


def pose_sha256(card: dict[str, Any]) -> str:
    """What GET /health names of a model."""
    sha256: str = networks(card)[-1]["sha256"]
    return sha256


def place(manifest: Path) -> str:
    """The prefix of a model in its bucket, as deploy/plugin/model.js makes it."""
    return f"models/{hashlib.sha256(manifest.read_bytes()).hexdigest()[:16]}/"


def change_model_and_roll_back(
    deployed: Stack, package: Path, photo: Path, reference: dict[str, Any], options: tuple[str, ...],
    env: Mapping[str, str],
) -> str:  # fmt: skip
    """Deploy with --param=model, then without, look who answers, roll back, look again."""
    first, other = answering(deployed), another_model()
    second = pose_sha256(json.loads(other.read_text()))
    expect(first != second, "the other model is the same")
    env = {**env, "HPE_PACKAGE_ZIP": str(package)}
    said = serverless("deploy", *options, f"--param=model={other}", env=env)
    expect("Model uploaded" in said, f"the other model was not uploaded: {said[-800:]}")
    expect(answering(deployed) == second, "the model was changed, and another one answers")
    check_pose(deployed, photo, reference)
    bucket = deployed.outputs["ModelBucketName"]
    keys = [item["Key"] for item in deployed.cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    for manifest in (MANIFEST, other):
        wanted = {manifest.name, *(one["file"] for one in networks(json.loads(manifest.read_text())))}
        lost = {place(manifest) + name for name in wanted} - set(keys)
        expect(not lost, f"not in the model bucket: {lost}: {keys}")
    said = serverless("deploy", *options, "--param=logDays=14", env=env)
    expect(f"The deployed model stays: {place(other)}" in said, f"nothing is said of the kept model: {said[-800:]}")
    expect(answering(deployed) == second, "a deploy that named no model went back to the checkout's")
    times = re.findall(r"Timestamp: (\d+)", serverless("deploy", "list", *options, env=env))
    expect(len(times) == 3, f"three deployments were made, {len(times)} are listed")
    serverless("rollback", "--timestamp", min(times), *options, env=env)
    expect(answering(deployed) == first, "rolled back, and the new model still answers")
    check_pose(deployed, photo, reference)
    return f"model {second[:12]}, kept, and back to {first[:12]}"


def answering(deployed: Stack) -> str:
    """The sha256 of the model that GET /health names."""
    answer = deployed.ask("GET", f"{deployed.api}/health")
    expect(answer.status == 200, f"/health: {answer.status} {answer.body[:500]!r}")
    sha256: str = json.loads(answer.body)["model"]["sha256"]
    return sha256


def another_model() -> Path:
    """The manifest of a model whose networks say one thing more, so that it answers alike under other sha256s."""
    manifest = WORK / "another" / "other.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    comment = b"another"  # ModelProto.doc_string is field 6; a protobuf message may be continued at its end
    card = json.loads(MANIFEST.read_text())
    for network in networks(card):
        body = (MANIFEST.parent / network["file"]).read_bytes() + bytes([6 << 3 | 2, len(comment)]) + comment
        network["file"] = "other.onnx" if network is networks(card)[-1] else f"other-{network['file']}"
        network["sha256"] = hashlib.sha256(body).hexdigest()
        (manifest.parent / network["file"]).write_bytes(body)
    manifest.write_text(json.dumps(card))
    return manifest
