"""Mutated requests to the local server in its own process: each must be answered, soon, and never with a 5xx."""

import re
import socket
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.serving import SERVE, Served, Usage, serving
from fuzz.cases import Case, case
from fuzz.findings import keep

# An answer that takes longer is a hang.
SLOW_S: Final = 5.0
STUB: Final = ("-m", "fuzz.stub_server")
_GIVE_UP_S: Final = 60.0
_MAX_GROWTH_MB: Final = 40.0
_CLIENTS: Final = 2
_LENGTH: Final = re.compile(rb"(?im)^content-length:[ \t]*(\d+)[ \t]*\r?$")


@dataclass
class Outcome:
    """findings: what was wrong, in words. answers: (format, damaged part, status) -> how many. early, late: usage."""

    findings: list[str] = field(default_factory=list)
    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    slowest_s: float = 0.0
    early: Usage | None = None
    late: Usage | None = None
    took_s: float = 0.0


def exchange(port: int, request: bytes) -> bytes:
    """Bytes down a new connection -> all that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), _GIVE_UP_S) as client:
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has heard enough; what it has to say can still be read
        found = bytearray()
        try:
            while chunk := client.recv(1 << 16):
                found += chunk
        except ConnectionResetError:
            pass  # after its answer, or without one: the bytes tell
        return bytes(found)


def status_of(answer: bytes) -> int:
    """An answer's status, of the last one where interim ones (1xx) came before it; 0 for silence."""
    while match := re.match(rb"HTTP/1\.1 (\d{3}) ", answer):
        status = int(match[1])
        if status >= 200:
            return status
        answer = answer.partition(b"\r\n\r\n")[2]
    return 0


def complaint(request: bytes, answer: bytes, took_s: float) -> str:
    """What is wrong with an answer; empty where nothing is. 503 with Retry-After is the answer to overload."""
    status = status_of(answer)
    if took_s > SLOW_S:
        return f"took {took_s:.1f} s"
    if status >= 500 and not (status == 503 and b"\r\nRetry-After: " in answer):
        return f"status {status}"
    if status == 0 and not _unfinished(request):
        return "no answer"
    return ""


def _unfinished(request: bytes) -> bool:
    """Whether the server has to wait for more than was sent: then it may hang up without a word."""
    head, _, body = request.partition(b"\r\n\r\n")
    lengths = {int(found) for found in _LENGTH.findall(head)}
    return not request.strip() or any(length > len(body) for length in lengths)


def run(count: int, seed: int, folder: Path, stub: bool = False, say: Callable[[str], None] = print) -> Outcome:
    """`count` cases of a seed against a fresh server; findings go to `folder`."""
    with serving(STUB if stub else SERVE) as served:
        return against(served, count, seed, folder, say)


def against(served: Served, count: int, seed: int, folder: Path, say: Callable[[str], None]) -> Outcome:
    """The same against a server that runs. Stops at the first crash."""
    outcome, began = Outcome(), time.monotonic()
    early = max(1, count // 5)

    def one(number: int) -> None:
        found = case(seed, number)
        start = time.monotonic()
        try:
            answer = exchange(served.port, found.request)
        except OSError as error:  # nobody listens, or nothing came for a minute
            _note(outcome, found, f"{type(error).__name__}: {error}", f"{seed}-{number}", folder)
            return
        took_s = time.monotonic() - start
        outcome.slowest_s = max(outcome.slowest_s, took_s)
        outcome.answers[found.kind, found.damaged, status_of(answer)] += 1
        if words := complaint(found.request, answer, took_s):
            _note(outcome, found, words, f"{seed}-{number}", folder)

    with ThreadPoolExecutor(_CLIENTS) as pool:
        for start in range(0, count, early):
            list(pool.map(one, range(start, min(start + early, count))))
            if served.process.poll() is not None:
                outcome.findings.append(f"the server has ended with {served.process.returncode}")
                return outcome
            outcome.late = served.usage()
            outcome.early = outcome.early or outcome.late
            say(f"{min(start + early, count):,} of {count:,}: {outcome.late}, {len(outcome.findings)} findings")
    outcome.took_s = time.monotonic() - began
    outcome.findings += _left_behind(outcome, served)
    return outcome


def replay(request: bytes, stub: bool = False) -> str:
    """Send a finding to a fresh server -> what comes of it, in words."""
    with serving(STUB if stub else SERVE) as served:
        start = time.monotonic()
        answer = exchange(served.port, request)
        took_s = time.monotonic() - start
        errors = served.errors()
    words = complaint(request, answer, took_s) or (errors and "logged errors") or "nothing wrong"
    return "\n".join([f"{words}: status {status_of(answer)} in {took_s:.2f} s", *errors])


def _note(outcome: Outcome, found: Case, words: str, name: str, folder: Path) -> None:
    path = keep(folder, name, found.request)
    outcome.findings.append(f"{words} ({found.kind}, {found.damaged} damaged): python -m fuzz replay {path}")


def _left_behind(outcome: Outcome, served: Served) -> list[str]:
    found = [f"logged: {line[:2000]}" for line in served.errors() if '"status": 503' not in line]
    if outcome.early and outcome.late:
        if (growth := outcome.late.megabytes - outcome.early.megabytes) > _MAX_GROWTH_MB:
            found.append(f"memory grew by {growth:.0f} MB")
        if outcome.late.files > outcome.early.files + _CLIENTS:
            found.append(f"open files grew from {outcome.early.files} to {outcome.late.files}")
        if outcome.late.left:
            found.append(f"{outcome.late.left} temporary files were left")
    return found
