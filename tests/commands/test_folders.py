"""Many photos into one output: one run at a time, each photo once, nothing mixed, and a disk that is full ends it."""

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from commands.test_predict import Fake, in_terminal, tree
from commands.test_resume import FAKED, ROOT, files_in, python, wait_for
from PIL import Image

from hpe.cli import main
from hpe.commands.predict import outputs, work

NAMES = ["a.jpg", "b.jpg", "c.jpg"]

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with album/ of three photos in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "album").mkdir()
    for number, name in enumerate(NAMES):
        photo(tmp_path / "album" / name, 100 + 10 * number)
    return tmp_path


def photo(path: Path, colour: int = 200) -> None:
    Image.new("RGB", (160, 120), (colour, 180, 160)).save(path)


def run(*args: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["predict", *args], input=stdin)


def begun(album: Path, *options: str, pause_s: float = 2) -> subprocess.Popen[str]:
    """A run in a process of its own that takes its time."""
    command = [sys.executable, "-c", FAKED, str(ROOT), str(pause_s), "predict", "album", *options]
    return subprocess.Popen(command, cwd=album, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)


OUTPUTS = [["-o", "x.jsonl"], ["-o", "x.csv"], ["-o", "drawn"], [], ["-o", "x.json", "--format", "coco"]]


# --- two runs at once


@pytest.mark.parametrize(("options", "jobs"), [*[(options, "1") for options in OUTPUTS], (["-o", "x.csv"], "2")])
def test_a_second_run_into_the_same_output_is_refused_in_one_line(album: Path, options: list[str], jobs: str) -> None:
    for number in range(30):
        photo(album / "album" / f"n{number:02}.jpg")
    with begun(album, *options, "--jobs", jobs) as first:
        wait_for(lambda: list(album.rglob(".*hpe*")))
        second = python(FAKED, "predict", "./album", *options, cwd=album)
        first.send_signal(signal.SIGINT)
        told = first.communicate(timeout=60)[1]
    assert (second.returncode, second.stderr.count("\n")) == (1, 1), second.stderr
    assert "another run is writing into" in second.stderr
    assert "interrupted" in told


@pytest.mark.parametrize("options", OUTPUTS)
def test_a_lock_dies_with_its_process_and_each_photo_is_there_once(album: Path, options: list[str]) -> None:
    for number in range(12):
        photo(album / "album" / f"n{number:02}.jpg")
    expected = sorted(f"album/{name}" for name in tree(album / "album"))
    with begun(album, *options, "--jobs", "2", pause_s=0.1) as first:
        wait_for(lambda: list(album.rglob(".hpe-*")) or list(album.rglob(".x.*")))
        first.kill()
    result = python(FAKED, "predict", "album", *options, cwd=album)
    assert result.returncode == 0, result.stderr
    if not options or options[-1] == "drawn":
        found = [name for name in tree(album) if name.endswith(".pose.png")]
        assert len(found) == len(expected)
    elif options[-1] == "coco":
        assert len(json.loads((album / "x.json").read_text())) == 2 * len(expected)
    else:
        assert sorted(files_in(album / options[-1])) == expected
        if options[-1] == "x.csv":
            with (album / "x.csv").open(newline="") as file:
                assert len(list(csv.reader(file))) == 1 + 32 * len(expected)


# --- one photo, however it is spelled


@pytest.mark.parametrize("spelled", ["./album", "album//", "album/.", "../{here}/album", "{there}/album", "link"])
def test_a_folder_spelled_otherwise_is_done_already(album: Path, fake: Fake, spelled: str) -> None:
    (album / "link").symlink_to("album")
    name = spelled.format(here=album.name, there=album)
    for out in ("x.jsonl", "x.csv", "drawn"):
        assert run("album", "-o", out).exit_code == 0
        again = run(name, "-o", out)
        assert "0 photos done, 0 people in 0 of them; 3 done before" in again.stderr, again.stderr
    assert files_in(album / "x.csv") == files_in(album / "x.jsonl") == [f"album/{name}" for name in NAMES]
    assert len(tree(album / "drawn")) == 3
    assert len(fake.sizes) == 9


def test_a_photo_named_twice_in_other_spellings_is_done_once(album: Path) -> None:
    names = ("album/a.jpg", "./album/a.jpg", "album//a.jpg", str(album / "album" / "a.jpg"), "./album", "album/*")
    result = run(*names, "--format", "json")
    found = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert found == ["album/a.jpg", "./album/b.jpg", "./album/c.jpg"]
    assert len(run("album/**", "--format", "json").stdout.splitlines()) == 3


def test_photos_of_one_name_from_elsewhere_are_not_taken_for_done(album: Path) -> None:
    (album / "more").mkdir()
    photo(album / "more" / "a.jpg", 250)
    assert run("album", "-o", "drawn").exit_code == 0
    before = (album / "drawn" / "a.pose.png").read_bytes()
    assert "1 photo done" in run("more", "album/b.jpg", "-o", "drawn").stderr
    assert tree(album / "drawn") == ["a.jpg.pose.png", "a.pose.png", "b.pose.png", "c.pose.png"]
    assert (album / "drawn" / "a.pose.png").read_bytes() == before
    assert "4 done before" in run("more", "album", "-o", "drawn").stderr


def test_a_run_from_another_folder_goes_on_with_the_same_photos(
    album: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("album", "-o", "x.csv")
    monkeypatch.chdir(album / "album")
    assert "3 done before" in run(".", "-o", "../x.csv").stderr
    photo(album / "a.jpg", 90)
    monkeypatch.chdir(album)
    assert "1 photo done" in run("a.jpg", "album", "-o", "x.csv").stderr
    assert len(fake.sizes) == 4


def test_photos_and_results_may_move_together(album: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    run("album", "-o", "x.csv")
    run("album", "-o", "drawn")
    shutil.move(album, album.with_name("moved"))
    monkeypatch.chdir(album.with_name("moved"))
    for out in ("x.csv", "drawn"):
        assert "3 done before" in run("album", "-o", out).stderr
    assert len(fake.sizes) == 6


def test_standard_input_is_another_photo_each_time(album: Path) -> None:
    data = (album / "album" / "a.jpg").read_bytes()
    for out in ("x.jsonl", "x.csv"):
        for _ in range(3):
            assert run("-", "-o", out, stdin=data).exit_code == 0
    assert files_in(album / "x.jsonl") == ["-"] * 3
    with (album / "x.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 1 + 3 * 32


# --- what is stale


def replaced(path: Path) -> None:
    """Another photo under this name, and no newer."""
    when = path.stat().st_mtime_ns - 10**9
    photo(path, 40)
    os.utime(path, ns=(when, when))


@pytest.mark.parametrize("out", ["x.jsonl", "x.csv", "drawn", "svgs --format svg"])
def test_photo_that_changed_stops_the_run_and_is_done_again_where_asked(album: Path, fake: Fake, out: str) -> None:
    options = out.split()
    run("album", "-o", *options)
    before = {name: (album / name).read_bytes() for name in tree(album)}
    replaced(album / "album" / "b.jpg")
    before["album/b.jpg"] = (album / "album" / "b.jpg").read_bytes()
    stopped = run("album", "-o", *options)
    assert (stopped.exit_code, stopped.stderr.count("\n")) == (1, 1)
    assert "album/b.jpg has changed since the results were made: --update does this one again" in stopped.stderr
    assert {name: (album / name).read_bytes() for name in tree(album)} == before
    assert len(fake.sizes) == 3
    again = run("album", "-o", *options, "--update")
    assert "1 photo done, 2 people in 1 of them; 2 done before" in again.stderr
    assert len(fake.sizes) == 4
    if len(options) == 1 and "." in out:
        assert sorted(files_in(album / out)) == [f"album/{name}" for name in NAMES]
    assert "3 done before" in run("album", "-o", *options).stderr


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--people", "2"], "people 20, this run has 2"),
        (["--threshold", "0.9"], "threshold 0.5, this run has 0.9"),
        (["--flip"], "flip none, this run has on"),
        (["--box", "1,1,50,50"], "boxes none, this run has"),
    ],
)
@pytest.mark.parametrize("out", ["x.jsonl", "x.csv", "drawn"])
def test_other_options_are_told_and_not_mixed(album: Path, fake: Fake, given: list[str], told: str, out: str) -> None:
    assert run("album", "-o", out, "--threshold", "0.5").exit_code == 0
    photo(album / "album" / "d.jpg")
    before = {name: (album / name).read_bytes() for name in tree(album)}
    options = given if "--threshold" in given else [*given, "--threshold", "0.5"]
    stopped = run("album", "-o", out, *options)
    assert (stopped.exit_code, stopped.stderr.count("\n")) == (1, 1)
    assert told in stopped.stderr
    assert "--overwrite" in stopped.stderr
    assert {name: (album / name).read_bytes() for name in tree(album)} == before
    assert run("album", "-o", out, *options, "--overwrite").exit_code == 0
    assert len(fake.sizes) == 7
    assert "4 done before" in run("album", "-o", out, *options).stderr


def test_another_model_is_another_option(album: Path, tmp_path: Path) -> None:
    bundled = ROOT / "models"
    made = json.loads((bundled / "pose.json").read_text())
    shutil.copytree(bundled, tmp_path / "other", ignore=shutil.ignore_patterns("checkpoints"))
    weights = tmp_path / "other" / made["pose"]["file"]
    weights.write_bytes(weights.read_bytes() + b"\0")
    import hashlib

    made["pose"]["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    (tmp_path / "other" / "pose.json").write_text(json.dumps(made))
    for out in ("x.csv", "drawn"):
        run("album", "-o", out)
        stopped = run("album", "-o", out, "--model", "other/pose.json")
        assert (stopped.exit_code, "was made with model" in stopped.stderr) == (1, True), stopped.stderr


def test_a_file_without_a_record_is_gone_on_with_and_that_is_said(album: Path, fake: Fake) -> None:
    run("album", "-o", "x.csv")
    (album / ".x.csv.hpe").unlink()
    again = run("./album", "-o", "x.csv")
    assert "x.csv has no record of its options" in again.stderr
    assert "3 done before" in again.stderr
    assert len(fake.sizes) == 3


def test_a_file_that_was_removed_is_made_again_with_any_options(album: Path) -> None:
    run("album", "-o", "x.csv")
    (album / "x.csv").unlink()
    assert run("album", "-o", "x.csv", "--people", "1").exit_code == 0
    assert files_in(album / "x.csv") == [f"album/{name}" for name in NAMES]


def test_a_failed_run_leaves_nothing_behind(album: Path) -> None:
    assert run("none.jpg", "-o", "out/").exit_code == 1
    assert run("none.jpg").exit_code == 1
    (album / "diary.txt").write_text("mine")
    assert run("album", "-o", "diary.txt", "--format", "json").exit_code == 1
    assert {path.name for path in album.iterdir()} == {"album", "diary.txt"}


# --- disks, lists and failures


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_full_disk_stops_a_run_of_drawn_photos(album: Path, monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    whole = outputs.write_file

    def full(target: str, data: bytes) -> None:
        if not target.endswith("a.pose.png"):
            raise OSError(errno.ENOSPC, "cannot be written into drawn: No space left on device")
        whole(target, data)

    monkeypatch.setattr(work, "write_file", full)
    for number in range(20):
        photo(album / "album" / f"n{number:02}.jpg")
    result = run("album", "-o", "drawn", "--jobs", jobs)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[1] == "hpe: album/b.jpg: cannot be written into drawn: No space left on device"
    assert lines[-1] == "Error: the next ones would fail as well; what was done before is kept"
    assert len(lines) == 4
    monkeypatch.setattr(work, "write_file", whole)
    assert "22 photos done, 44 people in 22 of them; 1 done before" in run("album", "-o", "drawn").stderr


def test_name_that_cannot_be_a_file_costs_that_photo_alone(album: Path) -> None:
    photo(album / "album" / f"{'b' * 250}.jpg")  # with .pose.png it is longer than 255
    result = run("album", "-o", "drawn")
    assert "3 photos done, 6 people in 3 of them; 1 failed" in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_folder_that_cannot_be_written_into_stops_the_run_before_any_work(album: Path, fake: Fake) -> None:
    (album / "drawn").mkdir(mode=0o500)
    result = run("album", "-o", "drawn")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "drawn cannot be written into: Permission denied" in result.stderr
    assert fake.sizes == []


def test_photos_are_read_from_a_list(album: Path) -> None:
    (album / "list.txt").write_bytes(b"\xef\xbb\xbfalbum/a.jpg\r\n\r\n./album/a.jpg\nalbum/c.jpg")
    files = [json.loads(line)["file"] for line in run("--from", "list.txt", "--format", "json").stdout.splitlines()]
    assert files == ["album/a.jpg", "album/c.jpg"]
    piped = run("--from", "-", "--format", "json", stdin=b"album/a.jpg\0album/b.jpg\0")
    assert len(piped.stdout.splitlines()) == 2
    for content, why in ((None, "No such file"), (b"\n", "it names no photo"), (b'{"file":"x', "cut off")):
        if content is None:
            (album / "list.txt").unlink()
        else:
            (album / "list.txt").write_bytes(content)
        result = run("--from", "list.txt", "--format", "json")
        assert (result.exit_code, why in result.stderr) == (2, True), result.stderr
    assert (run("--format", "json").exit_code, "or --from FILE" in run().stderr) == (2, True)


def test_failures_are_written_to_a_file_that_a_list_is_read_from(album: Path) -> None:
    odd = os.fsdecode(b"caf\xe9.jpg")
    for name in ("broken.jpg", odd):
        (album / "album" / name).write_bytes(b"no photo")
    result = run("album", "none.jpg", "-o", "x.jsonl", "--failures", "failed.jsonl")
    assert "3 failed" in result.stderr
    found = [json.loads(line) for line in (album / "failed.jsonl").read_text().splitlines()]
    assert [line["file"] for line in found] == ["album/broken.jpg", "album/caf\\udce9.jpg", "none.jpg"]
    assert all(line["problem"] for line in found)
    for name in ("album/broken.jpg", f"album/{odd}", "none.jpg"):
        photo(album / "good.jpg")
        (album / "good.jpg").rename(album / name)
    assert run("--from", "failed.jsonl", "-o", "x.jsonl", "--failures", "failed.jsonl").exit_code == 0
    assert (album / "failed.jsonl").read_text() == ""
    assert len(files_in(album / "x.jsonl")) == 6


def test_failures_do_not_overwrite_a_photo(album: Path) -> None:
    before = (album / "album" / "a.jpg").read_bytes()
    assert run("album/a.jpg", "--format", "json", "--failures", "album/a.jpg").exit_code == 2
    assert (album / "album" / "a.jpg").read_bytes() == before
    nowhere = run("album", "--format", "json", "--failures", "none/x.jsonl")
    assert (nowhere.exit_code, "--failures none/x.jsonl: No such file" in nowhere.stderr) == (1, True)


# --- tables


@pytest.mark.parametrize("format", ["csv", "csv-wide"])
def test_no_cell_opens_as_a_formula_and_its_photo_is_known_again(album: Path, fake: Fake, format: str) -> None:
    names = ["=1+1.jpg", "+1.jpg", "-1.jpg", "@a.jpg", "\tx.jpg", "\uff1d1.jpg"]
    os.chdir(album / "album")
    for name in names:
        photo(album / "album" / name)
    given = ["--format", format, "-o", "../x.csv"]
    assert run(*given, "--", *names).exit_code == 0
    with (album / "x.csv").open(newline="") as file:
        found = list(dict.fromkeys(row["file"] for row in csv.DictReader(file)))
    assert found == [f"./{name}" for name in names]
    assert all(Path(name).exists() for name in found)
    assert "6 done before" in run(*given, "--", *names).stderr
    assert "6 done before" in run(*given, *[f"./{name}" for name in names]).stderr
    replaced(album / "album" / "-1.jpg")
    assert run(*given, "--update", "--", *names).exit_code == 0
    with (album / "x.csv").open(newline="") as file:
        assert len({row["file"] for row in csv.DictReader(file)}) == 6
    assert len(fake.sizes) == 7


def test_excel_gets_its_byte_order_mark_where_asked(album: Path) -> None:
    for out, begin in (("x.csv", b"\xef\xbb\xbffile,"), ("out/", b"\xef\xbb\xbffile,")):
        assert run("album", "-o", out, "--format", "csv", "--excel").exit_code == 0
        file = album / out if out == "x.csv" else album / "out" / "a.pose.csv"
        assert file.read_bytes().startswith(begin)
        assert "3 done before" in run("album", "-o", out, "--format", "csv", "--excel").stderr
    assert run("album", "--format", "csv", "--excel").stdout_bytes.count(b"\xef\xbb\xbf") == 1
    assert run("album", "--format", "csv").stdout_bytes.startswith(b"file,")
    assert (run("album", "--format", "json", "--excel").exit_code) == 2
    assert "x.csv was made with --excel, this run is without" in run("album", "-o", "x.csv").stderr


# --- while it runs


@pytest.mark.real
def test_progress_has_a_total_and_the_time_left_at_thousands_of_photos(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (album / "album" / "a.jpg").read_bytes()
    for number in range(2_500):
        (album / "album" / f"n{number:04}.jpg").write_bytes(data)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'tests'}")
    code = FAKED.replace("main(sys.argv[3:])", "main(sys.argv[4:])")
    (album / "hpe.py").write_text("")
    seen = in_terminal("-c", code, str(ROOT), "0", "-", "predict", "album", "-o", "x.jsonl", cwd=album, module=False)
    assert "/2503 [" in seen
    assert "<00:" in seen


def test_one_job_is_one_thread(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[work.Asked] = []
    monkeypatch.setattr(work, "open_estimator", lambda one: asked.append(one) or Fake())
    run("album", "--format", "json", "--jobs", "1")
    run("album", "--format", "json")
    assert [one.threads for one in asked] == [1, 0]
    assert "Photos at once, each on one thread" in run("--help").stdout
