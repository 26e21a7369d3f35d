"""What S3 says of one object that it does not give, and will say again: that object's problem, and not the batch's."""

from collections.abc import Mapping
from typing import Any, Final

_ABOUT_THE_OBJECT: Final = {
    "NoSuchKey": "it was deleted after it was listed",
    "404": "it was deleted after it was listed",
    "AccessDenied": "the function may not read it: its own policy, or a key of KMS, forbids it",
    "InvalidObjectState": "it lies in an archive (Glacier): restore it, then run hpe batch --retry-problems",
    "InvalidRequest": "it may be encrypted with a key of your own (SSE-C), which the function does not have: copy it "
    "under SSE-S3 or SSE-KMS",
}
_KMS: Final = "its key of KMS is disabled, deleted or out of reach: enable it, then run hpe batch --retry-problems"
# Refusals that are not the object's: of the whole bucket, of the function's own credentials, or for a moment.
_NOT_ABOUT_IT: Final = frozenset({
    "NoSuchBucket", "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidToken",
    "SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestTimeout", "SlowDown", "TooManyRequests", "Throttling",
    "ThrottlingException", "KMS.ThrottlingException", "RequestLimitExceeded",
})  # fmt: skip


def of_the_object(answer: Mapping[str, Any]) -> str:
    """A ClientError's response -> why S3 refuses this one object, now and later.

    Empty for what concerns all of them, or may pass.
    """
    told = answer.get("Error", {})
    code, status = str(told.get("Code", "")), answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _NOT_ABOUT_IT:
        return ""
    if code in _ABOUT_THE_OBJECT:
        return f"({code}): {_ABOUT_THE_OBJECT[code]}"
    if code.startswith("KMS."):
        return f"({code}): {_KMS}"
    return f"({code}): {told.get('Message', '')}" if 400 <= status < 500 and status not in (408, 429) else ""
