"""Clips made of photos: their truth is exact, and identities are counted as MOTChallenge does."""

import cv2
import numpy as np
import pytest

from hpe.measure.made_clips import FRAMES, KINDS, Truth, made_clips
from hpe.measure.video import _count, _lag, _tremble
from hpe.pose.skeleton import INDEX, NUM_JOINTS
from hpe.train.data.samples import Photo
from hpe.video.result import TrackedPose


def photo(tmp_path, name: str, colour) -> Photo:
    """One person with a bright wrist on grey."""
    rgb = np.full((300, 400, 3), 80, np.uint8)
    rgb[60:280, 150:250] = colour
    joints = np.zeros((1, NUM_JOINTS, 3), np.float32)
    for number in range(NUM_JOINTS):
        joints[0, number] = (160 + 5 * number, 100 + 10 * number, 1)
    joints[0, INDEX["left_wrist"]] = (180, 200, 1)
    cv2.circle(rgb, (180, 200), 5, (255, 255, 255), cv2.FILLED)
    path = tmp_path / f"{name}.png"
    cv2.imwrite(str(path), rgb[..., ::-1])
    boxes = np.array([[150, 60, 250, 280]], np.float32)
    return Photo(name, path, boxes, np.zeros(1, np.bool_), joints)


@pytest.fixture
def clips(tmp_path):
    photos = [photo(tmp_path, f"p{n}", colour) for n, colour in enumerate([(150, 30, 30), (30, 30, 150)])]
    return {clip.kind: clip for clip in made_clips(photos, 8)}


def test_there_is_a_clip_of_every_kind(clips):
    assert set(clips) == set(KINDS)
    assert all(len(list(clip.frames())) == FRAMES for clip in clips.values())


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_where_the_picture_shows_the_joint(clips, kind):
    wrist = 9  # of COCO's 17
    moved = []
    for n, truth in enumerate(clips[kind].frames()):
        x, y, labelled = truth.labels[0, wrist]
        if labelled and n % 11 == 0:
            around = truth.rgb[int(y) - 12 : int(y) + 13, int(x) - 12 : int(x) + 13].astype(float).min(axis=2)
            ys, xs = np.nonzero(around > 215)
            assert (xs.mean() + int(x) - 12, ys.mean() + int(y) - 12) == pytest.approx((x, y), abs=1.5)
            moved.append((x, y))
    assert len(moved) >= 4
    assert (np.ptp(moved, axis=0).max() > 5) == (kind != "rest")


def test_who_is_covered_does_not_count(clips):
    ignored = [truth.ignore.tolist() for truth in clips["crossing"].frames()]
    assert [True, False] not in ignored
    assert [False, True] in ignored
    assert ignored[0] == ignored[-1] == [False, False]


def test_a_perfect_tracker_has_no_fault_and_a_swap_is_two_switches():
    motmetrics = pytest.importorskip("motmetrics")
    boxes = np.array([[0, 0, 50, 100], [200, 0, 250, 100]], float)
    truth = Truth(np.zeros((1, 1, 3), np.uint8), boxes, np.zeros((2, 17, 3)), np.zeros(2, bool))

    def person(id, box):
        return TrackedPose(
            points=np.zeros((16, 2)),
            scores=np.ones(16),
            box=box,
            score=1.0,
            threshold=0.5,
            id=id,
            raw=np.zeros((16, 2)),
        )

    for swapped, switches in ((False, 0), (True, 2)):
        accumulator = motmetrics.MOTAccumulator(auto_id=True)
        for n in range(6):
            ids = (2, 1) if swapped and n > 2 else (1, 2)
            _count(accumulator, truth, [person(id, box) for id, box in zip(ids, boxes, strict=True)])
        found = motmetrics.metrics.create().compute(accumulator, metrics=["num_switches", "mota"], name="x")
        assert found["num_switches"].iloc[0] == switches
        assert found["mota"].iloc[0] == pytest.approx(1 - switches / 12)


def test_lag_is_in_frames_and_tremble_in_percent():
    at = np.arange(60.0)
    truth = np.stack([np.stack([0.01 * at, 0 * at], axis=1)] * 4, axis=1)
    late = np.concatenate([truth[:1], truth[:1], truth[:-2]])
    behind, square = _lag(truth, late)
    assert behind / square == pytest.approx(2, abs=0.1)
    assert _tremble(truth) == pytest.approx(0, abs=1e-9)
    shaken = truth + 0.01 * (np.arange(60) % 2)[:, None, None] * [1, 0]
    assert _tremble(shaken) == pytest.approx(2)
