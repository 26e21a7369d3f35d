"""`hpe batch` from the outside: S3 as moto plays it, and a state machine that does what the deployed one is told to."""

# ruff: noqa: N803 (boto3's own argument names)

import gzip
import hashlib
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import quote_plus

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws
from video.clips import write_clip
from video.world import World, estimator_of
from web.fakes import FakeEstimator, photo

from hpe.batch.items import batch_of
from hpe.batch.lines import packed
from hpe.batch.plan import Place, place_of, read_done
from hpe.batch.work import work
from hpe.clip_queue import failed_clips
from hpe.commands import batch as command_module
from hpe.commands.stack import Stack
from hpe.errors import HpeError
from hpe.settings import Settings
from hpe.web.photo_bucket import PhotoStore

ROOT = Path(__file__).resolve().parents[2]
HERE = Place("poses", "out")


def walkers(number: int) -> list[tuple[float, float, float, tuple[int, int, int]]]:
    """Two people in a clip, the second from its tenth frame on."""
    first = (100.0 + 3 * number, 240.0, 200.0, (200, 40, 40))
    return [first, (500.0 - 2 * number, 240.0, 180.0, (40, 40, 200))][: 1 + (number >= 10)]


class FakeStates:
    """Runs a started execution at once, and the worker of clips after it. kills: keys whose batch fails in this run."""

    def __init__(self, s3: Any) -> None:
        self.s3, self.sqs = s3, boto3.client("sqs", region_name="us-east-1")
        self.queue = self.sqs.create_queue(QueueName="clips")["QueueUrl"]
        self.messages: list[str] = []
        self.kills: set[str] = set()
        self.inputs: list[dict[str, Any]] = []
        self.counts: dict[str, int] = {}

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, str]:
        assert stateMachineArn == "arn:machine"
        given = json.loads(input)
        self.inputs.append(given)
        rows = self._rows(given)
        failed = 0
        size = given["batchSize"]
        for some in (rows[at : at + size] for at in range(0, len(rows), size)):
            shared = {name: given[name] for name in ("bucket", "output", "draw")}
            if {row.get("Key", row.get("key")) for row in some} & self.kills:
                failed += len(some)
                continue
            batch = batch_of({"Items": [{"photo": row, **shared} for row in some]})
            work(batch, self.s3, FakeEstimator, Settings(clip_queue=self.queue), self.sqs)
        self.follow_clips()
        self.counts = {
            "total": len(rows),
            "succeeded": len(rows) - failed,
            "failed": failed,
            "pending": 0,
            "running": 0,
        }
        return {"executionArn": f"arn:run:{name}"}

    def follow_clips(self) -> None:
        """What the worker of clips does with the queue's messages."""
        store = PhotoStore("uploads", self.s3, 900)
        while found := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for one in found:
                event = {"Records": [{"messageId": one["MessageId"], "body": one["Body"]}]}
                people = lambda: estimator_of(World(walkers))  # noqa: E731
                assert not failed_clips(event, store, people, Settings(), lambda: 900.0)["batchItemFailures"]
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=one["ReceiptHandle"])
                self.messages.append(one["Body"])

    def _rows(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        if given["kind"] == "prefix":
            found = self.s3.list_objects_v2(Bucket=given["bucket"], Prefix=given["prefix"])["Contents"]
            return [{"Key": one["Key"], "Etag": one["ETag"], "Size": one["Size"]} for one in found]
        body = self.s3.get_object(Bucket=given["outputBucket"], Key=given["manifest"])["Body"].read()
        return [json.loads(line) for line in body.decode().splitlines()]

    def describe_execution(self, executionArn: str) -> dict[str, str]:
        return {"status": "SUCCEEDED"}

    def list_map_runs(self, executionArn: str) -> dict[str, Any]:
        return {"mapRuns": [{"mapRunArn": "arn:map"}]}

    def describe_map_run(self, mapRunArn: str) -> dict[str, Any]:
        return {"itemCounts": self.counts}


class FakeFunctions:
    """The batch function; takes 40 ms a photo by its own account."""

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        return {"MemorySize": 1769, "Architectures": ["arm64"]}

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        given = batch_of(json.loads(Payload))
        assert given.output == "", "a dry run writes nothing"
        return {"Payload": io.BytesIO(json.dumps({"photos": len(given.items), "ms": 40 * len(given.items)}).encode())}


@pytest.fixture
def s3(aws_env: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two buckets: 12 photos, one of them broken, with a text and a folder between them."""
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        for bucket in ("photos", "poses", "uploads"):
            client.create_bucket(Bucket=bucket)
        for number in range(11):
            client.put_object(Bucket="photos", Key=f"2026/p{number:02}.jpg", Body=photo(64 + number))
        client.put_object(Bucket="photos", Key="2026/cut.jpg", Body=photo()[:300])
        client.put_object(Bucket="photos", Key="2026/notes.txt", Body=b"not one")
        client.put_object(Bucket="photos", Key="2026-other/x.jpg", Body=photo())
        yield client


@pytest.fixture
def states(s3: Any, monkeypatch: pytest.MonkeyPatch) -> FakeStates:
    """The deployed stack behind the command."""
    found = FakeStates(s3)
    clients = {"s3": s3, "stepfunctions": found, "lambda": FakeFunctions()}

    class Deployed(Stack):
        outputs: ClassVar = {
            "BatchMachineArn": "arn:machine", "BatchFunctionName": "hpe-dev-batch", "BatchBuckets": "photos,more",
            "BatchOutput": "s3://poses/out", "BatchConcurrency": "100",
        }  # fmt: skip

        def client(self, service: str) -> Any:
            return clients[service]

    monkeypatch.setattr(command_module, "Stack", Deployed)
    monkeypatch.setattr(command_module, "POLL_S", 0)
    return found


def run(*given: str, source: str = "s3://photos/2026", output: str = "s3://poses/out") -> Result:
    return CliRunner().invoke(command_module.command, [source, output, *given])


def keys_of(s3: Any) -> list[str]:
    """The key of every line of every result."""
    return sorted(line["key"] for line in lines_of(s3))


def lines_of(s3: Any) -> list[dict[str, Any]]:
    """Every line of every result."""
    found = s3.list_objects_v2(Bucket="poses", Prefix="out/results/").get("Contents", [])
    objects = [s3.get_object(Bucket="poses", Key=one["Key"])["Body"].read() for one in found]
    return [json.loads(line) for data in objects for line in gzip.decompress(data).splitlines()]


ALL = sorted(["2026/cut.jpg", *(f"2026/p{number:02}.jpg" for number in range(11))])


def test_every_photo_below_the_prefix_has_its_line(s3: Any, states: FakeStates) -> None:
    result = run("--batch-size=5", "--follow")
    assert result.exit_code == 0, result.output
    assert states.inputs[0]["kind"] == "prefix", "the state machine lists the photos"
    assert keys_of(s3) == ALL
    assert "12 photos done in all, 11 people; problems: 1 broken-image" in result.output


def test_second_run_does_only_what_is_missing(s3: Any, states: FakeStates) -> None:
    states.kills = {"2026/p03.jpg"}
    first = run("--batch-size=4", "--follow")
    assert first.exit_code == 1
    assert "4 items of it failed" in first.output
    assert len(keys_of(s3)) == 8
    states.kills = set()
    s3.put_object(Bucket="photos", Key="2026/new.jpg", Body=photo(99))
    second = run("--follow")
    assert second.exit_code == 0, second.output
    assert "8 of 13 photos are done, 5 are missing" in second.output
    assert keys_of(s3) == sorted([*ALL, "2026/new.jpg"]), "each once"
    third = run("--follow")
    assert "13 of 13 photos are done, 0 are missing" in third.output
    assert len(states.inputs) == 2, "nothing was started"


def test_changed_photo_is_done_again_and_problems_if_asked(s3: Any, states: FakeStates) -> None:
    run()
    s3.put_object(Bucket="photos", Key="2026/p00.jpg", Body=photo(77))
    assert "11 of 12 photos are done, 1 are missing" in run().output
    assert keys_of(s3) == ALL, "the new line took the old one's place"
    (line,) = [one for one in lines_of(s3) if one["key"] == "2026/p00.jpg"]
    assert line["image"] == {"width": 77, "height": 64}
    again = run("--retry-problems").output
    assert "11 of 12 photos are done" in again
    assert "1 lines were removed" in again
    assert keys_of(s3) == ALL


def test_photo_that_goes_back_to_what_it_was_is_done_again(s3: Any, states: FakeStates) -> None:
    first = s3.get_object(Bucket="photos", Key="2026/p00.jpg")["Body"].read()
    run()
    for data in (photo(77), first):
        s3.put_object(Bucket="photos", Key="2026/p00.jpg", Body=data)
        run()
    (line,) = [one for one in lines_of(s3) if one["key"] == "2026/p00.jpg"]
    assert line["image"]["width"] == 64
    assert keys_of(s3) == ALL


def test_readers_never_see_two_lines_of_a_photo_that_is_being_done_again(s3: Any, states: FakeStates) -> None:
    run("--draw")
    s3.put_object(Bucket="photos", Key="2026/p00.jpg", Body=photo(77))
    states.kills = {"2026/p00.jpg"}
    assert run("--follow").exit_code == 1
    assert keys_of(s3) == [key for key in ALL if key != "2026/p00.jpg"], "not yet the new one, not the old one any more"
    drawn = [one["Key"] for one in s3.list_objects_v2(Bucket="poses", Prefix="out/drawn/")["Contents"]]
    assert "out/drawn/2026/p00.jpg.jpg" not in drawn
    assert "out/drawn/2026/p01.jpg.jpg" in drawn


def test_lines_that_version_2_0_left_twice_become_one(s3: Any, states: FakeStates) -> None:
    run("--batch-size=4")
    old = {"bucket": "photos", "key": "2026/p00.jpg", "etag": "old", "bytes": 9, "people": []}
    s3.put_object(Bucket="poses", Key="out/results/x.jsonl.gz", Body=packed([old]))
    s3.put_object(Bucket="poses", Key="out/done/x.csv", Body=b"2026/p00.jpg,old,0,\r\n")
    assert "12 of 12 photos are done" in run().output
    assert keys_of(s3) == ALL
    left = s3.list_objects_v2(Bucket="poses", Prefix="out/")["Contents"]
    assert not [one["Key"] for one in left if one["Key"].endswith(("/x.jsonl.gz", "/x.csv"))], "nothing was left in it"


def test_deleted_photos_leave_if_asked(s3: Any, states: FakeStates) -> None:
    run("--draw")
    run("--draw", source="s3://photos/2026-other")
    for key in ("2026/p01.jpg", "2026/cut.jpg"):
        s3.delete_object(Bucket="photos", Key=key)
    assert "10 of 10 photos are done" in run().output
    assert len(keys_of(s3)) == 13, "without being asked nothing leaves"
    assert "2 lines were removed" in run("--prune").output
    assert keys_of(s3) == sorted([key for key in ALL if "p01" not in key and "cut" not in key] + ["2026-other/x.jpg"])
    drawn = [one["Key"] for one in s3.list_objects_v2(Bucket="poses", Prefix="out/drawn/")["Contents"]]
    assert "out/drawn/2026/p01.jpg.jpg" not in drawn
    assert read_done(s3, HERE).lines == 11, "the index says so too"


def test_photos_of_another_bucket_in_the_same_output_stay(s3: Any, states: FakeStates) -> None:
    s3.create_bucket(Bucket="more")
    s3.put_object(Bucket="more", Key="2026/p00.jpg", Body=photo(99))
    run()
    run(source="s3://more/2026")
    run("--prune", source="s3://more/2026")
    assert keys_of(s3) == sorted([*ALL, "2026/p00.jpg"])
    assert "12 of 12 photos are done" in run().output


def test_pruning_by_a_manifest_is_refused(states: FakeStates) -> None:
    result = run("--prune", "--manifest", "keys.csv")
    assert (result.exit_code, "leave one of them out" in result.output) == (2, True)


def test_zero_byte_photo_has_its_line(s3: Any, states: FakeStates) -> None:
    s3.put_object(Bucket="photos", Key="2026/empty.jpg", Body=b"")
    run()
    (line,) = [one for one in lines_of(s3) if one["key"] == "2026/empty.jpg"]
    assert line["problem"]["status"] in (415, 422)
    assert "13 of 13 photos are done" in run().output


def inventory(s3: Any, texts: list[bytes], schema: str = "Bucket, Key, Size, ETag", **changed: Any) -> str:
    """An inventory as AWS leaves it in a bucket -> the address of its manifest.json."""
    named = []
    for number, text in enumerate(texts):
        data = gzip.compress(text)
        key = f"lists/photos/daily/data/{number}.csv.gz"
        s3.put_object(Bucket="more", Key=key, Body=data)
        named.append({"key": key, "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()})
    manifest = {
        "sourceBucket": "photos", "destinationBucket": "arn:aws:s3:::more", "version": "2016-11-30",
        "creationTimestamp": "1764547200000", "fileFormat": "CSV", "fileSchema": schema, "files": named, **changed,
    }  # fmt: skip
    s3.put_object(Bucket="more", Key="lists/photos/daily/manifest.json", Body=json.dumps(manifest).encode())
    return "s3://more/lists/photos/daily/manifest.json"


def test_inventory_is_read_by_its_manifest_as_aws_writes_it(s3: Any, states: FakeStates) -> None:
    s3.create_bucket(Bucket="more")
    for key in ("2026/with space.jpg", "2026/写真 +1.jpg"):
        s3.put_object(Bucket="photos", Key=key, Body=photo())
    listed = [one for page in s3.get_paginator("list_objects_v2").paginate(Bucket="photos") for one in page["Contents"]]
    rows = [f'"photos","{quote_plus(one["Key"], "/")}","{one["Size"]}",{one["ETag"]}\n'.encode() for one in listed]
    name = inventory(s3, [b"".join(rows[:5]), b"".join(rows[5:])])
    result = run("--manifest", name)
    assert result.exit_code == 0, result.output
    assert keys_of(s3) == sorted([*ALL, "2026/with space.jpg", "2026/写真 +1.jpg"])
    assert "2 of 16 objects" in result.output, "a text, and what is not below 2026/"
    assert "14 of 14 photos are done" in run("--manifest", name).output


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"fileFormat": "ORC"}, "an inventory in ORC: set its output format to CSV"),
        ({"files": [{"key": "lists/photos/daily/data/0.csv.gz", "MD5checksum": "0" * 32}]}, "is not the file that"),
        ({"files": [{}]}, "is not a manifest.json of S3 Inventory"),
    ],
)
def test_inventory_that_cannot_be_read_is_one_line(s3: Any, states: FakeStates, changed: Any, words: str) -> None:
    s3.create_bucket(Bucket="more")
    name = inventory(s3, [b'"photos","2026/p00.jpg","9","e"\n'], **changed)
    result = run("--manifest", name)
    assert (result.exit_code, words in str(result.exception)) == (1, True), result.exception


def test_run_killed_between_results_and_index_leaves_no_doubles(s3: Any, states: FakeStates) -> None:
    run("--batch-size=6")
    index = s3.list_objects_v2(Bucket="poses", Prefix="out/done/")["Contents"][0]["Key"]
    s3.delete_object(Bucket="poses", Key=index)
    assert "12 of 12 photos are done" in run().output
    assert read_done(s3, HERE).problems == {"broken-image": 1}
    assert keys_of(s3) == ALL


@pytest.mark.parametrize("where", ["file", "s3"])
def test_keys_of_a_manifest_alone(s3: Any, states: FakeStates, tmp_path: Path, where: str) -> None:
    text = "key,note\n2026/p01.jpg,a\n2026-other/x.jpg,b\n"
    name = str(tmp_path / "keys.csv")
    Path(name).write_text(text)
    if where == "s3":
        s3.put_object(Bucket="photos", Key="lists/keys.csv", Body=text.encode())
        name = "s3://photos/lists/keys.csv"
    assert run("--manifest", name, source="s3://photos").exit_code == 0
    assert keys_of(s3) == ["2026-other/x.jpg", "2026/p01.jpg"]
    assert "2 of 2 photos are done" in run("--manifest", name, source="s3://photos").output


def test_dry_run_counts_measures_and_writes_nothing(s3: Any, states: FakeStates) -> None:
    result = run("--dry-run")
    assert result.exit_code == 0, result.output
    assert "photos   12" in result.output
    assert "40 ms, measured in the function on 10 of them" in result.output
    assert "together" in result.output
    assert not states.inputs
    assert "Contents" not in s3.list_objects_v2(Bucket="poses")


def test_drawn_pictures_where_asked(s3: Any, states: FakeStates) -> None:
    run("--draw")
    drawn = s3.list_objects_v2(Bucket="poses", Prefix="out/drawn/")["Contents"]
    assert sorted(one["Key"] for one in drawn) == [f"out/drawn/{key}.jpg" for key in ALL if "cut" not in key]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"source": "photos/2026"}, "photos/2026 is not a place in S3: give s3://bucket/prefix"),
        ({"source": "s3://elsewhere/x"}, "not elsewhere: deploy it with --param=batchBuckets=photos,more,elsewhere"),
        ({"output": "s3://poses/outside"}, "may write below s3://poses/out, not s3://poses/outside"),
        ({"output": "s3://photos/out"}, "may write below s3://poses/out, not s3://photos/out"),
        ({"source": "s3://photos/none"}, "no photos below s3://photos/none"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(states: FakeStates, given: dict[str, str], words: str) -> None:
    result = run(**given)
    assert result.exit_code == 1
    assert words in f"{result.output}{result.exception}"
    assert isinstance(result.exception, (SystemExit, HpeError))


def test_bucket_that_is_not_there_is_one_line(states: FakeStates) -> None:
    result = run(source="s3://more/x")
    assert result.exit_code == 1
    assert "AWS refuses ListObjectsV2 (NoSuchBucket)" in result.output


def test_stack_without_batches_says_how_to_deploy_them(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "outputs", {})
    result = run()
    assert "stack hpe-dev was deployed without that: npx serverless deploy --param=batchBuckets=" in result.output


def test_places() -> None:
    assert place_of("s3://b/") == Place("b", "")
    assert place_of("s3://b/x/y/").key("z") == "x/y/z"
    assert Place("b", "").holds(Place("b", "x"))
    assert Place("b", "x").holds(Place("b", "x/y"))
    assert not Place("b", "x").holds(Place("b", "xy"))
    assert not Place("b", "x").holds(Place("b", ""))


def test_cost_adds_up_and_grows_with_the_photos() -> None:
    from hpe.batch.cost import GB_SECOND, Job, dollars

    small, large = Job(1000, 300), Job(1_000_000, 300)
    assert large.batches == 20_000
    assert large.hours == pytest.approx(1_000_000 * 0.3 / 100 / 3600)
    lines = dollars(large)
    assert lines["Lambda, GB-seconds"] == pytest.approx(300_000 * 1769 / 1024 * GB_SECOND["arm64"])
    assert sum(lines.values()) == pytest.approx(1000 * sum(dollars(small).values()))
    assert Job(10, 300).hours == pytest.approx(10 * 0.3 / 1 / 3600), "one batch is not spread"


def test_snippet_of_the_docs_counts_every_photo_once(
    s3: Any, states: FakeStates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas: pip install -r requirements-dev.txt")
    run("--batch-size=5")
    s3.put_object(Bucket="photos", Key="2026/p00.jpg", Body=photo(77))
    run()
    for one in s3.list_objects_v2(Bucket="poses", Prefix="out/results/")["Contents"]:
        s3.download_file("poses", one["Key"], str(tmp_path / one["Key"].rsplit("/", 1)[-1]))
    bucket = SimpleNamespace(glob=lambda pattern: [str(path) for path in tmp_path.glob(pattern.rsplit("/", 1)[-1])])
    monkeypatch.setitem(sys.modules, "s3fs", SimpleNamespace(S3FileSystem=lambda: bucket))
    read_json = pandas.read_json
    monkeypatch.setattr(pandas, "read_json", lambda name, **how: read_json(name.removeprefix("s3://"), **how))
    (snippet,) = re.findall(r"```python\n(import pandas, s3fs.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.S)
    found: dict[str, Any] = {}
    exec(snippet, found)
    assert sorted(found["photos"]["key"]) == ALL


@pytest.fixture
def clips(s3: Any, tmp_path: Path) -> Any:
    """A clip of 30 frames among the photos, and one that is none."""
    world = World(walkers)
    file = write_clip(tmp_path / "a.avi", [world.frame(number) for number in range(30)], codec="MJPG")
    s3.put_object(Bucket="photos", Key="2026/walk.AVI", Body=file.read_bytes())
    s3.put_object(Bucket="photos", Key="2026/torn.mp4", Body=b"not a clip")
    return s3


def line_of(s3: Any, key: str) -> Any:
    (line,) = [line for line in lines_of(s3) if line["key"] == key]
    return line


def test_clips_among_the_photos_are_lines_that_say_where_their_tracks_are(clips: Any, states: FakeStates) -> None:
    result = run("--follow")
    assert result.exit_code == 0, result.output
    assert "14 photos and clips done in all, 13 people; problems: 1 broken-image, 1 unsupported-video" in result.output
    assert keys_of(clips) == sorted([*ALL, "2026/torn.mp4", "2026/walk.AVI"])
    line = line_of(clips, "2026/walk.AVI")
    assert line["tracks"] == "s3://poses/out/tracks/2026/walk.AVI.jsonl"
    assert line["frames"] == 30
    assert [(one["id"], one["frames"]) for one in line["people"]] == [(1, 30), (2, 20)]
    assert line["people"][1]["start"] == pytest.approx(10 / 30, abs=0.01)
    tracks = clips.get_object(Bucket="poses", Key="out/tracks/2026/walk.AVI.jsonl")["Body"].read().splitlines()
    assert [(json.loads(row)["frame"], json.loads(row)["id"]) for row in tracks][:11] == [
        *((number, 1) for number in range(10)), (10, 1),
    ]  # fmt: skip
    assert len(tracks) == 50
    problem = line_of(clips, "2026/torn.mp4")["problem"]
    assert (problem["status"], problem["type"]) == (415, "/problems/unsupported-video")
    assert "2026/walk.AVI" in {one["Key"] for one in clips.list_objects_v2(Bucket="photos")["Contents"]}, "it is theirs"
    assert "Contents" not in clips.list_objects_v2(Bucket="uploads"), "no parts are left"
    again = run()
    assert "14 of 14 photos and clips are done, 0 are missing" in again.output
    assert len(states.messages) == 2


def test_a_clip_that_is_delivered_twice_is_followed_once(clips: Any, states: FakeStates) -> None:
    run()
    before = line_of(clips, "2026/walk.AVI")
    clips.delete_object(Bucket="photos", Key="2026/walk.AVI")  # whoever looked for it would find nothing
    states.sqs.send_message(QueueUrl=states.queue, MessageBody=states.messages[0])
    states.sqs.send_message(QueueUrl=states.queue, MessageBody=states.messages[1])
    states.follow_clips()
    assert line_of(clips, "2026/walk.AVI") == before


def test_a_clip_that_changed_or_was_deleted_loses_its_old_line_and_tracks(clips: Any, states: FakeStates) -> None:
    run()
    data = clips.get_object(Bucket="photos", Key="2026/walk.AVI")["Body"].read()
    clips.put_object(Bucket="photos", Key="2026/walk.AVI", Body=data[: len(data) // 4])
    assert "13 of 14 photos and clips are done, 1 are missing" in run().output
    line = line_of(clips, "2026/walk.AVI")
    assert line["frames"] < 20
    assert "cut off" in line["cut_off"]
    clips.delete_object(Bucket="photos", Key="2026/walk.AVI")
    run("--prune")
    assert "2026/walk.AVI" not in keys_of(clips)
    assert "Contents" not in clips.list_objects_v2(Bucket="poses", Prefix="out/tracks/")


def test_a_dry_run_counts_clips_apart_and_says_what_a_minute_costs(clips: Any, states: FakeStates) -> None:
    result = run("--dry-run")
    assert result.exit_code == 0, result.output
    assert re.search(r"photos   12,.*missing 12", result.output)
    assert re.search(r"clips    2,.*missing 2", result.output)
    assert re.search(r"a minute of clip .* s of the worker of clips, \$0\.\d+, with 2 people", result.output)
    assert not states.messages
