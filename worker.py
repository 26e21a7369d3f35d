"""The other Lambda entries: the queues of large photos (hpe/queue.py) and of clips (hpe/clip_queue.py), and batches of
photos and clips in S3 (hpe/batch).
"""

import os
from typing import Any

from hpe.batch.items import batch_of
from hpe.batch.work import work
from hpe.clip_queue import failed_clips
from hpe.queue import failed_messages
from hpe.settings import Settings
from hpe.web import aws, photo_bucket
from hpe.web.request_log import log_to_stderr
from hpe.web.source import EstimatorSource

SETTINGS = Settings.from_env(os.environ)
log_to_stderr(SETTINGS.log_level, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""))
estimator = EstimatorSource(SETTINGS)
if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    estimator.warm()


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A batch of SQS messages -> the ids of those that SQS must deliver again."""
    return failed_messages(event, photo_bucket.open_store(SETTINGS), estimator, SETTINGS)


def video(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """SQS messages of clips -> the ids of those that SQS must deliver again, where the next function goes on."""
    left_ms = getattr(context, "get_remaining_time_in_millis", lambda: 900_000)
    store = photo_bucket.open_store(SETTINGS)
    return failed_clips(event, store, estimator, SETTINGS, lambda: left_ms() / 1000)


def batch(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Photos and clips of a bucket, from the state machine -> what became of them, in short. Raises what may pass."""
    return work(batch_of(event), aws.client("s3"), estimator, SETTINGS, aws.client("sqs"))
