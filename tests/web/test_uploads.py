"""POST /uploads and GET /results/ID against moto's S3 over HTTP: the signed links are really used."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from botocore.exceptions import EndpointConnectionError

from hpe.errors import BadRequest, NotFound, PhotosUnavailable, TooLarge, UnsupportedImage
from hpe.settings import Settings
from hpe.web import photo_bucket
from hpe.web.aws import client as aws_client
from hpe.web.messages import Request
from hpe.web.uploads import handle_uploads

BUCKET = "hpe-test-photos"


@pytest.fixture
def bucket(moto_url: str, aws_env: pytest.MonkeyPatch) -> Iterator[Any]:
    aws_env.setenv("AWS_ENDPOINT_URL", moto_url)
    aws_client.cache_clear()
    found = boto3.resource("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
    yield found
    found.objects.delete()
    aws_client.cache_clear()


SETTINGS = Settings(photo_bucket=BUCKET, max_upload_bytes=1000, photo_link_s=600)


def ask_for_ticket(content_type: object = "image/jpeg", size: object = 5, body: bytes | None = None) -> dict[str, Any]:
    body = json.dumps({"content_type": content_type, "size": size}).encode() if body is None else body
    response = handle_uploads(Request("POST", "/uploads", body=body), SETTINGS)
    assert response.status == 201
    answer: dict[str, Any] = json.loads(response.body)
    assert response.headers["Location"] == answer["result"]
    return answer


def result_of(photo_id: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    response = handle_uploads(Request("GET", f"/results/{photo_id}"), SETTINGS)
    return response.status, dict(response.headers), json.loads(response.body)


def test_ticket_takes_the_photo_through_the_signed_form(bucket: Any) -> None:
    ticket = ask_for_ticket()
    answer = requests.post(ticket["url"], data=ticket["fields"], files={"file": b"photo"}, timeout=10)
    assert answer.status_code in (200, 204), answer.text
    assert bucket.Object(f"uploads/{ticket['id']}").get()["Body"].read() == b"photo"
    assert ticket["expires_in_s"] == 600
    assert ticket["result"] == f"/results/{ticket['id']}"


def test_form_is_signed_for_this_type_and_at_most_this_size(bucket: Any) -> None:
    import base64

    policy = json.loads(base64.b64decode(ask_for_ticket(size=700)["fields"]["policy"]))
    assert {"Content-Type": "image/jpeg"} in policy["conditions"]
    assert ["content-length-range", 1, 700] in policy["conditions"]


def test_two_tickets_have_different_ids(bucket: Any) -> None:
    assert ask_for_ticket()["id"] != ask_for_ticket()["id"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", BadRequest),
        (b"{", BadRequest),
        (b"[]", BadRequest),
        (b"{}", BadRequest),
        (b'{"content_type": "image/png"}', BadRequest),
        (b'{"content_type": 3, "size": 5}', BadRequest),
        (b'{"content_type": "image/png", "size": "5"}', BadRequest),
        (b'{"content_type": "image/png", "size": true}', BadRequest),
        (b'{"content_type": "image/png", "size": 0}', BadRequest),
        (b'{"content_type": "image/png", "size": -1}', BadRequest),
        (b'{"content_type": "image/png", "size": 1001}', TooLarge),
        (b'{"content_type": "text/html", "size": 5}', UnsupportedImage),
        (b'{"content_type": "image/", "size": 5}', UnsupportedImage),
        (b'{"content_type": "image/<script>", "size": 5}', UnsupportedImage),
        (b"\xff\xfe", BadRequest),
        (b"[" * 200_000, BadRequest),
    ],
)
def test_bad_wish_is_refused_with_its_reason(bucket: Any, body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error, match=r".{20}"):
        ask_for_ticket(body=body)


def test_largest_allowed_photo_gets_a_ticket(bucket: Any) -> None:
    assert ask_for_ticket(size=1000)["id"]


def test_photo_that_waits_is_202_with_retry_after(bucket: Any) -> None:
    photo_id = photo_bucket.new_id()
    bucket.put_object(Key=f"uploads/{photo_id}", Body=b"photo")
    status, headers, body = result_of(photo_id)
    assert (status, body["state"]) == (202, "pending")
    assert int(headers["Retry-After"]) > 0


def test_finished_photo_is_200_with_links_that_work(bucket: Any) -> None:
    photo_id = photo_bucket.new_id()
    bucket.put_object(Key=f"results/{photo_id}.png", Body=b"png", ContentType="image/png")
    bucket.put_object(Key=f"results/{photo_id}.json", Body=b"{}", ContentType="application/json")
    status, _, body = result_of(photo_id)
    assert status == 200
    assert requests.get(body["png"], timeout=10).content == b"png"
    assert requests.get(body["json"], timeout=10).json() == {}


def test_half_written_result_still_waits(bucket: Any) -> None:
    photo_id = photo_bucket.new_id()
    bucket.put_object(Key=f"uploads/{photo_id}", Body=b"photo")
    bucket.put_object(Key=f"results/{photo_id}.png", Body=b"png")
    assert result_of(photo_id)[0] == 202


def test_photo_that_could_not_be_read_answers_the_workers_problem(bucket: Any) -> None:
    photo_id = photo_bucket.new_id()
    left = {"type": "/problems/broken-image", "title": "Broken", "status": 422, "detail": "cut off"}
    bucket.put_object(Key=f"results/{photo_id}.problem.json", Body=json.dumps(left).encode())
    status, headers, body = result_of(photo_id)
    assert (status, headers["Content-Type"], body) == (422, "application/problem+json", left)


@pytest.mark.parametrize("photo_id", ["", "x", "../uploads", "0" * 31, "0" * 33, "A" * 32, "0" * 32, "ä" * 32])
def test_unknown_id_is_not_found(bucket: Any, photo_id: str) -> None:
    with pytest.raises(NotFound, match="upload it"):
        result_of(photo_id)


def test_one_id_does_not_find_another_that_it_begins(bucket: Any) -> None:
    bucket.put_object(Key=f"results/{'a' * 31}.json", Body=b"{}")
    with pytest.raises(NotFound):
        result_of("a" * 32)


def test_without_a_bucket_there_are_no_uploads() -> None:
    with pytest.raises(NotFound, match="POST /pose"):
        handle_uploads(Request("POST", "/uploads", body=b"{}"), Settings())


def test_unreachable_s3_is_said_to_pass(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(self: object, name: str) -> str:
        raise EndpointConnectionError(endpoint_url="http://s3")

    monkeypatch.setattr(photo_bucket.PhotoStore, "state", unreachable)
    with pytest.raises(PhotosUnavailable):
        result_of(photo_bucket.new_id())


def test_clip_goes_to_its_own_folder_and_what_fits_is_told_before(bucket: Any) -> None:
    settings = Settings(photo_bucket=BUCKET, max_upload_bytes=1000)
    wish = {"content_type": "video/mp4", "size": 50_000_000, "seconds": 60, "fps": 30}
    response = handle_uploads(Request("POST", "/uploads", body=json.dumps(wish).encode()), settings)
    answer = json.loads(response.body)
    assert response.status == 201
    assert answer["fields"]["key"] == f"clips/{answer['id']}"
    assert answer["clip"]["max_bytes"] == settings.max_clip_bytes
    assert 60 < answer["clip"]["expected_s"] < 4200
    assert 60 < answer["clip"]["max_seconds"] <= 60 * settings.max_clip_minutes
    longer = {**wish, "seconds": answer["clip"]["max_seconds"] + 1}
    with pytest.raises(TooLarge, match="at 30 frames a second; the limit is"):
        handle_uploads(Request("POST", "/uploads", body=json.dumps(longer).encode()), settings)
    with pytest.raises(TooLarge, match="limit for a clip"):
        handle_uploads(Request("POST", "/uploads", body=json.dumps({**wish, "size": 10**10}).encode()), settings)
    for wrong in ({"fps": 0}, {"fps": "fast"}, {"seconds": -1}, {"seconds": True}):
        with pytest.raises(BadRequest, match="above 0"):
            handle_uploads(Request("POST", "/uploads", body=json.dumps({**wish, **wrong}).encode()), settings)


def test_clip_tells_how_far_it_is_and_then_where_its_tracks_are(bucket: Any) -> None:
    photo_id = "a" * 32
    bucket.put_object(Key=f"clips/{photo_id}", Body=b"clip")
    assert result_of(photo_id)[0::2] == (202, {"id": photo_id, "state": "pending"})
    progress = {"frame": 50, "frames": 200, "people": 2}
    bucket.put_object(Key=f"results/{photo_id}.progress.json", Body=json.dumps(progress).encode())
    assert result_of(photo_id)[2]["progress"] == progress
    bucket.put_object(Key=f"results/{photo_id}.jsonl", Body=b'{"frame": 0}\n')
    status, _, answer = result_of(photo_id)
    assert status == 200
    assert set(answer) == {"id", "jsonl"}
    assert requests.get(answer["jsonl"], timeout=10).content == b'{"frame": 0}\n'
