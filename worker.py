"""The other Lambda entries. `handler`: SQS messages of photos that landed in uploads/ -> results/ID.png and .json;
`batch`: photos that lie in S3 anyway -> lines of JSON there (`hpe batch`, hpe/batch/work.py).

S3 and SQS may deliver twice and out of order, so a photo that has its result is left alone; a photo that cannot
be read gets its problem as a result; what fails otherwise is tried again by SQS, and ends in the dead-letter queue.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote_plus

from hpe.batch.items import batch_of
from hpe.batch.work import OUR_FAULT, work
from hpe.errors import HpeError
from hpe.settings import Settings
from hpe.web import aws, photo_bucket
from hpe.web.params import PoseParams
from hpe.web.pose_route import decode, drawn_response, estimate, joints_response
from hpe.web.problems import INTERNAL, internal, kind_of, problem
from hpe.web.request_log import LOGGER, Record, log_to_stderr, note
from hpe.web.source import EstimatorSource

# As in the queue's redrive policy (deploy/resources/photos.yml); a test compares them.
LAST_TRY: Final = 3

SETTINGS = Settings.from_env(os.environ)
log_to_stderr(SETTINGS.log_level, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""))
estimator = EstimatorSource(SETTINGS)
if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    estimator.warm()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A batch of SQS messages -> the ids of those that SQS must deliver again."""
    store = photo_bucket.open_store(SETTINGS)
    failed = [
        {"itemIdentifier": message["messageId"]}
        for message in event.get("Records", [])
        if not answer_message(message, store, estimator, SETTINGS)
    ]
    return {"batchItemFailures": failed}


def batch(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Some photos of a bucket, from the state machine -> what became of them, in short. Raises what may pass."""
    return work(batch_of(event), aws.client("s3"), estimator, SETTINGS)


def answer_message(message: dict[str, Any], store: photo_bucket.PhotoStore, source: Any, settings: Settings) -> bool:
    """Every photo of one message. False if SQS must deliver it again."""
    last_try = int(message.get("attributes", {}).get("ApproximateReceiveCount", 1)) >= LAST_TRY
    try:
        ids = list(photo_ids(message.get("body", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        LOGGER.exception("message %s is not an S3 notification", message.get("messageId"))
        return False
    done = True
    for photo_id in ids:
        record = Record(str(message.get("messageId", "")), "SQS", route="/uploads")
        try:
            answer_photo(photo_id, store, source, settings, record)
            record.status = record.status or 200
        except Exception as error:  # whatever it is, SQS tries again, and keeps it in the end
            LOGGER.exception("a photo could not be answered")
            kind = kind_of(error) if isinstance(error, HpeError) else INTERNAL
            record.status, record.problem, record.detail = kind.status, kind.type, type(error).__name__
            done = False
            if last_try:
                _give_up(photo_id, store)
        note(record)
    return done


def _give_up(photo_id: str, store: photo_bucket.PhotoStore) -> None:
    """Tell the client who waits; if even that cannot be written, the other photos of the batch go on."""
    try:
        store.put_result(photo_id, "problem.json", internal().body, "application/problem+json")
    except Exception:
        LOGGER.exception("the problem of a photo could not be written")


def photo_ids(body: str) -> Iterator[str]:
    """An S3 notification -> the ids of the photos that landed; nothing for S3's test message and other keys."""
    for entry in json.loads(body).get("Records", []):
        photo_id = photo_bucket.id_of_upload(unquote_plus(entry["s3"]["object"]["key"]))
        if photo_id is not None:
            yield photo_id


def answer_photo(
    photo_id: str, store: photo_bucket.PhotoStore, source: Any, settings: Settings, record: Record
) -> None:
    """One photo: find the people, draw, write both results, delete the photo. Raises what may pass on another try."""
    if store.state(photo_id) == photo_bucket.DONE:
        store.delete_upload(photo_id)
        return
    data = store.upload(photo_id, settings.max_upload_bytes)
    if data is None:
        return  # deleted after its day, or done by another delivery
    record.bytes_in = len(data)
    try:
        png, joints = process(data, source, settings, record)
    except HpeError as error:
        if isinstance(error, OUR_FAULT):
            raise
        answer = problem(error)
        record.status, record.problem, record.detail = answer.status, answer.problem, str(error)
        store.put_result(photo_id, "problem.json", answer.body, "application/problem+json")
    else:
        record.bytes_out = len(png) + len(joints)
        store.put_result(photo_id, "png", png, "image/png")
        store.put_result(photo_id, "json", joints, "application/json")  # last: where it is, all is there
    store.delete_upload(photo_id)


def process(data: bytes, source: Any, settings: Settings, record: Record) -> tuple[bytes, bytes]:
    """Photo bytes -> (the drawn PNG, the joints' JSON as POST /pose gives it)."""
    image = decode(data, settings, record)
    poses, answer = estimate(image, source(), PoseParams("png"), record)
    settings = replace(settings, max_response_bytes=settings.max_upload_bytes)
    drawn = drawn_response(image, poses, "png", settings, record)
    return drawn.body, joints_response(answer).body
