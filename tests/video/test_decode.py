"""Clips' files: what is read, at which times, which way up; and what is said of those that are not."""

import contextlib
import os
import shutil
import subprocess

import numpy as np
import pytest
from video.clips import plain, write_clip

from hpe.errors import BadRequest, BrokenVideo, TooLarge, UnsupportedVideo
from hpe.video.decode import Bounds, Clip
from hpe.video.interlaced import READ_HERE

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs an ffmpeg to make this clip")


def read(path, **options):
    with Clip(path) as clip:
        return list(clip.read(**options))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mp4v"), ("a.webm", "VP80"), ("a.avi", "MJPG"), ("a.mkv", "VP80")]
)
def test_every_frame_comes_with_its_time(tmp_path, name, codec):
    frames = read(write_clip(tmp_path / name, plain(20), 25, codec))
    assert [frame.index for frame in frames] == list(range(20))
    assert np.allclose([frame.time for frame in frames], np.arange(20) / 25, atol=2e-3)
    assert all(frame.time == round(frame.time, 6) for frame in frames)  # 1.9 s, not 1.9000000000000001
    assert all(frame.rgb.shape == (48, 64, 3) and frame.rgb.dtype == np.uint8 for frame in frames)
    assert [round(float(frame.rgb.mean())) for frame in frames] == pytest.approx([40 + 4 * n for n in range(20)], abs=4)


def test_a_part_is_read_by_time_and_by_number(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", plain(30), 10)
    assert [frame.index for frame in read(clip, start=1.0, end=2.0)] == list(range(10, 20))
    assert [frame.index for frame in read(clip, first=25)] == [25, 26, 27, 28, 29]


@needs_ffmpeg
def test_a_clip_of_a_turned_phone_is_upright(tmp_path):
    lit = np.zeros((48, 64, 3), np.uint8)
    lit[:24] = 220
    clip = write_clip(tmp_path / "a.mp4", [lit] * 5)
    turned = tmp_path / "turned.mp4"
    ffmpeg("-i", clip, "-c", "copy", "-metadata:s:v", "rotate=90", turned)
    rgb = read(turned)[0].rgb
    assert rgb.shape == (64, 48, 3)
    assert rgb[:, :18].mean() > 150 > 100 > rgb[:, 30:].mean()  # as ffmpeg itself turns it


@needs_ffmpeg
def test_variable_rates_are_kept(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", plain(30), 10)
    slow = tmp_path / "slow.mp4"
    ffmpeg("-i", clip, "-vf", "select='lt(n,10)+not(mod(n,5))'", "-vsync", "vfr", "-c:v", "mpeg4", slow)
    times = [frame.time for frame in read(slow)]
    assert np.allclose(times, [*np.arange(10) / 10, 1.0, 1.5, 2.0, 2.5], atol=2e-3)


@needs_ffmpeg
def test_av1_is_refused_in_words(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", plain(5))
    made = ffmpeg("-i", clip, "-c:v", "libaom-av1", "-cpu-used", "8", tmp_path / "av1.mp4", check=False)
    if made:
        pytest.skip("this ffmpeg writes no AV1")
    with pytest.raises(UnsupportedVideo, match=r"AV1.*H\.264"):
        read(tmp_path / "av1.mp4")


INTERLACED = ["-vf", "noise=alls=20:allf=t", "-flags", "+ilme+ildct"]


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options", "interlaced"),
    [
        ("a.mpg", [*INTERLACED, "-c:v", "mpeg2video", "-q:v", "2"], True),
        ("a.mp4", [*INTERLACED, "-c:v", "libx264", "-x264opts", "interlaced=1"], True),
        ("a.mts", [*INTERLACED, "-c:v", "libx264", "-x264opts", "interlaced=1:cqm=jvt", "-f", "mpegts"], True),
        ("b.mp4", [*INTERLACED, "-c:v", "libx264", "-x264opts", "fake-interlaced=1"], True),
        ("b.mpg", ["-c:v", "mpeg2video"], False),
        ("c.mp4", ["-vf", "loop=20:1,trim=end_frame=15", "-c:v", "libx264"], False),  # one picture, still
    ],
)
def test_interlaced_clips_are_read_or_told(tmp_path, name, options, interlaced):
    clip = write_clip(tmp_path / "clip.avi", plain(15, 352, 288), 25, "MJPG")
    subprocess.run(["ffmpeg", "-v", "error", "-i", clip, *options, tmp_path / name], check=True)
    if interlaced and not READ_HERE:
        with pytest.raises(UnsupportedVideo, match=r"interlaced.*yadif"):
            read(tmp_path / name)
    else:
        frames = read(tmp_path / name)
        assert len(frames) == 15
        assert 30 < frames[0].rgb.mean() < 60


@needs_ffmpeg
def test_sound_alone_is_told(tmp_path):
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=0.3", "-c:a", "aac", tmp_path / "a.mp4"]
    subprocess.run(command, check=True)
    with pytest.raises(BrokenVideo, match="it has sound alone, or is damaged"):
        Clip(tmp_path / "a.mp4")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(BadRequest, match="a pipe or a device: save the clip in a file"):
        Clip(tmp_path / "pipe.mp4")


def test_a_clip_that_is_cut_off_gives_what_it_has_and_says_where_it_ends(tmp_path):
    clip = write_clip(tmp_path / "a.avi", noisy(60), 30, "MJPG")
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    seen = []
    with Clip(clip) as opened, pytest.raises(BrokenVideo, match=r"cut off after 0\.\d of 2\.0 s"):
        seen.extend(opened.read())
    assert 15 < len(seen) < 45


def noisy(count):
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(count)]


def test_an_mp4_without_its_index_is_called_cut_off(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", plain(20))
    data = clip.read_bytes()
    clip.write_bytes(data[: data.rindex(b"moov") - 4])
    with pytest.raises(BrokenVideo, match="index"):
        Clip(clip)


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"", BrokenVideo, "empty"),
        (b"hello", UnsupportedVideo, "MP4, MOV, WebM"),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n", UnsupportedVideo, "playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", UnsupportedVideo, "not a clip"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\n", UnsupportedVideo, "not a clip"),
        (b"\xff\xd8\xff\xe0 a photo", UnsupportedVideo, "hpe predict"),
        (b"\x1a\x45\xdf\xa3" + bytes(200), BrokenVideo, "damaged"),
        (b"RIFF\0\0\0\0AVI " + bytes(200), BrokenVideo, "damaged"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path, content, error, words):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(error, match=words):
        Clip(tmp_path / "a.mp4")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadRequest, match=r"nowhere\.mp4: No such file"):
        Clip(tmp_path / "nowhere.mp4")


def test_bounds_are_told_with_their_value_and_what_to_do(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", plain(30), 10)
    for bounds, words in (
        (Bounds(pixels=1000), "64x48 px; the limit is 1,000 px"),
        (Bounds(frames=20), "30 frames.*20 frames"),
        (Bounds(minutes=0.02), "cut it into shorter"),
    ):
        with pytest.raises(TooLarge, match=words):
            Clip(clip, bounds)


def test_nothing_is_left_of_a_clip_that_ends_before_the_part(tmp_path):
    with pytest.raises(BadRequest, match=r"ends after 0\.9 s"):
        read(write_clip(tmp_path / "a.mp4", plain(10), 10), start=5)


def test_damaged_clips_print_nothing(tmp_path, capfd):
    clip = write_clip(tmp_path / "a.avi", noisy(30), 30, "mp4v")
    data = bytearray(clip.read_bytes())
    for at in range(3000, len(data), 997):
        data[at] ^= 0x55
    clip.write_bytes(data)
    with contextlib.suppress(BrokenVideo):
        read(clip)
    assert capfd.readouterr() == ("", "")


def ffmpeg(*args, check=True):
    command = ["ffmpeg", "-y", "-loglevel", "error", *map(str, args)]
    return subprocess.run(command, check=check, timeout=60, capture_output=True).returncode
