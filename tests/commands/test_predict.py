"""`hpe predict`: what goes in, where it comes out, and what happens to photos that cannot be read."""

import csv
import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from hpe.cli import main
from hpe.commands import predict
from hpe.engine.manifest import ModelCard
from hpe.pose.result import Pose

SIZE = (120, 160)  # height, width


class Fake:
    """An estimator that finds one person in bright pictures and nobody in dark ones."""

    card = ModelCard("fake", "fake.onnx", "0" * 64, 64, "none", 0.2, 0.2, 2.0)

    def __call__(self, image: np.ndarray) -> list[Pose]:
        if image.mean() < 50:
            return []
        height, width = image.shape[:2]
        points = np.stack([np.linspace(0.2, 0.8, 16) * width, np.linspace(0.1, 0.9, 16) * height], 1)
        scores = np.linspace(0.1, 0.9, 16).astype(np.float32)
        box = np.array([*points.min(0), *points.max(0)], np.float32)
        return [Pose(points.astype(np.float32), scores, box, 0.75, 0.2)]


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[tuple]:
    """The options that the estimator was opened with."""
    asked: list[tuple] = []
    if "real" not in request.keywords:
        monkeypatch.setattr(predict, "open_estimator", lambda *options: asked.append(options) or Fake())
    return asked


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: day.jpg, night.png, sub/day.jpg and a text file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "album" / "sub").mkdir(parents=True)
    Image.new("RGB", SIZE[::-1], (200, 180, 160)).save(tmp_path / "day.jpg")
    Image.new("RGB", SIZE[::-1], (200, 180, 160)).save(tmp_path / "album" / "day.jpg")
    Image.new("RGB", SIZE[::-1], (0, 0, 9)).save(tmp_path / "album" / "night.PNG")
    Image.new("RGB", SIZE[::-1], (200, 180, 160)).save(tmp_path / "album" / "sub" / "day.webp")
    (tmp_path / "album" / "notes.txt").write_text("no photo")
    return tmp_path


def run(*args: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["predict", *args], input=stdin)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def lines(result: Result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# --- what comes out


def test_drawn_photo_goes_beside_its_original_at_its_size(folder: Path) -> None:
    before = (folder / "day.jpg").read_bytes()
    result = run("day.jpg")
    assert result.exit_code == 0, result.output
    drawn = Image.open(folder / "day.pose.png")
    assert (drawn.format, drawn.size) == ("PNG", SIZE[::-1])
    assert np.asarray(drawn).std() > 5
    assert (folder / "day.jpg").read_bytes() == before
    assert result.stderr == "day.jpg -> day.pose.png: 1 person, score 0.75\n"
    assert result.stdout == ""


def test_photo_with_nobody_is_written_as_it_is(folder: Path) -> None:
    result = run("album/night.PNG", "-o", "out.png")
    assert "nobody found" in result.stderr
    assert np.array_equal(np.asarray(Image.open("out.png")), np.asarray(Image.open("album/night.PNG")))


@pytest.mark.parametrize(
    ("args", "name", "format"),
    [
        (["-o", "x.jpg"], "x.jpg", "JPEG"),
        (["-o", "new/x.webp"], "new/x.webp", "WEBP"),
        (["-o", "new/"], "new/day.pose.png", "PNG"),
        (["-o", "new"], "new/day.pose.png", "PNG"),
        (["-o", "new", "--format", "jpeg"], "new/day.pose.jpg", "JPEG"),
        (["--format", "webp"], "day.pose.webp", "WEBP"),
        (["-o", "x.jpg", "--format", "png"], "x.jpg", "PNG"),
    ],
)
def test_out_and_format_say_where_and_what(folder: Path, args: list[str], name: str, format: str) -> None:
    result = run("day.jpg", *args)
    assert result.exit_code == 0, result.output
    assert Image.open(folder / name).format == format


def test_json_is_the_answer_of_the_api_with_the_file(folder: Path) -> None:
    result = run("day.jpg", "--format", "json")
    (answer,) = lines(result)
    assert list(answer) == ["file", "image", "people", "model", "timings_ms"]
    assert answer["file"] == "day.jpg"
    assert answer["image"] == {"width": 160, "height": 120}
    assert answer["model"] == {"name": "fake", "sha256": "0" * 64}
    (person,) = answer["people"]
    assert person["keypoints"][15] == {"name": "left_wrist", "x": 128.0, "y": 108.0, "score": 0.9, "confident": True}
    assert not person["keypoints"][0]["confident"]
    assert tree(folder / "album") == ["day.jpg", "night.PNG", "notes.txt", "sub/day.webp"]


def test_joints_of_a_large_photo_are_in_its_own_pixels(folder: Path) -> None:
    Image.new("RGB", (4000, 3000), (200, 180, 160)).save(folder / "large.jpg")
    (answer,) = lines(run("large.jpg", "--format", "json"))
    assert answer["image"] == {"width": 4000, "height": 3000}
    assert answer["people"][0]["keypoints"][15]["x"] == pytest.approx(3200, abs=1)


def test_csv_has_a_row_a_joint_and_one_for_nobody(folder: Path) -> None:
    result = run("day.jpg", "album/night.PNG", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert len(rows) == 17
    assert rows[15] == {
        "file": "day.jpg",
        "person": "1",
        "person_score": "0.75",
        "joint": "left_wrist",
        "x": "128.0",
        "y": "108.0",
        "score": "0.9",
        "confident": "1",
    }
    assert (rows[16]["file"], rows[16]["person"], rows[16]["joint"]) == ("album/night.PNG", "0", "")


def test_joints_of_all_photos_go_into_one_file_anew_each_time(folder: Path) -> None:
    for _ in range(2):
        assert run("album", "-o", "joints.jsonl").exit_code == 0
    written = [json.loads(line) for line in (folder / "joints.jsonl").read_text().splitlines()]
    assert [answer["file"] for answer in written] == ["album/day.jpg", "album/night.PNG", "album/sub/day.webp"]


def test_joints_go_into_a_folder_as_a_file_a_photo(folder: Path) -> None:
    run("album", "-o", "out/", "--format", "csv")
    assert tree(folder / "out") == ["day.pose.csv", "night.pose.csv", "sub/day.pose.csv"]
    assert (folder / "out" / "sub" / "day.pose.csv").read_text().startswith("file,person,")


def test_stdin_gives_stdout(folder: Path) -> None:
    result = run("-", stdin=(folder / "day.jpg").read_bytes())
    assert Image.open(io.BytesIO(result.stdout_bytes)).size == (160, 120)
    (answer,) = lines(run("-", "--format", "json", stdin=(folder / "day.jpg").read_bytes()))
    assert answer["file"] == "-"


def test_picture_goes_to_stdout_where_it_is_asked_to(folder: Path) -> None:
    result = run("day.jpg", "-o", "-", "--format", "jpeg")
    assert Image.open(io.BytesIO(result.stdout_bytes)).format == "JPEG"
    assert tree(folder / "album") == ["day.jpg", "night.PNG", "notes.txt", "sub/day.webp"]


# --- what goes in


def test_folder_is_searched_through_and_mirrored(folder: Path) -> None:
    assert run("album", "-o", "out").exit_code == 0
    assert tree(folder / "out") == ["day.pose.png", "night.pose.png", "sub/day.pose.png"]


def test_folder_drawn_twice_is_drawn_once(folder: Path) -> None:
    run("album")
    drawn = tree(folder / "album")
    assert "day.pose.png" in drawn
    run("album")
    assert tree(folder / "album") == drawn


def test_pattern_that_the_shell_left_alone_is_expanded(folder: Path) -> None:
    result = run("album/**/day.*", "--format", "json")
    assert [answer["file"] for answer in lines(result)] == ["album/day.jpg", "album/sub/day.webp"]


def test_file_whose_name_looks_like_a_pattern_is_itself(folder: Path) -> None:
    (folder / "day.jpg").rename(folder / "day[1].jpg")
    (answer,) = lines(run("day[1].jpg", "--format", "json"))
    assert answer["file"] == "day[1].jpg"


def test_photo_named_twice_is_done_once(folder: Path) -> None:
    assert len(lines(run("day.jpg", "day.jpg", "album", "album/day.jpg", "--format", "json"))) == 4


def test_same_names_do_not_overwrite_each_other(folder: Path) -> None:
    Image.open("day.jpg").save("day.png")
    assert run("day.jpg", "day.png", "album/day.jpg", "-o", "out").exit_code == 0
    assert tree(folder / "out") == ["day.jpg.pose.png", "day.png.pose.png", "day.pose.png"]


def test_name_that_no_code_page_knows(folder: Path) -> None:
    (folder / "day.jpg").rename(folder / "日 день.jpg")
    (answer,) = lines(run("日 день.jpg", "--format", "json"))
    assert answer["file"] == "日 день.jpg"


# --- what goes wrong


def test_one_bad_file_is_reported_and_the_rest_is_done(folder: Path) -> None:
    (folder / "album" / "broken.jpg").write_bytes((folder / "day.jpg").read_bytes()[:300])
    (folder / "album" / "fake.png").write_text("no picture at all")
    result = run("album", "missing.jpg", "--format", "json")
    assert result.exit_code == 1
    assert [answer["file"] for answer in lines(result)] == ["album/day.jpg", "album/night.PNG", "album/sub/day.webp"]
    told = result.stderr.splitlines()
    assert [line.split(": ")[1] for line in told[:3]] == ["album/broken.jpg", "album/fake.png", "missing.jpg"]
    assert told[2] == "hpe: missing.jpg: No such file or directory"
    assert told[3] == "hpe: 3 of 6 could not be done"


def test_folder_and_pattern_without_photos_are_reported(folder: Path, fake: list[tuple]) -> None:
    (folder / "empty").mkdir()
    result = run("empty", "*.bmp")
    assert result.exit_code == 1
    assert "hpe: empty: no photos in it: looked for .jpg" in result.stderr
    assert "hpe: *.bmp: no photos in it" in result.stderr
    assert fake == [], "a model was loaded for nothing"


def test_original_is_never_overwritten(folder: Path) -> None:
    before = (folder / "day.jpg").read_bytes()
    (folder / "link.jpg").symlink_to(folder / "day.jpg")
    for out in ("day.jpg", "./album/../day.jpg", "link.jpg"):
        result = run("day.jpg", "-o", out)
        assert result.exit_code == 2
        assert "would overwrite the photo day.jpg" in result.stderr
    assert run("day.jpg", "album/day.jpg", "--format", "json", "-o", "album/day.jpg").exit_code == 2
    assert (folder / "day.jpg").read_bytes() == before


def test_many_photos_do_not_fit_into_one_picture(folder: Path) -> None:
    for out in ("x.png", "-"):
        result = run("album", "-o", out)
        assert result.exit_code == 2
        assert "here are 3 photos: give a folder" in result.stderr


def test_target_that_cannot_be_written_is_reported(folder: Path) -> None:
    (folder / "file").write_text("no folder")
    result = run("day.jpg", "-o", "file/x.png")
    assert result.exit_code == 1
    assert "hpe: day.jpg: " in result.stderr


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "much"])
def test_threshold_outside_of_0_to_1_is_refused(folder: Path, value: str) -> None:
    assert run("day.jpg", "--threshold", value).exit_code == 2


def test_options_reach_the_estimator(folder: Path, fake: list[tuple]) -> None:
    run("day.jpg", "--threshold", "0.4", "--flip", "--model", "other.onnx", "--format", "json")
    assert fake == [("other.onnx", 0.4, True)]


@pytest.mark.real
def test_model_that_cannot_be_had_is_one_line(folder: Path, aws_env) -> None:
    result = run("day.jpg", "--model", "none.onnx")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "Error: none.onnx: no such model file" in result.stderr


# --- on a terminal, and in pipes


def in_terminal(*args: str, cwd: Path) -> str:
    """What a person sees: stdout and stderr of the command on a pseudo-terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    process = subprocess.Popen([sys.executable, "-m", "hpe.cli", *args], stdout=theirs, stderr=theirs, cwd=cwd)
    os.close(theirs)
    seen = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    process.wait(60)
    os.close(ours)
    return seen.decode()


@pytest.mark.real
def test_progress_is_shown_on_a_terminal_and_not_in_a_pipe(folder: Path, root: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    assert "3/3" in in_terminal("predict", "album", "-o", "out", cwd=folder)
    command = [sys.executable, "-m", "hpe.cli", "predict", "album", "-o", "out"]
    piped = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    assert "3/3" not in piped.stderr
    assert len(piped.stderr.splitlines()) == 3


@pytest.mark.real
def test_picture_is_not_thrown_at_a_terminal(folder: Path, root: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    assert "a png is no text for a terminal" in in_terminal("predict", "day.jpg", "-o", "-", cwd=folder)


@pytest.mark.real
def test_head_that_closes_the_pipe_is_no_traceback(folder: Path, root: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    command = f"{sys.executable} -m hpe.cli predict {'album ' * 3} --format json | head -c 10"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=folder)
    assert run.stdout == '{"file":"a'
    assert "Traceback" not in run.stderr
    assert "Exception" not in run.stderr


@pytest.mark.real
def test_real_model_finds_the_astronaut(tmp_path: Path, astronaut_jpeg: bytes, monkeypatch) -> None:
    (tmp_path / "astronaut.jpg").write_bytes(astronaut_jpeg)
    monkeypatch.chdir(tmp_path)
    (answer,) = lines(run("astronaut.jpg", "--format", "json"))
    (person,) = answer["people"]
    found = {joint["name"]: (joint["x"], joint["y"]) for joint in person["keypoints"]}
    # by hand: the top of her hair and the collar of the suit
    assert found["head_top"] == pytest.approx((224, 25), abs=60)
    assert found["thorax"] == pytest.approx((215, 200), abs=60)
    assert run("astronaut.jpg").exit_code == 0
    drawn = np.asarray(Image.open("astronaut.pose.png"), dtype=int)
    assert drawn.shape == (512, 512, 3)
    assert 0.005 < (np.abs(drawn - np.asarray(Image.open("astronaut.jpg"), dtype=int)).max(2) > 30).mean() < 0.2
