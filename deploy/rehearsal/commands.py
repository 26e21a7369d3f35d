"""`hpe keys` and `hpe batch` against the deployed stack, as a user runs them; and a budget, as the template has it."""

import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus

from deploy.build_package import ROOT
from deploy.rehearsal.clips import FRAMES, made_clip
from deploy.rehearsal.cloud import ACCOUNT, Cloud
from deploy.rehearsal.stack import STACK, Stack
from deploy.rehearsal.tools import WORK, expect
from deploy.rehearsal.workers import kill_a_worker

PHOTOS: Final = "rehearsal-photos"
POSES: Final = "rehearsal-poses"
GOOD, BROKEN, FORBIDDEN, NEW = 187, 10, 3, 5
ALL: Final = GOOD + BROKEN + FORBIDDEN
MANIFEST: Final = "lists/album/manifest.json"
PARAMETERS: Final = (
    "--param=auth=key", f"--param=batchBuckets={PHOTOS}", f"--param=batchOutput={POSES}/run",
    "--param=batchConcurrency=2",
)  # fmt: skip
_CERTIFICATE: Final = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/rehearsal"
DOMAINS: Final = (
    "--param=domain=pose.example.org", f"--param=certificateArn={_CERTIFICATE}",
    "--param=apiDomain=api.example.org", f"--param=apiCertificateArn={_CERTIFICATE}",
)  # fmt: skip


def hpe(cloud: Cloud, *words: str) -> str:
    """`hpe WORDS` with this cloud behind it: its standard output. It must end well."""
    done = _started(cloud, *words)
    expect(done.returncode == 0, f"hpe {' '.join(words)}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def _started(cloud: Cloud, *words: str) -> subprocess.CompletedProcess[str]:
    env = cloud.environment() | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "hpe.cli", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=1500)
    expect("Traceback" not in done.stderr, f"hpe {' '.join(words)}: {done.stderr[-1500:]}")
    return done


def check_keys(stack: Stack, photo: Path) -> str:
    """No key, a wrong one, a good one, one that is used up, a revoked one; and what needs none."""

    def post(key: str | None) -> Any:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return stack.ask(
            "POST", f"{stack.api}/pose?format=json", photo.read_bytes(), content_type="image/jpeg", **headers
        )

    for key in (None, "hpe_wrong"):
        refused = post(key)
        expect(refused.status == 401, f"with the key {key}: {refused.status} {refused.body[:300]!r}")
        expect(refused.headers["content-type"] == "application/problem+json", f"401: {refused.headers}")
        expect(refused.headers["www-authenticate"] == "Bearer", f"401: {refused.headers}")
        expect("Authorization: Bearer" in json.loads(refused.body)["detail"], f"401: {refused.body!r}")
    key = hpe(stack.cloud, "keys", "add", "rehearsal", "--rate", "2").strip()
    expect(re.fullmatch(r"hpe_[\w-]{43}", key) is not None, f"hpe keys add printed {key!r}")
    expect(post(key).status == 200, "a good key is refused")
    statuses = [post(key).status for _ in range(6)]  # a minute may end on the way, once
    expect(429 in statuses and set(statuses) <= {200, 429}, f"over the rate: {statuses}")
    table = json.dumps(stack.cloud.client("dynamodb").scan(TableName=stack.outputs["KeysTableName"])["Items"])
    expect(key not in table, "the key itself is stored")
    expect("rehearsal" in hpe(stack.cloud, "keys", "list"), "hpe keys list does not name the key")
    hpe(stack.cloud, "keys", "revoke", "rehearsal")
    revoked = post(key)
    expect(revoked.status == 403, f"a revoked key: {revoked.status} {revoked.body[:300]!r}")
    expect("revoked" in json.loads(revoked.body)["detail"], f"403: {revoked.body!r}")
    expect(stack.ask("GET", f"{stack.api}/openapi.json").status == 200, "the description needs a key")
    return "none and wrong 401, good 200, used up 429, revoked 403"


def make_album(cloud: Cloud, photo: Path) -> None:
    """200 photos in a bucket, 10 of them cut off and 3 forbidden, their inventory, and where their results go."""
    from PIL import Image

    s3 = cloud.client("s3")
    for bucket in (PHOTOS, POSES):
        s3.create_bucket(Bucket=bucket)
    picture = Image.open(photo).convert("RGB").resize((240, 240))
    for number in range(ALL):
        out = io.BytesIO()
        side = 150 + number % 60
        picture.crop((number % 30, number // 30, number % 30 + side, number // 30 + side)).save(out, "JPEG")
        data = out.getvalue()
        broken = number % (ALL // BROKEN) == 0
        s3.put_object(Bucket=PHOTOS, Key=key_of(number), Body=data[: len(data) // 3] if broken else data)
    s3.put_object(Bucket=PHOTOS, Key="album/notes.txt", Body=b"no photo")
    forbidden = [f"arn:aws:s3:::{PHOTOS}/{key_of(number)}" for number in range(1, 1 + FORBIDDEN)]
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": forbidden}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=PHOTOS, Policy=json.dumps(policy))
    _make_inventory(s3)


def key_of(number: int) -> str:
    """Some keys are such as an inventory must encode."""
    return f"album/{number:03} + é.jpg" if number % 50 == 7 else f"album/{number:03}.jpg"


def _make_inventory(s3: Any) -> None:
    """As S3 Inventory leaves it: gzip, no header, URL-encoded keys, and a manifest.json that names the file."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=PHOTOS)
    rows = [
        f'"{PHOTOS}","{quote_plus(one["Key"], "/")}","{one["Size"]}","{one["ETag"].strip(chr(34))}"\n'
        for page in pages
        for one in page["Contents"]
    ]
    data, key = gzip.compress("".join(rows).encode()), "lists/album/data/0.csv.gz"
    s3.put_object(Bucket=POSES, Key=key, Body=data)
    files = [{"key": key, "size": len(data), "MD5checksum": hashlib.md5(data, usedforsecurity=False).hexdigest()}]
    manifest = {
        "sourceBucket": PHOTOS, "destinationBucket": f"arn:aws:s3:::{POSES}", "version": "2016-11-30",
        "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size, ETag", "files": files,
    }  # fmt: skip
    s3.put_object(Bucket=POSES, Key=MANIFEST, Body=json.dumps(manifest).encode())


def check_batch(stack: Stack, photo: Path) -> str:
    """An inventory of 200 with a worker killed on the way, then what changed since: one line a photo, the latest.

    And a prefix that AWS itself lists.
    """
    cloud = stack.cloud
    places, manifest = (f"s3://{PHOTOS}/album", f"s3://{POSES}/run"), ("--manifest", f"s3://{POSES}/{MANIFEST}")
    told = hpe(cloud, "batch", *places, *manifest, "--dry-run")
    expect(f"photos   {ALL}," in told and "together" in told, f"the dry run: {told}")
    expect(not lines_of(cloud), "a dry run writes results")
    at_work = (f"{STACK}-batch", lambda: len(lines_of(cloud)) > GOOD // 10)
    killer = threading.Thread(target=kill_a_worker, args=at_work, daemon=True)
    killer.start()
    began = time.monotonic()
    _started(cloud, "batch", *places, *manifest, "--follow")
    took = time.monotonic() - began
    killer.join(60)
    expect(not killer.is_alive(), "no worker was there to be killed")
    before = len(lines_of(cloud))
    s3 = cloud.client("s3")
    for number in range(NEW):
        s3.copy_object(Bucket=PHOTOS, Key=f"album/new/{number}.jpg", CopySource=f"{PHOTOS}/{key_of(number + 10)}")
    changed, deleted = key_of(10), key_of(11)
    s3.put_object(Bucket=PHOTOS, Key=changed, Body=photo.read_bytes())
    s3.delete_object(Bucket=PHOTOS, Key=deleted)
    hpe(cloud, "batch", *places, "--follow", "--draw", "--prune")
    found = lines_of(cloud)
    keys = Counter(line["key"] for line in found)
    wanted = {*map(key_of, range(ALL)), *(f"album/new/{number}.jpg" for number in range(NEW))} - {deleted}
    expect(
        set(keys) == wanted and set(keys.values()) == {1}, f"{len(keys)} photos, not each once: {keys.most_common(3)}"
    )
    (line,) = [line for line in found if line["key"] == changed]
    expect(line["image"]["width"] > 300, f"the changed photo has its old line: {line['image']}")
    problems = Counter(line["problem"]["status"] for line in found if "problem" in line)
    expect(problems == {422: BROKEN, 404: FORBIDDEN}, f"problems: {problems}")
    expect(sum(bool(line.get("people")) for line in found) > GOOD // 2, "hardly anyone was found in the astronaut")
    drawn = s3.list_objects_v2(Bucket=POSES, Prefix="run/drawn/album/new/").get("Contents", [])
    expect(len(drawn) == NEW, f"{len(drawn)} of {NEW} pictures are drawn")
    again = _started(cloud, "batch", *places).stderr
    total = len(wanted)
    expect(f"{total} of {total} photos are done, 0 are missing" in again, f"a third run: {again}")
    hpe(cloud, "batch", f"s3://{PHOTOS}/album/new", f"s3://{POSES}/run/listed", "--follow")
    listed = [line["key"] for line in lines_of(cloud, "run/listed")]
    expect(sorted(listed) == [f"album/new/{number}.jpg" for number in range(NEW)], f"listed by AWS: {listed}")
    return f"{before} lines in {took:.0f} s with a worker killed, {len(found)} after the second run"


def lines_of(cloud: Cloud, output: str = "run") -> list[dict[str, Any]]:
    """Every line of every result."""
    s3 = cloud.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=POSES, Prefix=f"{output}/results/")
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    packed = [s3.get_object(Bucket=POSES, Key=key)["Body"].read() for key in keys]
    return [json.loads(line) for data in packed for line in gzip.decompress(data).splitlines()]


def check_budget(cloud: Cloud, template: dict[str, Any]) -> str:
    """The template's budget, made by AWS's own call: the emulator's CloudFormation knows no budgets."""
    properties = template["Resources"]["Budget"]["Properties"]
    budget = {**properties["Budget"], "BudgetName": "hpe-dev"}
    budget["BudgetLimit"] = {**budget["BudgetLimit"], "Amount": str(budget["BudgetLimit"]["Amount"])}
    client = cloud.client("budgets")
    notices = properties["NotificationsWithSubscribers"]
    client.create_budget(AccountId=ACCOUNT, Budget=budget, NotificationsWithSubscribers=notices)
    made = client.describe_budget(AccountId=ACCOUNT, BudgetName="hpe-dev")["Budget"]
    expect(float(made["BudgetLimit"]["Amount"]) == 100, f"the budget: {made}")
    client.delete_budget(AccountId=ACCOUNT, BudgetName="hpe-dev")
    return "100 USD, three mails"


def check_films(stack: Stack, photo: Path) -> str:
    """A clip, one that is cut off, text with a clip's name, and a photo: a line each, tracks of the good clip, once."""
    cloud, s3 = stack.cloud, stack.cloud.client("s3")
    good = made_clip(WORK / "clips" / "film.mp4", photo, "mp4v").read_bytes()
    films = {"good.mp4": good, "cut.mp4": good[: len(good) // 2], "text.mov": b"no clip", "a.jpg": photo.read_bytes()}
    for name, data in films.items():
        s3.put_object(Bucket=PHOTOS, Key=f"films/{name}", Body=data)
    places = (f"s3://{PHOTOS}/films", f"s3://{POSES}/run/films")
    told = hpe(cloud, "batch", *places, "--follow")
    lines = {line["key"].removeprefix("films/"): line for line in lines_of(cloud, "run/films")}
    expect(set(lines) == set(films), f"films have the lines {sorted(lines)}: {told}")
    problems = {name: line["problem"]["type"].rpartition("/")[2] for name, line in lines.items() if "problem" in line}
    expect(problems == {"cut.mp4": "broken-video", "text.mov": "unsupported-video"}, f"problems of films: {problems}")
    tracks = lines["good.mp4"]["tracks"].removeprefix(f"s3://{POSES}/")
    rows = s3.get_object(Bucket=POSES, Key=tracks)["Body"].read().splitlines()
    expect(len(rows) == FRAMES, f"tracks of {len(rows)} frames, of {FRAMES}")
    expect(len(lines["good.mp4"]["people"]) == 1, f"in the good film are {lines['good.mp4']['people']}")
    _started(cloud, "batch", *places, "--follow")
    again = lines_of(cloud, "run/films")
    expect(len(again) == len(films), f"a second run writes {len(again)} lines of {len(films)} films")
    return f"{len(films)} lines, {len(rows)} frames of tracks"


def remove_album(cloud: Cloud) -> None:
    """The user's own buckets, which `serverless remove` leaves alone."""
    s3 = cloud.client("s3")
    for bucket in (PHOTOS, POSES):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=one["Key"])
        s3.delete_bucket(Bucket=bucket)
