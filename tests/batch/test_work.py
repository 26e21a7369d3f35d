"""A batch of photos in S3: lines, an index, problems that are one line, the same bytes again. S3 is a dictionary."""

# ruff: noqa: N803 (boto3's own argument names)

import csv
import gzip
import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from PIL import Image
from web.fakes import FakeEstimator, photo

import worker
from hpe.batch.clips import task_of
from hpe.batch.items import Batch, Item, batch_of, is_photo, item_of
from hpe.batch.manifest import manifest_lines, read_manifest
from hpe.batch.work import work
from hpe.errors import BadData, ModelUnavailable, PhotosUnavailable
from hpe.settings import Settings

SETTINGS = Settings(max_upload_bytes=100_000)
OUTPUT = "results-bucket/run"


def etag(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@dataclass
class FakeS3:
    """What a batch asks of boto3's client. refusals: what S3 says of a key instead of its bytes."""

    objects: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, Exception] = field(default_factory=dict)
    written: dict[str, bytes] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == "photos"
        if Key in self.refusals:
            raise self.refusals[Key]
        data = self.objects[Key]
        return {"Body": io.BytesIO(data), "ContentLength": len(data), "ETag": f'"{etag(data)}"'}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:
        self.written[f"{Bucket}/{Key}"] = Body
        self.order.append(Key)


def s3_says(code: str, status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetObject")  # type: ignore[arg-type]


def batch(*keys: str, draw: bool = False, output: str = OUTPUT, **sizes: int) -> Batch:
    return Batch("photos", tuple(Item(key, size=sizes.get(key)) for key in keys), output, draw)


def lines(s3: FakeS3) -> list[dict[str, Any]]:
    (results,) = [data for key, data in s3.written.items() if key.endswith(".jsonl.gz")]
    return [json.loads(line) for line in gzip.decompress(results).decode().splitlines()]


def index(s3: FakeS3) -> list[list[str]]:
    (done,) = [data for key, data in s3.written.items() if "/done/" in key]
    return list(csv.reader(io.StringIO(done.decode(), newline="")))


def run(s3: FakeS3, given: Batch, people: int = 1, settings: Settings = SETTINGS) -> dict[str, Any]:
    estimator = FakeEstimator(people)
    return work(given, s3, lambda: estimator, settings)


def test_each_photo_is_a_line_and_a_row_of_the_index() -> None:
    s3 = FakeS3({"a.jpg": photo(), "sub/b, c.png": photo(format="PNG")})
    summary = run(s3, batch("a.jpg", "sub/b, c.png"), people=2)
    first, second = lines(s3)
    assert (first["bucket"], first["key"], first["etag"]) == ("photos", "a.jpg", etag(s3.objects["a.jpg"]))
    assert first["image"] == {"width": 96, "height": 64}
    assert len(first["people"]) == 2
    assert [joint["name"] for joint in first["people"][0]["keypoints"]][:2] == ["right_ankle", "right_knee"]
    assert first["model"]["sha256"] == FakeEstimator.card.sha256
    assert second["key"] == "sub/b, c.png"
    assert index(s3) == [[key, etag(s3.objects[key]), "2", "", "photos"] for key in ("a.jpg", "sub/b, c.png")]
    assert (summary["photos"], summary["people"], summary["problems"]) == (2, 4, {})
    assert s3.order[-1].startswith("run/done/"), "the index comes last: where it is, all is there"


def test_line_is_the_answer_of_post_pose() -> None:
    from hpe.web.api import handle
    from hpe.web.messages import Request

    s3, data = FakeS3({"a.jpg": photo()}), photo()
    run(s3, batch("a.jpg"))
    request = Request("POST", "/pose", {"format": "json"}, {"content-type": "image/jpeg"}, data)
    answer = json.loads(handle(request, FakeEstimator, SETTINGS).body)
    assert {name: answer[name] for name in answer if name not in ("timings_ms", "skeleton")}.items() <= lines(s3)[
        0
    ].items()


def test_bad_photos_are_lines_with_their_problems_and_the_rest_is_done() -> None:
    refused = {
        "gone.jpg": s3_says("NoSuchKey"),
        "secret.jpg": s3_says("AccessDenied"),
        "cold.jpg": s3_says("InvalidObjectState"),
    }
    s3 = FakeS3({"cut.jpg": photo()[:400], "words": b"not a photo at all", "good.jpg": photo()}, refused)
    summary = run(
        s3,
        batch(
            "cut.jpg", "words", "gone.jpg", "secret.jpg", "cold.jpg", "huge.jpg", "good.jpg", **{"huge.jpg": 100_001}
        ),
    )
    found = {line["key"]: line.get("problem") for line in lines(s3)}
    assert {key: problem and problem["status"] for key, problem in found.items()} == {
        "cut.jpg": 422, "words": 415, "gone.jpg": 404, "secret.jpg": 404, "cold.jpg": 404, "huge.jpg": 413,
        "good.jpg": None,
    }  # fmt: skip
    assert "restore it" in found["cold.jpg"]["detail"]
    assert "100001 bytes; the limit is 100000" in found["huge.jpg"]["detail"]
    assert summary["problems"] == {"broken-image": 1, "unsupported-image": 1, "not-found": 3, "too-large": 1}
    assert {row[0]: row[3] for row in index(s3)}["cut.jpg"] == "broken-image"


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (s3_says("AccessDenied", 403), "the function may not read it"),
        (s3_says("KMS.DisabledException"), "its key of KMS is disabled"),
        (s3_says("KMS.NotFoundException"), "its key of KMS is disabled, deleted"),
        (s3_says("InvalidRequest"), "a key of your own (SSE-C)"),
        (s3_says("InvalidObjectState", 403), "it lies in an archive (Glacier)"),
        (s3_says("MethodNotAllowed", 405), "(MethodNotAllowed): no"),
    ],
)
def test_one_unreadable_object_is_one_line_and_never_the_batch(refusal: ClientError, words: str) -> None:
    s3 = FakeS3({"a.jpg": photo(), "c.jpg": photo()}, {"b.jpg": refusal})
    assert run(s3, batch("a.jpg", "b.jpg", "c.jpg"))["problems"] == {"not-found": 1}
    found = {line["key"]: line.get("problem", {}).get("detail", "") for line in lines(s3)}
    assert "s3://photos/b.jpg cannot be read" in found["b.jpg"]
    assert words in found["b.jpg"]
    assert (found["a.jpg"], found["c.jpg"]) == ("", "")


def test_zero_byte_photo_is_a_line_with_its_problem() -> None:
    s3 = FakeS3({"empty.jpg": b"", "good.jpg": photo()})
    run(s3, batch("empty.jpg", "good.jpg", **{"empty.jpg": 0}))
    empty, good = lines(s3)
    assert (empty["key"], empty["bytes"], bool(empty["problem"]["detail"])) == ("empty.jpg", 0, True)
    assert good["people"]


def test_photo_that_is_larger_than_the_list_said_is_not_read_whole() -> None:
    s3 = FakeS3({"grown.jpg": bytes(100_001)})
    run(s3, batch("grown.jpg"))
    assert lines(s3)[0]["problem"]["status"] == 413


def test_bug_in_one_photo_is_one_line_that_tells_nothing() -> None:
    class Trips(FakeEstimator):
        def __call__(self, image: Any, **asked: Any) -> Any:
            if not self.calls:
                self.calls.append({})
                raise ZeroDivisionError("secret detail")
            return super().__call__(image, **asked)

    s3, estimator = FakeS3({"a.jpg": photo(), "b.jpg": photo()}), Trips()
    work(batch("a.jpg", "b.jpg"), s3, lambda: estimator, SETTINGS)
    first, second = lines(s3)
    assert first["problem"]["status"] == 500
    assert "secret" not in json.dumps(first)
    assert second["people"]


@pytest.mark.parametrize("again", [1, 2])
def test_batch_that_is_given_again_writes_the_same(again: int) -> None:
    objects = {f"{n}.jpg": photo(90 + n) for n in range(4)}
    once, twice = FakeS3(objects), FakeS3(objects)
    run(once, batch(*objects, draw=True))
    for _ in range(again):
        run(twice, batch(*objects, draw=True))
    assert once.written == twice.written
    assert len(once.written) == 2 + 4


def test_name_is_of_the_photos_in_any_order_and_of_their_etags() -> None:
    items = (Item("a", "1"), Item("b", "2"))
    name = Batch("photos", items).name
    assert Batch("photos", items[::-1]).name == name
    others = [Batch("photos", (Item("a", "1"), Item("b", "3"))), Batch("else", items), Batch("photos", items[:1])]
    assert name not in {other.name for other in others}


def test_drawn_pictures_only_where_asked() -> None:
    s3 = FakeS3({"album/a.png": photo(format="PNG")})
    run(s3, batch("album/a.png"))
    assert not [key for key in s3.written if "drawn" in key]
    run(s3, batch("album/a.png", draw=True))
    drawn = Image.open(io.BytesIO(s3.written[f"{OUTPUT}/drawn/album/a.png.jpg"]))
    assert (drawn.format, drawn.size) == ("JPEG", (96, 64))


def test_without_an_output_it_only_measures() -> None:
    s3 = FakeS3({"a.jpg": photo()})
    summary = run(s3, batch("a.jpg", output=""))
    assert not s3.written
    assert (summary["photos"], summary["results"], summary["bytes"]) == (1, "", len(s3.objects["a.jpg"]))


def test_what_may_pass_fails_the_whole_batch_and_writes_nothing() -> None:
    for trouble in (
        s3_says("SlowDown", 503),
        s3_says("InternalError", 500),
        s3_says("RequestTimeout", 400),
        s3_says("ExpiredToken", 400),
        s3_says("NoSuchBucket", 404),
        s3_says("KMS.ThrottlingException", 400),
        EndpointConnectionError(endpoint_url="x"),
        TimeoutError(),
    ):
        s3 = FakeS3({"a.jpg": photo()}, {"b.jpg": trouble})
        with pytest.raises(PhotosUnavailable):
            run(s3, batch("a.jpg", "b.jpg"))
        assert not s3.written

    def no_model() -> Any:
        raise ModelUnavailable("s3 is away")

    with pytest.raises(ModelUnavailable):
        work(batch("a.jpg"), FakeS3(), no_model, SETTINGS)


def test_own_results_and_other_files_are_no_photos() -> None:
    s3 = FakeS3({"a.jpg": photo()})
    given = Batch(
        "photos",
        (Item("a.jpg"), Item("out/results/x.jsonl.gz"), Item("out/drawn/a.jpg.jpg"), Item("b.txt")),
        "photos/out",
    )
    assert run(s3, given)["photos"] == 1
    assert [line["key"] for line in lines(s3)] == ["a.jpg"]


def test_batch_without_any_photo_writes_nothing() -> None:
    s3 = FakeS3()
    assert run(s3, batch("notes.txt", "folder/"))["photos"] == 0
    assert not s3.written


@pytest.mark.parametrize(
    ("key", "photo"),
    [
        ("a.JPG", True), ("x/y.heic", True), ("6f1e", True), ("a.b/c", True), ("a.weird", True),
        ("a.mp4", False), ("a.json", False), ("a.txt", False), ("folder/", False), ("a.csv.gz", False),
    ],
)  # fmt: skip
def test_photos_are_told_by_their_names(key: str, photo: bool) -> None:
    assert is_photo(key) is photo


def test_state_machine_gives_batches_and_the_emulator_single_photos() -> None:
    one = {
        "photo": {"Key": "a.jpg", "Etag": '"e"', "Size": 5, "StorageClass": "STANDARD"},
        "bucket": "photos",
        "output": OUTPUT,
        "draw": True,
    }
    two = {**one, "photo": {"key": "b.jpg", "etag": ""}}
    assert batch_of({"Items": [one, two]}) == Batch("photos", (Item("a.jpg", "e", 5), Item("b.jpg")), OUTPUT, True)
    assert batch_of(one).items == (Item("a.jpg", "e", 5),)
    for nonsense in ({}, {"Items": []}, {"Items": [{"photo": {}}]}, {"Items": 3}, {"Records": []}):
        with pytest.raises(BadData, match="hpe batch"):
            batch_of(nonsense)


def test_manifests_are_csv_or_json_lines() -> None:
    items = [Item("a, b.jpg", "e1", 5), Item('c"d.jpg')]
    assert read_manifest(b'\xef\xbb\xbfKey,ETag,size\n"a, b.jpg",e1,5\n"c""d.jpg",,\n', "keys.csv") == items
    assert read_manifest(manifest_lines(items), "keys.jsonl") == items
    assert [item_of(json.loads(line)) for line in manifest_lines(items).decode().splitlines()] == items


ETAG = "9b2cf535f27731c974343645a3985328"


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ('"photos","with+space.jpg","100"\n"photos","uni+%E5%86%99%E7%9C%9F.jpg","100"\n',
         [Item("with space.jpg", size=100), Item("uni 写真.jpg", size=100)]),
        (f'"photos","a%2Bb.jpg","7","2026-11-30T01:02:03.000Z","{ETAG}","STANDARD"\n', [Item("a+b.jpg", ETAG, 7)]),
        (f'"photos","a.jpg","{ETAG}-3"\n', [Item("a.jpg")]),
        (f'"photos","old.jpg","v1","false","false","5","{ETAG}"\n"photos","now.jpg","v2","true","false","6","{ETAG}"\n'
         '"photos","gone.jpg","v3","true","true"\n', [Item("now.jpg", ETAG, 6)]),
        ("Bucket,Key,Size\nphotos,with+space.jpg,100\n", [Item("with space.jpg", size=100)]),
        ("key\nwith+space.jpg\n", [Item("with+space.jpg")]),
    ],
    ids=["as AWS writes it", "with an ETag", "without a size", "with versions", "under a header", "own list"],
)  # fmt: skip
@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_inventory_is_read_without_a_header_packed_and_encoded(text: str, items: list[Item], pack: Any) -> None:
    assert read_manifest(pack(text.encode()), "inventory.csv.gz", "photos") == items


def test_inventory_of_the_cases(root: Path) -> None:
    folder = root.parent / "shared" / "cases" / "s3"
    if not folder.is_dir():
        pytest.skip("needs ../shared/cases, which is not beside this checkout")
    for name, keys in {
        "inventory.csv": ["with space.jpg", "uni 写真.jpg"],
        "inventory.csv.gz": ["plain.jpg"],
        "inventory-with-header.csv": ["with space.jpg"],
    }.items():
        assert [item.key for item in read_manifest((folder / name).read_bytes(), name, "photos-in")] == keys


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'"others","a.jpg","9"\n', "photo 1: it is in others, and the photos are in photos"),
        (gzip.compress(b'"photos","a.jpg","9"\n', mtime=0)[:20], "cannot be unpacked"),
        (b'"photos","%FF.jpg","9"\n', "photo 1"),
        (b"", "names no photo"),
        (b"key\n", "names no photo"),
        (b"name\na.jpg\n", "photo 1: .* give a column .* named key"),
        (b'{"key": "a"}\n{"key": ', "line 2 is not JSON"),
        (b'{"key": "a"}\n[1]', "line 2 is not a JSON object"),
        (b'{"name": "a"}\n', "photo 1: .* named key"),
    ],
)
def test_manifest_that_is_none_is_named_with_its_line(data: bytes, words: str) -> None:
    with pytest.raises(BadData, match=words):
        read_manifest(data, "keys", "photos")


def test_entry_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = FakeS3({"a.jpg": photo()})
    monkeypatch.setattr(worker.aws, "client", lambda service: s3)
    monkeypatch.setattr(worker, "estimator", FakeEstimator)
    one = {"photo": {"Key": "a.jpg"}, "bucket": "photos", "output": OUTPUT, "draw": False}
    assert worker.batch({"Items": [one]}, None)["photos"] == 1
    assert lines(s3)[0]["people"]


class FakeQueue:
    """SQS; refuses: whether it takes nothing."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses, self.bodies = refuses, list[str]()

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:
        assert QueueUrl == "https://queue"
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")
        self.bodies.append(MessageBody)


def test_clips_are_sent_to_their_queue_and_not_fetched() -> None:
    s3, sqs = FakeS3({"a.jpg": photo()}), FakeQueue()
    settings = Settings(clip_queue="https://queue", max_clip_bytes=1000)
    names = [f"{number}.mp4" for number in range(12)]
    given = batch("a.jpg", *names, "long.mov", **{"long.mov": 1001})
    summary = work(given, s3, lambda: FakeEstimator(1), settings, sqs)
    assert (summary["photos"], summary["clips"]) == (1, 12)
    found = [task_of(body) for body in sqs.bodies]
    assert [task and (task.bucket, task.item.key, task.output) for task in found] == [
        ("photos", name, OUTPUT) for name in names
    ]
    assert {line["key"]: line.get("problem", {}).get("type") for line in lines(s3)} == {
        "long.mov": "/problems/video-too-large",
        "a.jpg": None,
    }


def test_a_queue_that_does_not_take_a_clip_fails_the_batch_which_is_tried_again() -> None:
    settings = Settings(clip_queue="https://queue")
    with pytest.raises(PhotosUnavailable, match=r"queue of clips does not take a\.mp4"):
        work(batch("a.mp4"), FakeS3(), lambda: FakeEstimator(1), settings, FakeQueue(refuses=True))


def test_a_stack_without_a_worker_of_clips_says_so_in_the_clips_line() -> None:
    s3 = FakeS3()
    run(s3, batch("a.mp4"))
    assert "deploy it again" in lines(s3)[0]["problem"]["detail"]


@pytest.mark.parametrize("body", ["", "[]", '{"clip": 1}', '{"clip": {"bucket": "b"}}', '{"Records": []}'])
def test_other_messages_are_no_clip_of_a_batch(body: str) -> None:
    assert task_of(body) is None
