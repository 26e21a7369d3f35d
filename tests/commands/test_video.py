"""`hpe video`, with stand-ins for the networks whose truth is known: what is written, gone on with, and said."""

import csv
import json
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from video.clips import write_clip
from video.world import World, estimator_of

import hpe.commands.video.live
import hpe.commands.video.run  # noqa: F401 (before stand-ins take the estimator's place)
from hpe.cli import main
from hpe.video.decode import Clip
from hpe.video.write import ClipWriter

RED, BLUE = (200, 40, 40), (40, 40, 200)
FRAMES = 60


def path(number):
    return [(100 + 3 * number, 240, 200, RED), (500, 240, 180, BLUE)]


@pytest.fixture
def world(monkeypatch):
    made = World(path)
    monkeypatch.setattr("hpe.engine.estimator.PoseEstimator", lambda *_, **__: estimator_of(made))
    return made


@pytest.fixture
def clip(tmp_path):
    world = World(path)
    return write_clip(tmp_path / "clip.mp4", [world.frame(n) for n in range(FRAMES)])


@pytest.fixture
def no_ffmpeg(monkeypatch):
    monkeypatch.setattr("hpe.video.ffmpeg.shutil.which", lambda name: None)


def run(*args):
    return CliRunner().invoke(main, ["video", *map(str, args)])


def frames_of(clip):
    with Clip(clip) as opened:
        return list(opened.read())


def test_a_clip_is_drawn_beside_its_original(world, clip, no_ffmpeg):
    result = run(clip)
    assert result.exit_code == 0, result.output
    drawn = frames_of(clip.with_name("clip.pose.webm"))
    assert [frame.index for frame in drawn] == list(range(FRAMES))
    assert drawn[-1].time == pytest.approx((FRAMES - 1) / 30, abs=2e-3)
    plain = frames_of(clip)
    for number in (0, 30, 59):
        change = np.abs(drawn[number].rgb.astype(int) - plain[number].rgb).max(axis=2) > 60
        _, xs = np.nonzero(change[:, : 300 + number])
        assert abs(xs.mean() - (100 + 3 * number)) < 20, "the skeleton is where the person is"
    assert "2 people" in result.output
    assert "VP8 without sound, since no ffmpeg is on the path" in result.output
    assert list(clip.parent.glob(".hpe-*")) == list(clip.parent.glob("*.part.jsonl")) == []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs an ffmpeg")
def test_with_ffmpeg_mp4_is_h264(world, clip, tmp_path):
    assert run(clip, "-o", tmp_path / "drawn.mp4").exit_code == 0
    capture = cv2.VideoCapture(str(tmp_path / "drawn.mp4"))
    assert int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little") in (b"h264", b"avc1")
    assert len(frames_of(tmp_path / "drawn.mp4")) == FRAMES


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs an ffmpeg")
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_with_ffmpeg_odd_sides_are_made_even_and_colours_stay(clip, tmp_path, suffix):
    rgb = np.full((49, 65, 3), 90, np.uint8)
    rgb[:, :30] = RED
    rgb[:, 50:] = BLUE
    writer = ClipWriter(tmp_path / "a", suffix, (65, 49), 30.0, clip)
    for number in range(5):
        writer.write(rgb, number / 30)
    writer.close()
    frames = frames_of(tmp_path / "a")
    assert len(frames) == 5
    assert frames[2].rgb.shape == (50, 66, 3)
    for x, colour in ((10, RED), (40, (90, 90, 90)), (60, BLUE)):
        assert np.abs(frames[2].rgb[25, x].astype(int) - colour).max() < 12


def test_tracks_are_a_row_for_each_person_in_each_frame(world, clip, tmp_path):
    outs = [tmp_path / f"tracks.{suffix}" for suffix in ("jsonl", "csv", "parquet")]
    result = run(clip, *(part for out in outs for part in ("-o", out)))
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in outs[0].read_text().splitlines()]
    assert [(line["frame"], line["id"]) for line in lines] == [(n, id) for n in range(FRAMES) for id in (1, 2)]
    assert lines[20]["time"] == pytest.approx(10 / 30, abs=2e-3)
    assert set(lines[0]) == {"frame", "time", "id", "score", "box", "threshold", "keypoints", "raw", "angles"}
    x, y, score = lines[0]["keypoints"]["pelvis"]
    assert score == pytest.approx(0.9)
    assert lines[0]["raw"]["pelvis"] == pytest.approx([x, y], abs=3)
    table = pd.read_csv(outs[1])
    assert list(table["id"]) == [line["id"] for line in lines]
    assert list(table["pelvis_x"]) == [line["keypoints"]["pelvis"][0] for line in lines]
    columnar = pd.read_parquet(outs[2])
    assert list(columnar.columns) == list(table.columns)
    assert np.allclose(columnar["pelvis_x"], table["pelvis_x"])
    assert next(csv.reader(outs[1].open()))[:4] == ["frame", "time", "id", "score"]


class Stopped(World):
    """Ctrl-C in the middle of a frame."""

    def pose_network(self, rgb, boxes):
        if self.number(rgb) == 55:
            raise KeyboardInterrupt
        return World.pose_network(self, rgb, boxes)


@pytest.mark.parametrize("name", ["tracks.jsonl", "drawn.webm"])
def test_an_interrupted_run_goes_on_where_it_stopped(monkeypatch, clip, tmp_path, name, no_ffmpeg):
    once, again = Stopped(path), World(path)
    out, whole = tmp_path / name, tmp_path / f"whole-{name}"
    for world, target in ((World(path), whole), (once, out), (again, out)):
        monkeypatch.setattr("hpe.engine.estimator.PoseEstimator", lambda *_, world=world, **__: estimator_of(world))
        result = run(clip, "-o", target)
        if world is once:
            assert result.exit_code == 130
            assert "run it again to go on" in result.output
            assert not out.exists()
    assert len(again.crops) == FRAMES - 50, "what was found before is not looked for again"
    if name.endswith("jsonl"):
        first, second = ([json.loads(line) for line in p.read_text().splitlines()] for p in (whole, out))
        for one, other in zip(first, second, strict=True):
            assert (one["frame"], one["id"]) == (other["frame"], other["id"])
            assert one["keypoints"]["left_knee"] == pytest.approx(other["keypoints"]["left_knee"], abs=0.2)
    else:
        assert len(frames_of(out)) == FRAMES


def test_a_journal_of_other_options_is_not_mixed_in(monkeypatch, clip, tmp_path):
    monkeypatch.setattr("hpe.engine.estimator.PoseEstimator", lambda *_, **__: estimator_of(Stopped(path)))
    run(clip, "-o", tmp_path / "t.jsonl")
    monkeypatch.setattr("hpe.engine.estimator.PoseEstimator", lambda *_, **__: estimator_of(World(path)))
    result = run(clip, "-o", tmp_path / "t.jsonl", "--every", "3")
    assert result.exit_code == 1
    assert "every 5, now 3" in result.output
    assert "--overwrite" in result.output
    assert run(clip, "-o", tmp_path / "t.jsonl", "--every", "3", "--overwrite").exit_code == 0


def test_a_result_that_is_there_is_not_written_over(world, clip, tmp_path):
    (tmp_path / "t.jsonl").write_text("mine")
    result = run(clip, "-o", tmp_path / "t.jsonl")
    assert result.exit_code == 1
    assert "is there already" in result.output
    assert (tmp_path / "t.jsonl").read_text() == "mine"


def test_a_part_has_the_clips_own_times(world, clip, tmp_path):
    assert run(clip, "--start", "0.5", "--end", "0:01", "-o", tmp_path / "t.jsonl").exit_code == 0
    times = [json.loads(line)["time"] for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert min(times) == pytest.approx(0.5, abs=0.01)
    assert max(times) == pytest.approx(1 - 1 / 30, abs=0.01)


def test_a_clip_that_cannot_be_read_is_told_and_the_others_are_done(world, clip, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"not a clip")
    folder = tmp_path / "out/"
    folder.mkdir()
    result = run(bad, clip, "-o", f"{folder}/")
    assert result.exit_code == 1
    assert "bad.mp4: this is not a clip of a kind that is read here" in result.output
    assert (folder / "clip.pose.webm").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "give a clip, or --camera 0"),
        (("a.mp4", "-o", "a.mp4"), "would overwrite the clip"),
        (("a.mp4", "-o", "tracks.txt"), ".webm .mp4"),
        (("a.mp4", "b.mp4", "-o", "t.csv"), "give a folder"),
        (("a.mp4", "--start", "5", "--end", "2"), "the start comes before the end"),
        (("a.mp4", "--start", "soon"), "like 75 or 1:15"),
        (("a.mp4", "--camera", "0"), "--camera is live"),
        (("--camera", "99", "-o", "-"), "camera 99 cannot be opened"),
        (("nowhere.mp4",), "nowhere.mp4: No such file"),
    ],
)
def test_mistakes_are_named(world, args, words):
    result = run(*args)
    assert result.exit_code in (1, 2)
    assert words in result.output
    assert "Traceback" not in result.output
