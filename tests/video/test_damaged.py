"""Two hundred damaged clips: each is read, in part or whole, or refused in words; none crashes, hangs or prints."""

import random
import subprocess
import sys
from pathlib import Path

from video.clips import plain, write_clip

# In a process of its own, so that a crash is seen as one and a hang ends.
READ = """
import resource, sys, time
from hpe.errors import HpeError
from hpe.video.decode import Bounds, Clip
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
for name in sys.argv[1:]:
    began, count = time.monotonic(), 0
    try:
        with Clip(name, Bounds(pixels=4_000_000, minutes=1, frames=500)) as clip:
            for frame in clip.read():
                assert frame.rgb.ndim == 3
                count += 1
        told = "whole"
    except HpeError as error:
        told = f"{type(error).__name__}: {error}"
    assert time.monotonic() - began < 60, name
    print(name.rsplit("/", 1)[1], count, told, sep="|")
"""


def damaged(folder: Path) -> list[Path]:
    """Cut, flipped, with wrong headers, of one frame, of no rate, and of huge sizes."""
    chance = random.Random(7)
    sources = [
        write_clip(folder / f"whole{number}{suffix}", plain(12), 10, codec)
        for number, (suffix, codec) in enumerate(
            [(".mp4", "mp4v"), (".webm", "VP80"), (".avi", "mp4v"), (".avi", "MJPG"), (".mkv", "VP80")]
        )
    ]
    made = []
    for source in sources:
        data = source.read_bytes()
        for n in range(10):
            made.append((source, "cut", data[: len(data) * (n + 1) // 12]))
            flipped = bytearray(data)
            for _ in range(3 * (n + 1)):
                flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            made.append((source, "flipped", bytes(flipped)))
        for n in range(8):
            header = bytearray(data)
            at = 4 * n + 4
            header[at : at + 4] = chance.randbytes(4)
            made.append((source, "header", bytes(header)))
            # numbers of the header, sizes and rates among them, as large or as small as they can be
            field = bytearray(data)
            at = chance.randrange(32, min(len(data), 600))
            field[at : at + 4] = (b"\xff\xff\xff\xff", b"\0\0\0\0")[n % 2]
            made.append((source, "field", bytes(field)))
        made += [(source, "doubled", data + data), (source, "late", data[len(data) // 3 :])]
        made += [(source, "started", data[:64] + bytes(5000)), (source, "padded", data + bytes(5000))]
    files = []
    for number, (source, kind, content) in enumerate(made):
        files.append(folder / f"{number:03d}-{kind}{source.suffix}")
        files[-1].write_bytes(content)
    return files


def test_two_hundred_damaged_clips_are_answered_in_words(tmp_path):
    files = damaged(tmp_path)
    assert len(files) == 200
    command = [sys.executable, "-c", READ, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    answers = [line.split("|") for line in done.stdout.splitlines()]
    assert len(answers) == 200
    for name, _, told in answers:
        assert told == "whole" or len(told) < 300, name
        assert "Traceback" not in told
    assert sum(told != "whole" for *_, told in answers) > 50


def test_a_clip_of_one_frame_is_a_clip(tmp_path):
    from hpe.video.decode import Clip

    with Clip(write_clip(tmp_path / "a.mp4", plain(1))) as clip:
        assert len(list(clip.read())) == 1
