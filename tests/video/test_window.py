"""What is held back of a clip while its joints are smoothed: few frames, evenly given, and none lost."""

import numpy as np
import pytest
from video.clips import write_clip
from video.world import World, estimator_of

import hpe
from hpe.video.decode import Clip, Frame
from hpe.video.follow import Followed
from hpe.video.window import Raw, Window

RED = (200, 40, 40)


def raw(number, cut=False):
    return Raw(Frame(number, number / 30, np.zeros((8, 8, 3), np.uint8)), Followed([], False, cut), 1.0)


@pytest.mark.parametrize("cuts", [(), (30,), (30, 33)])
def test_frames_are_given_one_for_each_that_comes_so_that_drawing_them_never_waits_or_piles_up(cuts):
    came = 0

    def source():
        nonlocal came
        for came in range(1, 101):
            yield raw(came - 1, came - 1 in cuts)

    waiting = [came - 1 - frame.index for frame in Window(dict, 0.3, 30, smoothing=True)(source())]
    assert len(waiting) == 100
    steady = waiting[: 100 - max(waiting) - 1]
    assert max(steady) - min(steady) <= 1
    assert max(steady) <= 24


def test_a_clip_that_is_cut_off_gives_every_frame_that_can_be_read(tmp_path):
    world = World(lambda number: [(100 + 3 * number, 240, 200, RED)])
    clip = write_clip(tmp_path / "a.avi", [world.frame(n) for n in range(60)], 30, "MJPG")
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    read, tracked = [], []
    with Clip(clip) as opened, pytest.raises(hpe.BrokenVideo):
        read.extend(frame.index for frame in opened.read())
    with pytest.raises(hpe.BrokenVideo):
        tracked.extend(frame.index for frame in hpe.track(clip, estimator=estimator_of(world)))
    assert len(read) > 15
    assert tracked == read
