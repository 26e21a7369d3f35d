"""A server that runs out of open files, threads or memory says so, and answers again when it has some."""

import contextlib
import errno
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.conftest import refused
from web.fakes import FakeEstimator, photo, post

from hpe.settings import Settings
from hpe.web.devserver import DevServer
from hpe.web.messages import Response

ROOT = Path(__file__).resolve().parents[2]
FILES = 64


@contextlib.contextmanager
def server_with_few_files() -> Iterator[int]:
    """`hpe serve` with the real model and 64 files, in a process of its own: its port, once the model is there."""
    command = [sys.executable, "-m", "hpe.cli", "serve", "--port", "0"]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))

    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HPE_", "AWS_"))}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=limit
    )  # fmt: skip
    assert process.stderr is not None
    try:
        port = int(process.stderr.readline().split("127.0.0.1:")[1].split("/")[0])
        threading.Thread(target=process.stderr.read, daemon=True).start()
        assert ask(port, "GET", "/health").status == 200
        assert ask(port, "POST", "/pose", photo()).status == 200
        yield port
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


def ask(port: int, method: str, path: str, body: bytes | None = None) -> Response:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return Response(answer.status, dict(answer.getheaders()), answer.read())


def test_out_of_open_files_and_back() -> None:
    with server_with_few_files() as port:
        idle: list[socket.socket] = []
        try:
            while len(idle) < 2 * FILES:
                idle.append(socket.create_connection(("127.0.0.1", port), 10))
            assert "out of open files" in refused(until(port, 503))
        finally:
            for connection in idle:
                connection.close()
        assert until(port, 200).status == 200
        assert ask(port, "GET", "/").status == 200
        assert ask(port, "POST", "/pose", photo()).status == 200


def until(port: int, status: int) -> Response:
    """Ask for the model until the answer has this status; closing and accepting take their time. At most a minute."""
    end = time.monotonic() + 60
    while True:
        with contextlib.suppress(ConnectionError, http.client.RemoteDisconnected):
            answer = ask(port, "GET", "/health")
            if answer.status == status or time.monotonic() > end:
                return answer
        time.sleep(0.05)


@pytest.fixture
def server() -> Iterator[DevServer]:
    found = DevServer(("127.0.0.1", 0), FakeEstimator, Settings(), ROOT / "static-site")
    thread = threading.Thread(target=found.serve_forever, args=(0.02,))
    thread.start()
    yield found
    found.shutdown()
    found.close_idle()
    found.server_close()
    thread.join()


def test_out_of_threads_and_back(server: DevServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    port = server.server_port
    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", no_thread)
        for _ in range(200):  # more than there are places: each must be given back
            assert "out of threads" in refused(ask(port, "GET", "/health"))
    assert ask(port, "GET", "/health").status == 200


def test_out_of_connections_and_back(server: DevServer) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.server_port), 10) for _ in range(128)]
    try:
        assert "out of connections" in refused(until(server.server_port, 503))
    finally:
        for connection in idle:
            connection.close()
    assert until(server.server_port, 200).status == 200


@pytest.mark.parametrize(
    ("error", "lacks"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "open files"),
        (OSError(errno.ENOSPC, "No space left on device"), "room on the disk"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (MemoryError(), "memory"),
    ],
)
def test_scarcity_in_the_midst_of_a_photo_is_said_to_pass(error: Exception, lacks: str) -> None:
    class Starved(FakeEstimator):
        def __call__(self, image: Any, **options: Any) -> Any:
            raise error

    assert f"out of {lacks}" in refused(post(photo(), estimator=Starved()))
    assert post(photo()).status == 200


def test_unexpected_fault_tells_nothing() -> None:
    class Broken(FakeEstimator):
        def __call__(self, image: Any, **options: Any) -> Any:
            raise OSError(errno.EIO, "Input/output error", "/srv/secret/place")

    answer = post(photo(), estimator=Broken())
    assert answer.status == 500
    assert json.loads(answer.body)["type"] == "/problems/internal"
    assert b"secret" not in answer.body


def test_site_whose_files_cannot_be_opened_is_said_to_pass(server: DevServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(self: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as without:
        without.setattr(Path, "read_bytes", no_file)
        assert "cannot be read" in refused(ask(server.server_port, "GET", "/"))
    assert ask(server.server_port, "GET", "/").status == 200
