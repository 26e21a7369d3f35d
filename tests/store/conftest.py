"""A server that misbehaves on purpose, and a small model with its manifest."""

import hashlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

Answer = Callable[[socket.socket], bool]


class FaultyServer:
    """Gives each request the next answer of `script`; an answer writes to the socket and says whether to keep it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.script: list[Answer] = []
        self.requests: list[str] = []
        self.connections = 0
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            keep = True
            while keep and (request := _read_request(connection)):
                self.requests.append(request)
                keep = self.script.pop(0)(connection)
        except (OSError, IndexError):
            pass
        finally:
            connection.close()


def _read_request(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return ""
        data += chunk
    return data.decode("latin-1")


@pytest.fixture
def faulty(aws_env: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """The server, as AWS_ENDPOINT_URL."""
    server = FaultyServer()
    aws_env.setenv("AWS_ENDPOINT_URL", server.url)
    yield server
    server.close()


@pytest.fixture
def model_files() -> dict[str, bytes]:
    """A bundle of two networks by name. The fetcher looks at the checksums, not into the networks."""
    pose, locate = bytes(range(256)) * 8000, bytes(range(255, -1, -1)) * 2000

    def network(name: str, data: bytes, **more: object) -> dict[str, object]:
        sha256 = hashlib.sha256(data).hexdigest()
        return {"file": name, "sha256": sha256, "architecture": "none", "threshold": 0.2, **more}

    manifest = {
        "schema": 2,
        "name": "tiny",
        "locate": network("locate.onnx", locate, input_size=416),
        "pose": network("pose.onnx", pose, input_size=[64, 32], person_threshold=0.2, sigma=2.0),
    }
    return {"pose.json": json.dumps(manifest).encode(), "pose.onnx": pose, "locate.onnx": locate}


def as_schema_1(model_files: dict[str, bytes]) -> bytes:
    """The manifest of the pose network alone, as it was written before there were locators."""
    manifest = json.loads(model_files["pose.json"])
    return json.dumps({"name": "tiny", **manifest["pose"], "input_size": 64}).encode()
