"""`hpe predict -o FILE`: an interrupted run goes on, processes keep the order, and no file is destroyed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from commands.test_predict import Fake
from PIL import Image

from hpe.cli import main
from hpe.commands.predict.processes import in_order

NAMES = ["a b.jpg", "b,c.jpg", 'c"d.jpg', "d.jpg"]

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with album/ of four photos in it, the third without people."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "album").mkdir()
    for name in NAMES:
        colour = (0, 0, 9) if name.startswith("c") else (200, 180, 160)
        Image.new("RGB", (160, 120), colour).save(tmp_path / "album" / name)
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["predict", "album", *args])


def files_in(path: Path) -> list[str]:
    """The photos that a file of joints holds, in order, each once."""
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return list(dict.fromkeys(row["file"] for row in csv.DictReader(file)))
    return [json.loads(line)["file"] for line in path.read_text().splitlines()]


EXPECTED = [f"album/{name}" for name in NAMES]
CASES = [("x.jsonl", "json"), ("x.csv", "csv"), ("x.csv", "csv-wide")]


@pytest.mark.parametrize(("name", "format"), CASES)
def test_second_run_changes_nothing_and_estimates_nothing(album: Path, fake: Fake, name: str, format: str) -> None:
    run("-o", name, "--format", format)
    before = (album / name).read_bytes()
    result = run("-o", name, "--format", format)
    assert result.exit_code == 0
    assert "0 photos done, 0 people in 0 of them; 4 done before" in result.stderr
    assert (album / name).read_bytes() == before
    assert len(fake.sizes) == 4


@pytest.mark.parametrize(("name", "format"), CASES)
def test_file_that_was_cut_off_anywhere_becomes_whole(album: Path, name: str, format: str) -> None:
    run("-o", name, "--format", format)
    whole = (album / name).read_bytes()
    rows = [at + 1 for at, byte in enumerate(whole) if byte == 10]
    for length in (*rows[:3], *range(1, len(whole), len(whole) // 17)):
        (album / name).write_bytes(whole[:length])
        result = run("-o", name, "--format", format)
        assert result.exit_code == 0, result.stderr
        assert files_in(album / name) == EXPECTED, length
        if format != "json":  # whose timings differ
            assert (album / name).read_bytes() == whole, length


def test_new_photos_are_added_to_the_file(album: Path, fake: Fake) -> None:
    run("-o", "x.jsonl")
    Image.new("RGB", (160, 120), (200, 180, 160)).save(album / "album" / "0.jpg")
    run("-o", "x.jsonl")
    assert files_in(album / "x.jsonl") == [*EXPECTED, "album/0.jpg"]
    assert len(fake.sizes) == 5


def test_runs_of_other_models_or_thresholds_are_not_mixed(album: Path, fake: Fake) -> None:
    run("-o", "x.jsonl")
    before = (album / "x.jsonl").read_bytes()
    Image.new("RGB", (160, 120), (200, 180, 160)).save(album / "album" / "0.jpg")
    fake.threshold = 0.5  # type: ignore[misc]
    result = run("-o", "x.jsonl")
    assert (result.exit_code, "x.jsonl was made with threshold 0.2, this run has 0.5" in result.stderr) == (1, True)
    assert "--overwrite" in result.stderr
    assert (album / "x.jsonl").read_bytes() == before
    assert run("-o", "x.jsonl", "--overwrite").exit_code == 0


def test_overwrite_starts_anew(album: Path, fake: Fake) -> None:
    (album / "x.jsonl").write_text("my diary\n")
    run("-o", "x.jsonl", "--overwrite")
    assert files_in(album / "x.jsonl") == EXPECTED
    run("-o", "x.jsonl", "--overwrite")
    assert len(fake.sizes) == 8


@pytest.mark.parametrize("text", ["my diary\n", "my diary", '{"a": 1}\n', "[1]\n", "file,person\n", '{"file": 5}\n'])
@pytest.mark.parametrize("name", ["x.jsonl", "x.csv"])
def test_file_of_something_else_is_left_alone(album: Path, text: str, name: str) -> None:
    (album / name).write_text(text)
    result = run("-o", name)
    assert result.exit_code == 1
    assert f"{name} is there, and is" in result.stderr
    assert "--overwrite" in result.stderr
    assert (album / name).read_text() == text


def test_full_disk_ends_the_run_and_leaves_whole_lines(album: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000));"
    code = f"{limit} import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{FAKED}"
    result = python(code, "predict", "album", "-o", "x.jsonl", cwd=album)
    assert result.returncode == 1
    assert "x.jsonl: File too large: it holds what was done before" in result.stderr
    done = files_in(album / "x.jsonl")
    assert done == EXPECTED[: len(done)]
    assert 0 < len(done) < 4


def test_one_file_for_all_is_made_once_all_is_done(album: Path) -> None:
    (album / "album" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    assert run("-o", "x.json", "--format", "coco").exit_code == 1
    people = json.loads((album / "x.json").read_text())
    assert [entry["file_name"] for entry in people] == [name for name in EXPECTED if 'c"' not in name for _ in range(2)]
    assert {path.name for path in album.iterdir()} == {"album", "x.json"}
    again = run("-o", "x.json", "--format", "coco")
    assert (again.exit_code, "x.json is there already" in again.stderr) == (1, True)


# the command with a stand-in for the model that takes its time
FAKED = """
import sys, time
from pathlib import Path
sys.path[:0] = [str(Path(sys.argv[1])), str(Path(sys.argv[1]) / "tests")]
from commands.test_predict import Fake
from hpe.commands.predict import work
class Slow(Fake):
    def __call__(self, image, **options):
        time.sleep(float(sys.argv[2]))
        return super().__call__(image, **options)
work.open_estimator = lambda _: Slow()
from hpe.cli import main
main(sys.argv[3:])
"""
ROOT = Path(__file__).resolve().parents[2]


def python(code: str, *args: str, cwd: Path, pause_s: float = 0.0) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code, str(ROOT), str(pause_s), *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def many(album: Path, count: int) -> list[str]:
    photo = (album / "album" / "d.jpg").read_bytes()
    for number in range(count):
        (album / "album" / f"n{number:03}.jpg").write_bytes(photo)
    return [f"album/{path.name}" for path in sorted((album / "album").iterdir())]


def test_processes_keep_the_order_and_give_what_one_gives(album: Path) -> None:
    expected = many(album, 30)
    (album / "album" / "n005.jpg").write_bytes(b"no photo")
    expected.remove("album/n005.jpg")
    for jobs in ("1", "3"):
        result = python(FAKED, "predict", "album", "-o", f"{jobs}.csv", "--jobs", jobs, cwd=album)
        assert result.returncode == 1
        assert "album/n005.jpg" in result.stderr
        assert "33 photos done, 64 people in 32 of them; 1 failed" in result.stderr
    assert files_in(album / "1.csv") == expected
    assert (album / "1.csv").read_bytes() == (album / "3.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "format", "jobs", "sent"),
    [
        ("x.csv", "csv", "1", signal.SIGINT),
        ("x.csv", "csv", "2", signal.SIGTERM),
        ("x.json", "coco", "2", signal.SIGINT),
    ],
)
def test_interrupted_run_keeps_what_it_had_and_goes_on(
    album: Path, name: str, format: str, jobs: str, sent: signal.Signals
) -> None:
    expected = many(album, 40)
    kept = album / (name if format == "csv" else f"{name}.part.jsonl")
    options = ["predict", "album", "-o", name, "--format", format, "--jobs", jobs]
    command = [sys.executable, "-c", FAKED, str(ROOT), "0.05", *options]
    with subprocess.Popen(command, cwd=album, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: kept.exists() and kept.stat().st_size > 3000)
        process.send_signal(sent)
        told = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "interrupted: run it again to go on" in told
    assert "Traceback" not in told
    done = files_in(kept)
    assert done == expected[: len(done)]
    assert 0 < len(done) < len(expected)
    result = python(FAKED, *options, cwd=album)
    assert f"{len(expected) - len(done)} photos done" in result.stderr
    if format == "csv":
        assert files_in(kept) == expected
    else:
        found = [entry["file_name"] for entry in json.loads((album / name).read_text())]
        assert list(dict.fromkeys(found)) == [file for file in expected if 'c"' not in file]
        assert not kept.exists()


def test_first_process_that_is_killed_takes_the_others_along(album: Path) -> None:
    many(album, 40)
    command = [sys.executable, "-c", FAKED, str(ROOT), "0.2", "predict", "album", "-o", "x.csv", "--jobs", "2"]
    with subprocess.Popen(command, cwd=album, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: (album / "x.csv").exists() and (album / "x.csv").stat().st_size > 1000)
        others = children(process.pid)
        assert len(others) == 2
        process.kill()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in others))


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def wait_for(happened: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


# --- names that are no text


ODD = [b"caf\xe9.jpg", b"\xc6\xfc\xcb\xdc.jpg", "日本.jpg".encode(), b"new\nline.jpg", b"back\\slash.jpg"]


@pytest.mark.parametrize(
    ("encoding", "options"),
    [
        ("cp1252", ["-o", "x.jsonl"]),
        ("euc_jp", ["-o", "x.csv"]),
        ("ascii", ["--format", "json"]),
        ("cp1252", ["-o", "out/"]),
    ],
)
def test_names_in_no_encoding_cost_nothing(tmp_path: Path, encoding: str, options: list[str]) -> None:
    (tmp_path / "album").mkdir()
    for name in ODD:
        Image.new("RGB", (16, 12), (200, 180, 160)).save(path := tmp_path / "album" / "x.jpg")
        path.rename(path.with_name(os.fsdecode(name)))
    command = [sys.executable, "-c", FAKED, str(ROOT), "0", "predict", "album", *options]
    environ = {**os.environ, "PYTHONIOENCODING": encoding}
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environ)
    assert result.returncode == 0, result.stderr
    assert b"5 photos done" in result.stderr
    if options[0] == "--format":
        found = [json.loads(line)["file"] for line in result.stdout.decode().splitlines()]
    elif options[1] == "out/":
        assert len([path for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")]) == 5
        return
    else:
        found = files_in(tmp_path / options[1])
        again = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environ)
        assert b"5 done before" in again.stderr
        assert files_in(tmp_path / options[1]) == found
    assert len(set(found)) == 5
    assert "album/caf\\udce9.jpg" in found
    assert "album/日本.jpg" in found


# --- processes


def squares() -> object:
    return lambda job: job * job


def test_results_come_in_the_order_of_jobs_and_few_jobs_are_taken_ahead() -> None:
    taken = []

    def jobs() -> Iterator[int]:
        for number in range(200):
            taken.append(number)
            yield number

    results = in_order(squares, jobs(), 2, lambda job: -1)
    assert next(results) == (0, 0)
    assert len(taken) <= 6, "memory would grow with the folder"
    assert list(results) == [(number, number**2) for number in range(1, 200)]


def dying() -> object:
    def work(job: int) -> int:
        if job in (3, 4, 11):
            os._exit(9)
        return -job

    return work


def test_job_that_kills_its_process_costs_that_job_alone() -> None:
    expected = [(job, "lost" if job in (3, 4, 11) else -job) for job in range(20)]
    assert list(in_order(dying, range(20), 2, lambda job: "lost")) == expected
