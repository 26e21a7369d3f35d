"""`hpe submit clip.mp4` against the deployed stack, as a user runs it, while the worker of its clip is killed once."""

import json
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, Final

from deploy.build_package import ROOT
from deploy.rehearsal.cloud import bare_environment
from deploy.rehearsal.stack import STACK, Stack
from deploy.rehearsal.tools import WORK, expect, run
from deploy.rehearsal.workers import kill_a_worker

FRAMES: Final = 90
# s; the stack's own is 16 minutes, which nobody here waits for
_SEEN_AGAIN: Final = 20


def check_clip(stack: Stack, photo: Path) -> str:
    """Its tracks come back whole: every frame, one person, although the first worker was killed over it."""
    folder = WORK / "clips"
    shutil.rmtree(folder, ignore_errors=True)
    clip = made_clip(folder / "clip.mp4", photo, "mp4v")
    sqs, queue = stack.cloud.client("sqs"), _queue(stack)
    kept = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(_SEEN_AGAIN)})
    killed: list[bool] = []

    def kill() -> None:
        killed.append(kill_a_worker(f"{STACK}-video", lambda: _waiting(stack), 240))
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=kept)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    # the API's other address in the emulator, since nobody resolves the real one here
    api = f"{stack.cloud.endpoint}/_aws/execute-api/{stack.outputs['HttpApiId']}/$default"
    env = bare_environment() | {"REQUESTS_CA_BUNDLE": str(stack.cloud.certificate), "PYTHONPATH": str(ROOT)}
    run([sys.executable, "-m", "hpe.cli", "submit", clip, "--api", api, "--timeout", "300"], env=env)
    killer.join(10)
    expect(killed == [True], "no worker was there to be killed over the clip")
    rows = [json.loads(line) for line in (folder / "clip.pose.jsonl").read_text().splitlines()]
    seen = [row["frame"] for row in rows]
    expect(seen == list(range(FRAMES)), f"tracks of {len(seen)} frames, of {FRAMES}: {seen[:5]} to {seen[-5:]}")
    expect(len({row["id"] for row in rows}) == 1, f"one person is {len({row['id'] for row in rows})} identities")
    left = _keys(stack, "clips/") + _keys(stack, "parts/")
    expect(not left, f"kept after the result: {left}")
    return f"{FRAMES} frames of one person, with a worker killed"


def made_clip(clip: Path, photo: Path, codec: str) -> Path:
    """A camera that moves over the photo, into this file."""
    import cv2

    clip.parent.mkdir(parents=True, exist_ok=True)
    picture, side = cv2.imread(str(photo)), 448
    out = cv2.VideoWriter(str(clip), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 30, (side, side))
    for at in range(FRAMES):
        shift = at * (picture.shape[0] - side) // FRAMES
        out.write(picture[shift : shift + side, shift : shift + side])
    out.release()
    return clip


def _waiting(stack: Stack) -> bool:
    """A clip has landed, and nothing of its tracks."""
    return bool(_keys(stack, "clips/")) and not any(key.endswith(".jsonl") for key in _keys(stack, "results/"))


def _keys(stack: Stack, prefix: str) -> list[str]:
    listed: dict[str, Any] = stack.cloud.client("s3").list_objects_v2(
        Bucket=stack.outputs["PhotoBucketName"], Prefix=prefix
    )
    return [one["Key"] for one in listed.get("Contents", [])]


def _queue(stack: Stack) -> str:
    resources = stack.cloud.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    url: str = next(one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] == "ClipQueue")
    return url
