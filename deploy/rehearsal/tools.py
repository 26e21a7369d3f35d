"""What the rehearsal runs: virtual environments of its own, AWS's runtime emulator, commands with reasons."""

import contextlib
import ctypes
import hashlib
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from deploy.build_package import ROOT, find_python

WORK: Final = ROOT / "build" / "rehearsal"
# aws-sam-cli's wheel carries AWS's own emulator of the Lambda service; nothing else of it is installed.
RIE_WHEEL: Final = "aws-sam-cli==1.170.0"


class RehearsalError(Exception):
    """Something is not as it must be. The message says what was expected and what came."""


def expect(condition: bool, message: str) -> None:
    """Raise RehearsalError(message) unless the condition holds."""
    if not condition:
        raise RehearsalError(message)


def run(
    command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path = ROOT, ok: bool = True,
    timeout_s: float = 900,
) -> str:  # fmt: skip
    """Run a command to its end and give stdout and stderr together. Raises RehearsalError where it fails or hangs."""
    words = " ".join(map(str, command))[:200]
    process = start(command, env=env, cwd=cwd, stdout=subprocess.PIPE)
    try:
        said = process.communicate(timeout=timeout_s)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"{words} has not ended after {timeout_s:g} s") from None
    finally:
        stop(process)
    if ok and process.returncode:
        tail = "\n".join(said.strip().splitlines()[-30:])
        raise RehearsalError(f"{words} ended with {process.returncode}:\n{tail}")
    return said


def start(
    command: Sequence[str | Path], *, stdout: int | IO[bytes], env: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.Popen[bytes]:
    """A process that leads a group of its own, for `stop`, and that is killed where this one is, however it ends."""
    return subprocess.Popen(
        [str(part) for part in command], cwd=cwd, env=env, stdout=stdout, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_die_with_parent,
    )  # fmt: skip


def _die_with_parent() -> None:
    """prctl(PR_SET_PDEATHSIG, SIGKILL) where there is a Linux; nothing elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def stop(process: subprocess.Popen[bytes], patience_s: float = 20) -> None:
    """End what `start` began and all that it began in its group: politely, then by force."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def lambda_python(wanted: str = "3.13") -> tuple[str, str]:
    """(version, interpreter) to rehearse with: the deployed runtime's own, or else the Python that runs this."""
    found = find_python(wanted)
    return (wanted, found) if found else (f"{sys.version_info[0]}.{sys.version_info[1]}", sys.executable)


def virtual_environment(name: str, requirements: Path, interpreter: str) -> Path:
    """ROOT/name with these requirements installed, made once. Gives its bin folder."""
    folder = ROOT / name
    stamp = folder / ".made-from"
    recipe = hashlib.sha256(requirements.read_bytes() + interpreter.encode()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == recipe):
        run([interpreter, "-m", "venv", folder])
        run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements])
        stamp.write_text(recipe)
    return folder / "bin"


def runtime_interface_emulator() -> Path:
    """AWS's Lambda Runtime Interface Emulator for this machine, an executable file."""
    target = WORK / "aws-lambda-rie"
    if not target.is_file():
        WORK.mkdir(parents=True, exist_ok=True)
        run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", WORK, RIE_WHEEL])
        (wheel,) = WORK.glob("aws_sam_cli*.whl")
        machine = {"aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
        with zipfile.ZipFile(wheel) as archive:
            target.write_bytes(archive.read(f"samcli/local/rapid/aws-lambda-rie-{machine}"))
        target.chmod(0o755)
        wheel.unlink()
    return target


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, timeout_s: float = 180) -> None:
    """Until something listens there. Raises RehearsalError with the log's end where it does not."""
    import time

    end = time.monotonic() + timeout_s
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RehearsalError(f"nothing listens on port {port}: {log.read_text()[-2000:]}")
