"""What a queue is told when something landed in a bucket: by S3 itself, through EventBridge, or wrapped by SNS."""

import json
from typing import Any, Final
from urllib.parse import unquote_plus

# What `keys_of` raises. Such a message is never "done", since a file may wait behind it: it becomes a dead letter.
NOT_UNDERSTOOD: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def keys_of(body: str) -> list[str]:
    """A message's body -> the keys that landed, decoded; none in S3's test message. Raises NOT_UNDERSTOOD."""
    told: Any = json.loads(body)
    if told.get("Type") == "Notification":  # SNS without raw message delivery
        return keys_of(told["Message"])
    if told.get("source") == "aws.s3":  # EventBridge, which does not encode keys
        return [str(told["detail"]["object"]["key"])]
    if told.get("Records"):
        return [unquote_plus(entry["s3"]["object"]["key"]) for entry in told["Records"]]
    if told.get("Event") == "s3:TestEvent":
        return []
    raise ValueError(f"neither S3, SNS nor EventBridge sends this: {body[:200]!r}")
