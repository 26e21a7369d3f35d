"""Keys of the API: one item of a DynamoDB table a key, named by the key's sha256; checked and counted in one write.

An item: sha256, name, per_minute, created, window, calls; expires (Unix seconds) if it does, and revoked once it is. A
key has 256 random bits, so its plain hash tells nothing of it, and a salt or a slow hash would protect nothing. The
handler checks and not an authorizer function: an HTTP API answers for an authorizer with a bare {"message": ...}, while
here the answer says what to do; and a rate needs a count that all functions share, which the same write keeps.
"""

import hashlib
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from hpe.errors import Forbidden, KeysUnavailable, OverRate, Unauthorized
from hpe.web import aws

PREFIX: Final = "hpe_"
_WINDOW_S: Final = 60
_HOW: Final = "send it in the header `Authorization: Bearer KEY`; whoever runs this service issues keys (hpe keys add)"
# name -> what it stands for in expressions, where DynamoDB reserves many words
_NAMES: Final = {
    "#window": "window", "#calls": "calls", "#most": "per_minute", "#revoked": "revoked", "#expires": "expires",
}  # fmt: skip
_GOOD: Final = "attribute_not_exists(#revoked) AND (attribute_not_exists(#expires) OR #expires > :now)"


def hashed(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def warm() -> None:
    """Import boto3 and make its client beside whatever comes next: 0.3 s that the first request need not wait for."""
    threading.Thread(target=_client, daemon=True, name="hpe-keys").start()


def authorize(headers: Mapping[str, str], table: str, now_s: float | None = None) -> str:
    """Count one call of the key in `headers` (lower-case names) -> the key's name. now_s: Unix time, for tests.

    Raises Unauthorized, Forbidden, OverRate, or KeysUnavailable if the table does not answer: no call passes unchecked.
    """
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorized(f"this API wants a key: {_HOW}")
    now = time.time() if now_s is None else now_s
    window = int(now) // _WINDOW_S
    for _ in range(3):  # another function may have begun the minute between the two
        found = _count(table, hashed(key.strip()), window, int(now))
        if found["counted"]:
            return str(found["name"])
        if "revoked" in found:
            raise Forbidden(
                f"this key was revoked on {found['revoked'][:10]}: ask whoever runs this service for another"
            )
        if found.get("expires", now + 1) <= now:
            day = time.strftime("%Y-%m-%d", time.gmtime(found["expires"]))
            raise Forbidden(f"this key expired on {day}: ask whoever runs this service for another (hpe keys rotate)")
        if found.get("window") == window:
            most = found["per_minute"]
            rest = _WINDOW_S - int(now) % _WINDOW_S
            raise OverRate(f"this key may call {most} times a minute: try again in {rest} s", rest, limit=most)
        if _begin(table, hashed(key.strip()), window, int(now)):
            return str(found["name"])
    raise KeysUnavailable("the keys cannot be checked now: try again in a moment")


def _count(table: str, sha256: str, window: int, now: int) -> dict[str, Any]:
    """One more call in this minute. -> the item, with "counted": whether there was room for it."""
    condition = f"{_GOOD} AND #window = :window AND #calls < #most"
    try:
        return _update(table, sha256, "SET #calls = #calls + :one", condition, window, now) | {"counted": True}
    except _ConditionError as error:
        if not error.item:
            raise Unauthorized(f"this key is not known here: {_HOW}") from error
        return error.item | {"counted": False}


def _begin(table: str, sha256: str, window: int, now: int) -> bool:
    """The first call of a minute. False if another function was first, or the key went meanwhile."""
    condition = f"attribute_exists(#most) AND {_GOOD} AND #window < :window"
    try:
        _update(table, sha256, "SET #window = :window, #calls = :one", condition, window, now)
    except _ConditionError:
        return False
    return True


class _ConditionError(Exception):
    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__("the condition does not hold")
        self.item = item


def _update(table: str, sha256: str, change: str, condition: str, window: int, now: int) -> dict[str, Any]:
    from botocore.exceptions import BotoCoreError, ClientError

    expressions = change + condition
    values = {":window": {"N": str(window)}, ":one": {"N": "1"}, ":now": {"N": str(now)}}
    try:
        answer = _client().update_item(
            TableName=table,
            Key={"sha256": {"S": sha256}},
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeNames={name: word for name, word in _NAMES.items() if name in expressions},
            ExpressionAttributeValues=values,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise _ConditionError(plain(error.response.get("Item", {}))) from error
        raise KeysUnavailable("the keys cannot be checked now: try again in a moment") from error
    except (BotoCoreError, ValueError) as error:
        raise KeysUnavailable("the keys cannot be checked now: try again in a moment") from error
    return plain(answer["Attributes"])


def plain(item: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """DynamoDB's {"S": text} and {"N": digits} -> text and numbers."""
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in item.items()}


def _client() -> Any:
    return aws.client("dynamodb")
