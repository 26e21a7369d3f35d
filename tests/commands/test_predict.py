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
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from hpe.cli import main
from hpe.commands.predict import work
from hpe.engine.card import ModelCard
from hpe.engine.inputs import checked_boxes
from hpe.photo import recipe
from hpe.pose.result import Pose

SIZE = (120, 160)  # height, width


class Fake:
    """An estimator that finds two people in bright pictures and nobody in dark ones; one in each box it is given."""

    card = ModelCard("fake", "fake.onnx", "0" * 64, 64, "none", 0.2, 0.2, 2.0)
    threshold = 0.2

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, image: Any, *, max_people: int | None = None, boxes: Any = None, **_: Any) -> list[Pose]:
        width, height = image.width, image.height
        self.sizes.append(image.rgb.shape[1::-1])
        if image.rgb.mean() < 50:
            return []
        frames = [(0, 0, width, height)] * 2 if boxes is None else checked_boxes(boxes, height, width)
        return [self.pose(frame, 0.75 - 0.25 * n) for n, frame in enumerate(frames)][:max_people]

    def pose(self, frame: Any, score: float) -> Pose:
        x0, y0, x1, y1 = frame
        points = np.stack([x0 + np.linspace(0.2, 0.8, 16) * (x1 - x0), y0 + np.linspace(0.1, 0.9, 16) * (y1 - y0)], 1)
        scores = np.linspace(0.1, 0.9, 16).astype(np.float32)
        box = np.array([*points.min(0), *points.max(0)], np.float32)
        return Pose(points.astype(np.float32), scores, box, score, 0.2)


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[work.Asked]:
    """What the estimator was opened for."""
    asked: list[work.Asked] = []
    if "real" not in request.keywords:
        monkeypatch.setattr(work, "open_estimator", lambda one: asked.append(one) or Fake())
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
    """What a user sees: without the records that runs keep, which are hidden."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not path.name.startswith("."))


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
    assert result.stderr == "day.jpg -> day.pose.png: 2 people, score 0.75\n"
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
        (["-o", "v1.2/"], "v1.2/day.pose.png", "PNG"),
        (["--format", "jpg"], "day.pose.jpg", "JPEG"),
    ],
)
def test_out_and_format_say_where_and_what(folder: Path, args: list[str], name: str, format: str) -> None:
    result = run("day.jpg", *args)
    assert result.exit_code == 0, result.output
    assert Image.open(folder / name).format == format


def test_json_is_the_answer_of_the_api_with_the_file(folder: Path) -> None:
    result = run("day.jpg", "--format", "json")
    (answer,) = lines(result)
    fields = ["image", "width", "height", "analysed", "threshold", "people", "model", "skeleton", "timings_ms"]
    assert list(answer) == ["file", *fields]
    assert answer["file"] == "day.jpg"
    assert answer["image"] == {"width": 160, "height": 120}
    assert answer["model"] == {"name": "fake", "sha256": "0" * 64}
    person, other = answer["people"]
    assert (person["score"], other["score"]) == (0.75, 0.5)
    assert person["keypoints"][15] == {
        "name": "left_wrist",
        "x": 128.0,
        "y": 108.0,
        "score": 0.9,
        "confident": True,
        "state": "visible",
    }
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
    assert len(rows) == 33
    assert rows[15] == {
        "file": "day.jpg",
        "people": "2",
        "person": "1",
        "person_score": "0.75",
        "joint": "left_wrist",
        "x": "128.0",
        "y": "108.0",
        "score": "0.9",
        "confident": "1",
        "state": "visible",
        "degrees": "",
        "degrees_error": "",
    }
    assert (rows[31]["person"], rows[31]["person_score"]) == ("2", "0.5")
    assert (rows[32]["file"], rows[32]["person"], rows[32]["joint"]) == ("album/night.PNG", "0", "")


def test_wide_csv_has_a_row_a_person(folder: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("day.jpg", "album/night.PNG", "--format", "csv-wide").stdout)))
    assert [row["person"] for row in rows] == ["1", "2", "0"]
    assert (rows[0]["left_wrist_x"], rows[0]["left_wrist_confident"], rows[0]["box_x0"]) == ("128.0", "1", "32.0")


def test_joints_of_all_photos_go_into_one_file(folder: Path) -> None:
    assert run("album", "-o", "joints.jsonl").exit_code == 0
    written = [json.loads(line) for line in (folder / "joints.jsonl").read_text().splitlines()]
    assert [answer["file"] for answer in written] == ["album/day.jpg", "album/night.PNG", "album/sub/day.webp"]


def test_joints_go_into_a_folder_as_a_file_a_photo(folder: Path) -> None:
    run("album", "-o", "out/", "--format", "csv")
    assert tree(folder / "out") == ["day.pose.csv", "night.pose.csv", "sub/day.pose.csv"]
    assert (folder / "out" / "sub" / "day.pose.csv").read_text().startswith("file,people,person,")


def test_photo_too_large_to_draw_at_its_size_is_drawn_smaller(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.asarray(Image.open(folder / "day.jpg"))
    assert run("day.jpg", "-o", "whole.png").exit_code == 0
    monkeypatch.setattr(
        recipe, "OWN_PHOTOS", replace(recipe.OWN_PHOTOS, drawn_pixels=whole.shape[0] * whole.shape[1] // 4)
    )
    assert run("day.jpg", "-o", "small.png").exit_code == 0
    small = np.asarray(Image.open(folder / "small.png"), dtype=int)
    assert (2 * small.shape[0], 2 * small.shape[1]) == whole.shape[:2]
    like = np.asarray(Image.open(folder / "whole.png").resize(small.shape[1::-1], Image.Resampling.BOX), dtype=int)
    assert np.abs(small - like).mean() < 12, "the joints lie where they do in the large one"


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


def test_folder_drawn_twice_is_drawn_once(folder: Path, fake: list[work.Asked]) -> None:
    run("album")
    drawn = tree(folder / "album")
    assert "day.pose.png" in drawn
    (folder / "album" / "day.pose.png").write_bytes(b"mine")
    again = run("album")
    assert tree(folder / "album") == drawn
    assert (folder / "album" / "day.pose.png").read_bytes() == b"mine"
    assert "3 done before (--overwrite does them again)" in again.stderr
    assert len(fake) == 1, "a model was loaded for nothing"
    run("album", "--overwrite")
    assert (folder / "album" / "day.pose.png").read_bytes() != b"mine"


def test_file_that_is_named_itself_is_made_again(folder: Path) -> None:
    (folder / "x.png").write_bytes(b"old")
    assert run("day.jpg", "-o", "x.png").exit_code == 0
    assert Image.open("x.png").size == (160, 120)


def test_pattern_that_the_shell_left_alone_is_expanded(folder: Path) -> None:
    result = run("album/**/day.*", "--format", "json")
    assert [answer["file"] for answer in lines(result)] == ["album/day.jpg", "album/sub/day.webp"]


def test_file_whose_name_looks_like_a_pattern_is_itself(folder: Path) -> None:
    (folder / "day.jpg").rename(folder / "day[1].jpg")
    (answer,) = lines(run("day[1].jpg", "--format", "json"))
    assert answer["file"] == "day[1].jpg"


def test_photo_named_twice_is_done_once(folder: Path) -> None:
    assert len(lines(run("day.jpg", "day.jpg", "album", "album/day.jpg", "--format", "json"))) == 4


@pytest.mark.parametrize("runs", [[["day.jpg", "day.png"]], [["day.jpg"], ["day.png"]], [["day.png"], ["day.jpg"]]])
def test_photos_that_differ_in_their_suffix_do_not_overwrite_each_other(folder: Path, runs: list[list[str]]) -> None:
    Image.new("RGB", (30, 20), (200, 180, 160)).save("day.png")
    for names in runs:
        assert run(*names).exit_code == 0
    assert Image.open("day.jpg.pose.png").size == (160, 120)
    assert Image.open("day.png.pose.png").size == (30, 20)


def test_photos_of_one_name_from_two_folders_are_both_kept(folder: Path) -> None:
    given = ("day.jpg", "album/day.jpg", "album/sub/day.webp", "-o", "out")
    assert run(*given).exit_code == 0
    expected = ["day.jpg.pose.png", "day.pose.png", "day.webp.pose.png"]
    assert tree(folder / "out") == expected
    assert "3 done before" in run(*given).stderr
    assert tree(folder / "out") == expected


def test_a_photo_named_like_a_result_is_not_overwritten_by_one(folder: Path) -> None:
    (folder / "day.pose.png").write_bytes((folder / "day.jpg").read_bytes())
    result = run("day.jpg", "day.pose.png", "--overwrite")
    assert (result.exit_code, "overwrite the photo day.pose.png" in result.stderr) == (2, True)


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
    assert told[3] == "hpe: 3 photos done, 4 people in 2 of them; 3 failed"


def test_folder_and_pattern_without_photos_are_reported(folder: Path, fake: list[work.Asked]) -> None:
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
        assert "there are more photos: give a folder" in result.stderr


def test_target_that_cannot_be_written_is_reported(folder: Path) -> None:
    (folder / "file").write_text("no folder")
    result = run("day.jpg", "-o", "file/x.png")
    assert result.exit_code == 1
    assert "hpe: day.jpg: " in result.stderr


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "much"])
def test_threshold_outside_of_0_to_1_is_refused(folder: Path, value: str) -> None:
    assert run("day.jpg", "--threshold", value).exit_code == 2


def test_options_reach_the_estimator(folder: Path, fake: list[work.Asked]) -> None:
    result = run(
        "day.jpg", "--threshold", "0.4", "--flip", "--model", "other.onnx", "--format", "json", "--people", "1"
    )
    assert fake == [work.Asked("json", 0.4, True, 1, (), "other.onnx")]
    assert len(lines(result)[0]["people"]) == 1


def test_boxes_are_px_of_the_upright_photo(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (3200, 1600), (200, 180, 160)).save("tall.jpg", exif=exif)
    (answer,) = lines(run("tall.jpg", "--box", "100,200,300,600", "--box", "0,0,1600,3200", "--format", "json"))
    assert (answer["width"], answer["height"], answer["analysed"]) == (1600, 3200, {"width": 800, "height": 1600})
    wrist = answer["people"][0]["keypoints"][15]
    assert (wrist["x"], wrist["y"]) == pytest.approx((260, 560), abs=1)
    outside = run("day.jpg", "--box", "200,0,300,90")
    assert (outside.exit_code, "outside the photo, which is 160x120 px" in outside.stderr) == (1, True)


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "5,5,5,9", "nan,0,9,9", "9,9,1,1", ""])
def test_what_is_not_a_box_is_a_usage_error(folder: Path, box: str) -> None:
    result = run("day.jpg", "--box", box)
    assert (result.exit_code, "x0,y0,x1,y1 in px" in result.stderr) == (2, True)


def test_json_and_drawing_are_estimated_once_and_at_one_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (4000, 3000), (200, 180, 160)).save("large.jpg")
    fake = Fake()
    monkeypatch.setattr(work, "open_estimator", lambda _: fake)
    run("large.jpg", "--format", "json")
    run("large.jpg")
    assert fake.sizes == [(1600, 1200), (1600, 1200)]
    assert Image.open("large.pose.png").size == (4000, 3000)


@pytest.mark.parametrize("out", ["x.gif", "joints.txt", "x.pose", "new/x.bmp"])
def test_unknown_suffix_is_an_error_that_lists_the_formats(folder: Path, out: str) -> None:
    before = tree(folder)
    result = run("day.jpg", "-o", out)
    assert result.exit_code == 2
    assert "which is not a format: give one of .png .jpg .jpeg .webp .json" in result.stderr
    assert tree(folder) == before
    assert not (folder / out).exists()


def test_text_goes_to_a_file_of_any_name_if_its_format_is_given(folder: Path) -> None:
    assert run("day.jpg", "-o", "joints.txt", "--format", "csv").exit_code == 0
    assert (folder / "joints.txt").read_text().startswith("file,people,person,")


def test_an_empty_name_is_not_the_working_folder(folder: Path) -> None:
    result = run("", "--format", "json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("hpe: '': an empty name: give a photo")


@pytest.mark.real
def test_model_that_cannot_be_had_is_one_line(folder: Path, aws_env) -> None:
    result = run("day.jpg", "--model", "none.onnx")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "Error: none.onnx: no such model file" in result.stderr


# --- on a terminal, and in pipes


def in_terminal(*args: str, cwd: Path, module: bool = True) -> str:
    """What a person sees: stdout and stderr of the command on a pseudo-terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, *(["-m", "hpe.cli"] if module else []), *args], stdout=theirs, stderr=theirs, cwd=cwd
    )
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
    command = [sys.executable, "-m", "hpe.cli", "predict", "album", "-o", "piped"]
    piped = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True)
    assert "3/3" not in piped.stderr
    assert len(piped.stderr.splitlines()) == 4


@pytest.mark.real
def test_picture_is_not_thrown_at_a_terminal(folder: Path, root: Path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    assert "a png is not text for a terminal" in in_terminal("predict", "day.jpg", "-o", "-", cwd=folder)


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
    # by hand: the top of her hair and the middle between her shoulders
    assert found["head_top"] == pytest.approx((224, 25), abs=60)
    assert found["thorax"] == pytest.approx((215, 245), abs=60)
    assert run("astronaut.jpg").exit_code == 0
    drawn = np.asarray(Image.open("astronaut.pose.png"), dtype=int)
    assert drawn.shape == (512, 512, 3)
    assert 0.005 < (np.abs(drawn - np.asarray(Image.open("astronaut.jpg"), dtype=int)).max(2) > 30).mean() < 0.2
