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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults.conftest import refused
from web.fakes import FakeEstimator, photo, post

from hpe.server.http import Server
from hpe.server.serve import listen, make_server
from hpe.settings import Settings
from hpe.web.messages import Response

ROOT = Path(__file__).resolve().parents[2]
FILES = 64


@contextlib.contextmanager
def server_with_few_files() -> Iterator[tuple[int, int]]:
    """`hpe serve` with the real model and 64 files, in a process of its own: its id and port, once it is ready."""
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
        yield process.pid, port
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


def test_more_connections_than_files_get_their_turn() -> None:
    with server_with_few_files() as (process, port), contextlib.ExitStack() as idle:
        for _ in range(2 * FILES):
            idle.enter_context(socket.create_connection(("127.0.0.1", port), 10))
        assert ask(port, "GET", "/").status == 200
        assert ask(port, "POST", "/pose", photo()).status == 200
        if (files := Path("/proc", str(process), "fd")).exists():
            assert len(list(files.iterdir())) < FILES


@pytest.fixture
def server() -> Iterator[Server]:
    found = make_server(FakeEstimator, Settings(), ROOT / "static-site", listen("127.0.0.1", 0))
    thread = threading.Thread(target=found.run)
    thread.start()
    yield found
    found.stop()
    thread.join()


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


def test_site_whose_files_cannot_be_opened_is_said_to_pass(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(self: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as without:
        without.setattr(Path, "read_bytes", no_file)
        assert "cannot be read" in refused(ask(server.port, "GET", "/"))
    assert ask(server.port, "GET", "/").status == 200
