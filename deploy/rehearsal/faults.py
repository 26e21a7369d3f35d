"""What a deployer may get wrong: each must end in one clear line, before anything is made."""

import json
import shutil
from collections.abc import Mapping
from typing import Final

from deploy.rehearsal.cloud import ACCOUNT, REGION, Cloud, serverless
from deploy.rehearsal.model_change import MANIFEST, networks
from deploy.rehearsal.tools import WORK, expect

_CREDENTIALS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def check_faults(cloud: Cloud, env: Mapping[str, str], options: tuple[str, ...]) -> int:
    """Try them all. Gives how many."""
    damaged = WORK / "damaged" / MANIFEST.name
    damaged.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(MANIFEST, damaged)
    for network in networks(json.loads(MANIFEST.read_text())):
        (damaged.parent / network["file"]).write_bytes((MANIFEST.parent / network["file"]).read_bytes()[:-1])
    taken = f"taken-dev-models-{ACCOUNT}-{REGION}"
    cloud.client("s3").create_bucket(Bucket=taken)
    nobody = {name: value for name, value in env.items() if name not in _CREDENTIALS} | {
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "HOME": str(WORK),
    }  # fmt: skip
    wrong = {**env, "AWS_SECRET_ACCESS_KEY": "wrong"}
    pretend = WORK / "old-node.cjs"
    pretend.write_text(
        "Object.defineProperty(process, 'version', { value: 'v18.20.8' });\n"
        "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.8' } });\n"
    )
    faults = [
        (nobody, (), "credentials"),
        (wrong, (), "AWS does not accept the credentials"),
        (env, ("--param=model=models/none.onnx",), "models/none.json cannot be read"),
        (env, (f"--param=model={damaged}",), "does not match its manifest"),
        (env, ("--param=prefix=taken",), f"bucket name {taken} is taken"),
        (env, ("--stage", "Dev"), "cannot be part of a bucket name"),
        (env, ("--region", "nowhere-1"), "'provider.region': must be equal to one of the allowed values"),
        ({**env, "NODE_OPTIONS": f"--require {pretend}"}, (), "does not support Node.js v18.20.8"),
        (env, ("--param=website=ftp",), "website is ftp"),
        (env, ("--param=modle=x.json",), "--param has modle, which is not a parameter"),
        (env, ("--param=answerMaxBytes=9000000",), "answerMaxBytes is 9000000: give a whole number"),
        (env, ("--param=corsOrigins=example.org",), "corsOrigins has example.org"),
        ({**env, "PYTHON": "/nonexistent/python"}, (), "Python 3.11 or newer with pip is needed"),
    ]
    for environment, given, words in faults:
        said = serverless("deploy", *options, *given, env=environment, ok=False)
        lines = [line for line in said.splitlines() if words in line]
        expect(len(lines) >= 1, f"{given or words}: no line says {words!r}: {said[-800:]}")
        expect("    at " not in said, f"{given or words}: a stack trace: {said[-1500:]}")
    cloud.client("s3").delete_bucket(Bucket=taken)
    stacks = cloud.client("cloudformation").list_stacks()["StackSummaries"]
    expect(not stacks, f"something was made all the same: {json.dumps(stacks, default=str)[:500]}")
    return len(faults)
