"""Another model into a running stack, and back again, as docs/deploy.md tells it."""

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


def change_model_and_roll_back(
    deployed: Stack, package: Path, photo: Path, reference: dict[str, Any], options: tuple[str, ...],
    env: Mapping[str, str],
) -> str:  # fmt: skip
    """Deploy with --param=model, look who answers, roll back, look again."""
    first, (file, second) = answering(deployed), another_model()
    expect(first != second, "the other model is the same")
    env = {**env, "HPE_PACKAGE_ZIP": str(package)}
    said = serverless("deploy", *options, f"--param=model={file}", env=env)
    expect("Model uploaded" in said, f"the other model was not uploaded: {said[-800:]}")
    expect(answering(deployed) == second, "the model was changed, and another one answers")
    check_pose(deployed, photo, reference)
    bucket = deployed.outputs["ModelBucketName"]
    keys = [item["Key"] for item in deployed.cloud.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    for sha256 in (first, second):
        expect(f"models/pose-{sha256[:16]}.onnx" in keys, f"model {sha256[:12]} is not in its bucket: {keys}")
    times = re.findall(r"Timestamp: (\d+)", serverless("deploy", "list", *options, env=env))
    expect(len(times) == 2, f"two deployments were made, {len(times)} are listed")
    serverless("rollback", "--timestamp", min(times), *options, env=env)
    expect(answering(deployed) == first, "rolled back, and the new model still answers")
    check_pose(deployed, photo, reference)
    return f"model {second[:12]} and back to {first[:12]}"


def answering(deployed: Stack) -> str:
    """The sha256 of the model that GET /health names."""
    answer = deployed.ask("GET", f"{deployed.api}/health")
    expect(answer.status == 200, f"/health: {answer.status} {answer.body[:500]!r}")
    sha256: str = json.loads(answer.body)["model"]["sha256"]
    return sha256


def another_model() -> tuple[Path, str]:
    """The default network in a file that says one thing more, so that it answers alike under another sha256."""
    file = WORK / "another" / "other.onnx"
    file.parent.mkdir(parents=True, exist_ok=True)
    comment = b"another"  # ModelProto.doc_string is field 6; a protobuf message may be continued at its end
    body = (ROOT / "models" / "pose.onnx").read_bytes() + bytes([6 << 3 | 2, len(comment)]) + comment
    card = json.loads((ROOT / "models" / "pose.json").read_text())
    sha256 = hashlib.sha256(body).hexdigest()
    file.write_bytes(body)
    file.with_suffix(".json").write_text(json.dumps({**card, "file": file.name, "sha256": sha256}))
    return file, sha256
