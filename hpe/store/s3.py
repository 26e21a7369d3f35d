"""One S3 bucket, read over one kept-alive connection: signed GETs, short timeouts, few retries, named causes.

Why not boto3: importing it and making a client costs 0.5 s of a cold start; this costs 0.07 s and asks S3 the
same question.
"""

import http.client
import re
import socket
import ssl
import time
from dataclasses import replace
from typing import Final, Protocol
from urllib.parse import urlsplit

from hpe.errors import ModelUnavailable
from hpe.store.access import Access
from hpe.store.sigv4 import quoted_path, signed_headers

# Lambda's gateway gives up after 29 s, and the photo still has to be processed
CONNECT_TIMEOUT_S: Final = 3.0
READ_TIMEOUT_S: Final = 5.0
ATTEMPTS: Final = 3
PAUSE_S: Final = 0.2
_CHUNK_BYTES: Final = 1 << 20

_DENIED: Final = "access denied: allow s3:GetObject on it (S3 says the same of a missing key without s3:ListBucket)"
_SLOW_DOWN: Final = "S3 asks to slow down: try again shortly"
_CAUSES: Final = {
    "NoSuchKey": "no such key in the bucket: upload the model there, or correct HPE_MODEL",
    "NoSuchBucket": "no such bucket: correct HPE_MODEL",
    "AccessDenied": _DENIED,
    "InvalidAccessKeyId": "access denied: AWS does not know this access key: check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "access denied: the signature does not match: check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "access denied: the session token has expired: get new credentials",
    "InvalidToken": "access denied: the session token is not valid: check AWS_SESSION_TOKEN",
    "RequestTimeTooSkewed": "access denied: this machine's clock is more than 15 minutes off: set it",
    "SlowDown": _SLOW_DOWN,
}
_BY_STATUS: Final = {
    403: _DENIED,
    404: "not found: upload the model there, or correct HPE_MODEL",
    429: _SLOW_DOWN,
    503: _SLOW_DOWN,
}


class Sink(Protocol):
    """Takes an object's bytes. `restart` comes before the first chunk of every attempt."""

    def restart(self) -> None: ...

    def write(self, chunk: bytes) -> None: ...


class _PassingError(Exception):
    """A cause that may pass: a dropped connection, a timeout, a 5xx."""


class Bucket:
    """Reads objects of one bucket; all its requests together end about `timeout_s` after it is made."""

    def __init__(self, name: str, access: Access, timeout_s: float) -> None:
        self.name = name
        self._access = access
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._connection: http.client.HTTPConnection | None = None

    def get(self, key: str, sink: Sink) -> None:
        """The object's bytes into `sink`. Raises ModelUnavailable naming the cause, and what `sink` raises."""
        causes: list[str] = []
        while len(causes) < ATTEMPTS and time.monotonic() <= self._deadline:
            time.sleep(len(causes) * PAUSE_S)
            try:
                return self._once(key, sink)
            except _PassingError as error:
                causes.append(str(error))
                self.close()
        cause = causes[-1] if causes else f"the {self._timeout_s:g} s for it are over"
        raise self._unavailable(key, f"{cause} (tried {len(causes)} times)")

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, key: str, sink: Sink) -> None:
        got = 0
        try:
            response = self._ask(key)
            if response.status != 200:
                raise self._refusal(key, response)
            if (total := response.length) is None:
                raise self._unavailable(key, "the answer states no Content-Length: is this S3?")
            sink.restart()
            while got < total and (chunk := response.read1(min(_CHUNK_BYTES, total - got))):
                got += len(chunk)
                sink.write(chunk)
                if got < total and time.monotonic() > self._deadline:
                    raise self._unavailable(key, f"too slow: {_share(got, total)} came in {self._timeout_s:g} s")
            if got != total:
                raise _PassingError(f"the connection dropped after {_share(got, total)}")
            response.read()  # nothing is left, but this marks the connection as free for the next request
        except ssl.SSLCertVerificationError as error:
            raise self._unavailable(key, f"the server's certificate is not trusted: {error.verify_message}") from error
        except TimeoutError as error:
            limits = f"{CONNECT_TIMEOUT_S:g} s to connect, {READ_TIMEOUT_S:g} s between answers"
            raise _PassingError(f"timed out after {got} bytes; limits: {limits}") from error
        except socket.gaierror as error:
            raise _PassingError(f"the server's name is not known: {error.strerror}") from error
        except (ConnectionError, ssl.SSLError) as error:
            raise _PassingError(f"the connection dropped after {got} bytes: {error}") from error
        except http.client.HTTPException as error:
            raise _PassingError(f"the answer is not HTTP: {error!r:.100}") from error
        except OSError as error:
            raise _PassingError(f"the server cannot be reached: {error.strerror or error}") from error

    def _ask(self, key: str) -> http.client.HTTPResponse:
        secure, host, prefix = address(self.name, self._access)
        if self._connection is None:
            self._connection = _connect(secure, host, self._access.ca_file)
        path = quoted_path(f"{prefix}/{key}")
        headers = signed_headers(host, path, self._access.region, self._access.credentials)
        self._connection.request("GET", path, headers=headers)
        return self._connection.getresponse()

    def _refusal(self, key: str, response: http.client.HTTPResponse) -> Exception:
        body = response.read(10_000).decode("utf-8", "replace")
        code = _tag(body, "Code")
        region = response.headers.get("x-amz-bucket-region") or _tag(body, "Region")
        if region and region != self._access.region and response.status in (301, 307, 400):
            asked, self._access = self._access.region, replace(self._access, region=region)
            return _PassingError(
                f"the bucket is in region {region} and was asked for in {asked}: set AWS_REGION={region}"
            )
        cause = _CAUSES.get(code) or _BY_STATUS.get(response.status) or f"S3 answers {code} {_tag(body, 'Message')}"
        if response.status == 429 or response.status >= 500:
            return _PassingError(f"{cause} (status {response.status})")
        return self._unavailable(key, f"{cause} (status {response.status})")

    def _unavailable(self, key: str, cause: str) -> ModelUnavailable:
        return ModelUnavailable(f"s3://{self.name}/{key}: {cause}")


def address(bucket: str, access: Access) -> tuple[bool, str, str]:
    """Bucket -> (TLS?, host with port where it is not the default, path prefix)."""
    if access.endpoint:
        parts = urlsplit(access.endpoint)
        return parts.scheme != "http", parts.netloc, f"{parts.path}/{bucket}"
    host = f"s3.{access.region}.amazonaws.com" + (".cn" if access.region.startswith("cn-") else "")
    # the wildcard certificate covers one label: a bucket with dots goes into the path
    return (True, host, f"/{bucket}") if "." in bucket else (True, f"{bucket}.{host}", "")


def _connect(secure: bool, host: str, ca_file: str) -> http.client.HTTPConnection:
    connection: http.client.HTTPConnection
    if secure:
        context = ssl.create_default_context(cafile=ca_file or None)
        connection = http.client.HTTPSConnection(host, timeout=CONNECT_TIMEOUT_S, context=context)
    else:
        connection = http.client.HTTPConnection(host, timeout=CONNECT_TIMEOUT_S)
    connection.connect()
    connection.sock.settimeout(READ_TIMEOUT_S)
    return connection


def _tag(xml: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", xml)
    return found[1] if found else ""


def _share(got: int, total: int) -> str:
    return f"{got / 1e6:.1f} of {total / 1e6:.1f} MB"
