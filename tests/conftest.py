"""What tests share: photos that may be shown, the data of ../shared where it is, and AWS as moto plays it."""

import io
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

# A shell's background jobs ignore it, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Of several processes (`pytest -n`) one has all tests of a file, of the browser or of the deployment."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            folder = file.split("/")[1]
            return folder if folder in ("browser", "deploy") else file

    return Together(config, log)


@pytest.fixture(autouse=True)
def untouched_log() -> None:
    """What the package logs reaches pytest, also after a test that started the handler or a server in this process."""
    log = logging.getLogger("hpe")
    log.handlers.clear()
    log.setLevel(logging.NOTSET)
    log.propagate = True


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """../shared, with data/ and models/ in it; tests that need it are skipped in a bare clone."""
    if not (SHARED / "data").is_dir():
        pytest.skip("needs the data folder ../shared/data, which is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """(512, 512, 3) uint8 RGB: Eileen Collins, half body, NASA (public domain)."""
    from skimage import data

    return np.asarray(data.astronaut())


@pytest.fixture(scope="session")
def astronaut_jpeg(astronaut: np.ndarray) -> bytes:
    """The same as JPEG bytes."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(astronaut).save(out, "JPEG", quality=92)
    return out.getvalue()


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """The address of a running moto_server: AWS's S3 and IAM, on this machine."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    # enough calls to set the scene before IAM is enforced; tests lower it through moto's own API
    environ = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "1000000"}
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for_port(port, 60)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture
def aws_env(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with one access key and nothing else of AWS; add AWS_ENDPOINT_URL to it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-example")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return monkeypatch


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, seconds: float) -> None:
    """Until 127.0.0.1:port accepts, else TimeoutError."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise TimeoutError(f"nothing listens on port {port} after {seconds} s") from None
            time.sleep(0.05)
