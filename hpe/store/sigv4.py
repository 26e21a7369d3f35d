"""AWS Signature Version 4 for one kind of request: a GET of an S3 object without query or body."""

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from urllib.parse import quote

_EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Credentials:
    """An access key. token: the session token of temporary credentials, else empty."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def quoted_path(path: str) -> str:
    """'/bucket/a b.onnx' -> '/bucket/a%20b.onnx': S3 signs the path quoted once, with the slashes kept."""
    return quote(path, safe="/-_.~")


def signed_headers(
    host: str, path: str, region: str, credentials: Credentials, now_s: float | None = None
) -> dict[str, str]:
    """Headers that sign `GET path` for S3. `path` is already quoted; `now_s` is Unix time, for tests."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
    headers = {"host": host, "x-amz-content-sha256": _EMPTY_SHA256, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(headers)  # already in the alphabetical order that is signed
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"GET\n{path}\n\n{lines}\n{names}\n{_EMPTY_SHA256}"
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = _hmac(_signing_key(credentials.secret, scope), to_sign).hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
