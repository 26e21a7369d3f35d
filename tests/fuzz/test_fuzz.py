"""A short run of every kind of fuzzing, and proof that a finding would be found, kept and replayed."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.serving import Served, serving
from fuzz.__main__ import main
from fuzz.cases import case
from fuzz.mutate import repaired_png
from fuzz.over_http import STUB, Outcome, against, complaint, exchange, status_of
from fuzz.seeds import FORMATS, seeds
from fuzz.targets import TARGETS, one_event

ROOT = Path(__file__).parents[2]
CASES = 800
# Its network fails on some pictures, as nothing may.
FAULTY = """
import fuzz.stub_server as stub
def fail(self, image, **options):
    raise RuntimeError("a fault of ours")
stub.Stub.__call__ = fail
stub.main()
"""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving(STUB) as found:
        yield found


def test_mutated_uploads_over_http_get_answers(served: Served, tmp_path: Path) -> None:
    outcome = against(served, CASES, 7, tmp_path, lambda line: None)
    assert not outcome.findings
    assert sum(outcome.answers.values()) == CASES
    assert {kind for kind, _, _ in outcome.answers} == set(FORMATS)
    statuses = {status for _, _, status in outcome.answers}
    assert {200, 400, 415, 422} <= statuses, "some are read, and each way of refusing is met"


def test_every_seed_is_a_photo(served: Served) -> None:
    for name, data in seeds().items():
        head = f"POST /pose?format=json HTTP/1.1\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n"
        answer = exchange(served.port, head.encode() + data)
        assert status_of(answer) == 200, name
        width = json.loads(answer.partition(b"\r\n\r\n")[2])["image"]["width"]
        assert width in (32, 48, 72), name


def test_the_same_seed_gives_the_same_cases() -> None:
    assert [case(3, n) for n in range(50)] == [case(3, n) for n in range(50)]
    assert case(3, 1) != case(4, 1)


def test_a_fault_is_found_kept_and_can_be_replayed(tmp_path: Path) -> None:
    with serving(("-c", FAULTY)) as served:
        outcome = against(served, 60, 1, tmp_path, lambda line: None)
        assert any("status 500" in found for found in outcome.findings)
        assert any("a fault of ours" in found for found in outcome.findings), "its log tells why"
        kept = sorted(tmp_path.glob("1-*.bin"))
        assert kept
        for path in kept:
            number = int(path.stem.partition("-")[2])
            assert path.read_bytes() == case(1, number).request
            assert status_of(exchange(served.port, path.read_bytes())) == 500


def test_a_server_that_has_gone_is_a_finding(tmp_path: Path) -> None:
    with serving(STUB) as served:
        served.process.kill()
        served.process.wait()
        outcome: Outcome = against(served, 5, 1, tmp_path, lambda line: None)
    assert "the server has ended with -9" in outcome.findings


@pytest.mark.parametrize(
    ("request_bytes", "answer", "took_s", "words"),
    [
        (b"x\r\n\r\n", b"HTTP/1.1 500 Internal Server Error\r\n\r\n", 0.1, "status 500"),
        (b"x\r\n\r\n", b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 0.1, "status 503"),
        (b"x\r\n\r\n", b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\n\r\n", 0.1, ""),
        (b"x\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 415 Unsupported Media Type\r\n\r\n", 0.1, ""),
        (b"x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", 5.5, "took 5.5 s"),
        (b"x\r\nContent-Length: 2\r\n\r\nab", b"", 0.1, "no answer"),
        (b"x\r\nContent-Length: 3\r\n\r\nab", b"", 0.1, ""),
    ],
)
def test_what_counts_as_wrong(request_bytes: bytes, answer: bytes, took_s: float, words: str) -> None:
    assert complaint(request_bytes, answer, took_s) == words


@pytest.mark.parametrize("target", TARGETS)
def test_what_coverage_guides_holds_for_chance_as_well(target: str) -> None:
    one, hurt, start = TARGETS[target]
    rng, corpus = random.Random(11), list(start().values())
    for data in corpus:
        one(data)
    for _ in range(1200):
        one(hurt(rng.choice(corpus), rng))


def test_a_5xx_for_an_event_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from fuzz.stub_server import Stub

    monkeypatch.setattr(Stub, "card", None)
    with pytest.raises(AssertionError, match="answered 500"):
        one_event((Path(__file__).parents[1] / "events" / "http-api-v2-head-health.json").read_bytes())


def test_check_sums_are_put_right_after_a_mutation() -> None:
    data = bytearray(seeds()["png"])
    data[20] ^= 1
    assert repaired_png(bytes(data)) != bytes(data)
    assert repaired_png(seeds()["png"]) == seeds()["png"]


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """python -m fuzz ..."""
    return subprocess.run([sys.executable, "-m", "fuzz", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_tells_what_it_did_and_replays(tmp_path: Path) -> None:
    done = command("http", "--stub", "--count", "40", "--seed", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seed 2: 40 requests" in done.stdout
    assert "nothing found" in done.stdout
    request = tmp_path / "finding.bin"
    request.write_bytes(b"POST /pose HTTP/1.1\r\nContent-Length: 4\r\nConnection: close\r\n\r\ntext")
    done = command("replay", str(request), "--stub")
    assert (done.returncode, done.stdout.split(" in ")[0]) == (0, "nothing wrong: status 415")


def test_without_atheris_it_says_so_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    from fuzz import guided

    monkeypatch.setattr(guided, "have_atheris", lambda: False)
    monkeypatch.setattr(sys, "argv", ["fuzz", "events"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code
    assert "NOT RUN: events: atheris is not installed" in capsys.readouterr().out
