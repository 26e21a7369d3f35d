"""`hpe.track` and `hpe.Tracker`, with the real model on clips made of the sample photos."""

import numpy as np
import pytest
from video.clips import panned, sample, write_clip

import hpe

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def estimator():
    return hpe.PoseEstimator(threads=1)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Twelve frames of a photo of several people, a pan of 3 px a frame."""
    return write_clip(tmp_path_factory.mktemp("clips") / "pan.mp4", panned(sample("people"), 12, 3.0))


def test_everybody_in_a_clip_has_an_identity_that_stays(clip, estimator):
    frames = list(hpe.track(clip, estimator=estimator))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time for frame in frames] == pytest.approx([n / 30 for n in range(12)], abs=2e-3)
    assert [frame.index for frame in frames if frame.detected][:2] == [0, 5]
    first, last = ({pose.id: pose for pose in frame.poses} for frame in (frames[0], frames[10]))
    photo = estimator(sample("people"))
    assert len(first) == len(photo) > 1
    for id in set(first) & set(last):
        moved = (last[id].points - first[id].points)[first[id].confident & last[id].confident]
        assert np.median(moved, axis=0) == pytest.approx([-30, 0], abs=6)


def test_a_frames_poses_are_those_of_the_photo(clip, estimator):
    frame = next(hpe.track(clip, estimator=estimator, smoothing=False))
    poses = sorted(estimator(frame.rgb), key=lambda pose: pose.box[0])
    for tracked, pose in zip(sorted(frame.poses, key=lambda pose: pose.box[0]), poses, strict=True):
        assert np.allclose(tracked.points, pose.points, atol=0.01)
        assert np.array_equal(tracked.raw, tracked.points)
        assert tracked.score == pytest.approx(pose.score)


def test_smoothing_keeps_the_raw_points(clip, estimator):
    smooth = list(hpe.track(clip, estimator=estimator))[6].poses[0]
    plain = list(hpe.track(clip, estimator=estimator, smoothing=False))[6].poses[0]
    assert np.array_equal(smooth.raw, plain.points)
    assert not np.array_equal(smooth.points, plain.points)


def test_ones_own_loop_gets_the_same_people(clip, estimator):
    tracker = hpe.Tracker(estimator)
    for n, rgb in enumerate(panned(sample("people"), 7, 3.0)):
        poses = tracker(rgb, n / 30)
    assert [pose.id for pose in poses] == sorted({pose.id for pose in poses})
    assert len(poses) == len(estimator(rgb))


def test_bad_options_are_named_before_the_first_frame(clip, estimator):
    for options, words in (
        ({"every": 0}, "every=0"),
        ({"max_people": 50}, "max_people=50"),
        ({"threshold": 30}, "threshold=30"),
        ({"start": 3, "end": 2}, "the start before the end"),
    ):
        with pytest.raises(hpe.BadSettings, match=words):
            hpe.track(clip, estimator=estimator, **options)
    with pytest.raises(hpe.UnsupportedVideo):
        hpe.track(__file__, estimator=estimator)


def test_a_time_that_goes_back_is_refused(estimator):
    tracker = hpe.Tracker(estimator)
    tracker(sample("astronaut", 160), 1.0)
    with pytest.raises(hpe.BadSettings, match="rising"):
        tracker(sample("astronaut", 160), 1.0)
