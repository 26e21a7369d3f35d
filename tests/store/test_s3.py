"""Each way in which S3 fails to answer, from a server that fails on purpose: a named cause, in bounded time."""

import contextlib
import datetime
import os
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hpe.errors import ModelUnavailable
from hpe.store import s3
from hpe.store.access import Access, access_from_env
from hpe.store.sigv4 import Credentials

BODY = b"0123456789" * 50_000


class Memory:
    def __init__(self) -> None:
        self.data = b""

    def restart(self) -> None:
        self.data = b""

    def write(self, chunk: bytes) -> None:
        self.data += chunk


def ok(body: bytes = BODY, extra: str = "") -> Callable[[socket.socket], bool]:
    def answer(connection: socket.socket) -> bool:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body)
        return True

    return answer


def drop(part: bytes = b"") -> Callable[[socket.socket], bool]:
    def answer(connection: socket.socket) -> bool:
        if part:
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + part)
        return False

    return answer


def refuse(status: int, code: str = "", headers: str = "") -> Callable[[socket.socket], bool]:
    body = f"<Error><Code>{code}</Code><Message>no, sorry</Message></Error>" if code else ""

    def answer(connection: socket.socket) -> bool:
        connection.sendall(f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        return True

    return answer


def silent(seconds: float) -> Callable[[socket.socket], bool]:
    def answer(_: socket.socket) -> bool:
        time.sleep(seconds)
        return False

    return answer


def trickle(connection: socket.socket) -> bool:
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n".encode())
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)
    return False


@pytest.fixture(autouse=True)
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "READ_TIMEOUT_S", 0.4)
    monkeypatch.setattr(s3, "CONNECT_TIMEOUT_S", 0.4)
    monkeypatch.setattr(s3, "PAUSE_S", 0.01)


def get(timeout_s: float = 10.0) -> bytes:
    sink = Memory()
    with contextlib.closing(s3.Bucket("models", access_from_env(os.environ), timeout_s)) as bucket:
        bucket.get("pose.onnx", sink)
    return sink.data


def test_two_objects_come_over_one_connection(faulty) -> None:
    faulty.script = [ok(b"one"), ok(b"two")]
    one, two = Memory(), Memory()
    with contextlib.closing(s3.Bucket("models", access_from_env(os.environ), 5)) as bucket:
        bucket.get("a.json", one)
        bucket.get("a.onnx", two)
    assert faulty.connections == 1
    assert (one.data, two.data) == (b"one", b"two")
    assert faulty.requests[1].startswith("GET /models/a.onnx HTTP/1.1\r\n")


@pytest.mark.parametrize("first", [drop(), drop(BODY[:200_000]), refuse(500, "InternalError"), refuse(503, "SlowDown")])
def test_what_may_pass_is_tried_again_from_the_start(faulty, first) -> None:
    faulty.script = [first, ok()]
    assert get() == BODY


def test_an_idle_connection_that_the_server_closed_is_made_anew(faulty) -> None:
    faulty.script = [lambda c: ok(b"one")(c) and False, ok(b"two")]
    sink = Memory()
    with contextlib.closing(s3.Bucket("models", access_from_env(os.environ), 5)) as bucket:
        bucket.get("a.json", sink)
        time.sleep(0.1)
        bucket.get("a.onnx", sink)
    assert sink.data == b"two"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (drop(), "the connection dropped after 0 bytes"),
        (drop(BODY[:200_000]), "the connection dropped after 0.2 of 0.5 MB"),
        (refuse(500, "InternalError"), "S3 answers InternalError no, sorry (status 500)"),
        (refuse(503, "SlowDown"), "S3 asks to slow down"),
        (refuse(503), "S3 asks to slow down"),
        (lambda c: bool(c.sendall(b"not HTTP at all\r\n\r\n")), r"the answer is not HTTP: BadStatusLine('not HTTP"),
    ],
)
def test_a_lasting_fault_is_named_after_three_attempts(faulty, answer, cause: str) -> None:
    faulty.script = [answer] * 3
    with pytest.raises(ModelUnavailable, match=r"s3://models/pose.onnx: .*tried 3 times") as caught:
        get()
    assert cause in str(caught.value)
    assert len(faulty.requests) == 3


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (refuse(403, "AccessDenied"), "access denied: allow s3:GetObject"),
        (refuse(403), "access denied: allow s3:GetObject"),
        (refuse(403, "ExpiredToken"), "session token has expired"),
        (refuse(403, "RequestTimeTooSkewed"), "clock is more than 15 minutes off"),
        (refuse(404, "NoSuchKey"), "no such key"),
        (refuse(404, "NoSuchBucket"), "no such bucket"),
        (refuse(404), "not found"),
        (refuse(400, "EvenStranger"), "S3 answers EvenStranger no, sorry (status 400)"),
        (lambda c: bool(c.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")), "no Content-Length"),
    ],
)
def test_a_refusal_is_named_at_once(faulty, answer, cause: str) -> None:
    faulty.script = [answer] * 3
    with pytest.raises(ModelUnavailable) as caught:
        get()
    assert cause in str(caught.value)
    assert len(faulty.requests) == 1


def test_a_silent_server_is_left_after_three_read_timeouts(faulty) -> None:
    faulty.script = [silent(3)] * 3
    began = time.monotonic()
    with pytest.raises(ModelUnavailable, match="timed out after 0 bytes"):
        get()
    assert time.monotonic() - began > 1.1
    assert len(faulty.requests) == 3


def test_a_trickle_that_never_times_out_is_cut_at_the_deadline(faulty) -> None:
    faulty.script = [trickle] * 3
    with pytest.raises(ModelUnavailable, match=r"too slow: 0.0 of 0.5 MB came in 0.6 s"):
        get(timeout_s=0.6)
    assert len(faulty.requests) == 1, "what is left of the time is not enough for another"


def test_a_port_where_nobody_listens_is_named(aws_env) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    aws_env.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    with pytest.raises(ModelUnavailable, match=r"Connection refused .tried 3 times"):
        get()


def test_a_host_that_does_not_exist_is_named(aws_env, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ModelUnavailable, match="server's name is not known: Name or service not known"):
        get()


def test_a_bucket_in_another_region_is_asked_for_there(faulty) -> None:
    faulty.script = [refuse(301, "PermanentRedirect", "x-amz-bucket-region: eu-west-1\r\n"), ok()]
    assert get() == BODY
    assert "/us-east-1/s3/aws4_request" in faulty.requests[0]
    assert "/eu-west-1/s3/aws4_request" in faulty.requests[1]


def test_a_redirect_without_end_names_the_region(faulty) -> None:
    regions = ["eu-west-1", "eu-west-2", "eu-west-3"]
    faulty.script = [refuse(301, "PermanentRedirect", f"x-amz-bucket-region: {region}\r\n") for region in regions]
    with pytest.raises(ModelUnavailable, match=r"bucket is in region eu-west-3 .* set AWS_REGION=eu-west-3"):
        get()


def test_aws_own_addresses() -> None:
    def at(bucket: str, region: str) -> tuple[bool, str, str]:
        return s3.address(bucket, Access(Credentials("a", "b"), region))

    assert at("models", "eu-west-1") == (True, "models.s3.eu-west-1.amazonaws.com", "")
    assert at("my.models", "eu-west-1") == (True, "s3.eu-west-1.amazonaws.com", "/my.models")
    assert at("models", "cn-north-1") == (True, "models.s3.cn-north-1.amazonaws.com.cn", "")


def test_a_certificate_that_nobody_vouches_for_is_refused(aws_env, tls_server, tmp_path: Path) -> None:
    server, certificate = tls_server
    aws_env.setenv("AWS_ENDPOINT_URL", server.url)
    server.script = [ok()] * 3
    with pytest.raises(ModelUnavailable, match=r"certificate is not trusted: self.signed certificate"):
        get()
    assert server.requests == []
    aws_env.setenv("AWS_CA_BUNDLE", str(certificate))
    assert get() == BODY


@pytest.fixture
def tls_server(faulty, tmp_path: Path):
    """A server with a certificate of its own making, and the file of that certificate."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = tmp_path / "cert.pem", tmp_path / "key.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    server = type(faulty)(context)
    yield server, path
    server.close()
