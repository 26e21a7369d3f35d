"""Joints carried from one frame to the next by optical flow, and when they are not."""

import cv2
import numpy as np
import pytest
from video.clips import sample
from video.world import CARD, World

from hpe.video.flow import carried, grey_of
from hpe.video.follow import Follower

SURE = np.ones(6, np.bool_)
# On the person of the sample photo, and their box.
POINTS = np.array([[210.0, 90], [260, 90], [215, 170], [255, 170], [220, 230], [250, 230]])
BOX = np.array([190.0, 60, 285, 280])


@pytest.fixture
def rgb():
    """A photo with something to see everywhere."""
    photo = sample("astronaut", 480)
    noise = np.random.default_rng(1).integers(0, 60, (30, 40, 3), np.uint8)
    return np.maximum(photo, cv2.resize(noise, photo.shape[1::-1], interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize(
    "move",
    [
        [[1.0, 0, 6.5], [0, 1.0, -3.25]],
        [[1.03, 0, -8.0], [0, 1.03, -2.0]],
        [[np.cos(0.02), -np.sin(0.02), 5.0], [np.sin(0.02), np.cos(0.02), -6.0]],
    ],
    ids=["moved", "nearer", "turned"],
)
@pytest.mark.parametrize("times", [1, 3])
def test_joints_move_as_the_picture_does(rgb, move, times):
    # a large person is followed at a smaller size, to the same share of it
    rgb = cv2.resize(rgb, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    move = np.array(move)
    move[:, 2] *= times
    after = cv2.warpAffine(rgb, move, rgb.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    found = carried(grey_of(rgb), grey_of(after), times * POINTS, SURE, times * BOX)
    assert found is not None
    truth = times * POINTS @ move[:, :2].T + move[:, 2]
    assert np.abs(found - truth).max() < 0.008 * times * (BOX[3] - BOX[1])


def test_an_unsure_joint_moves_with_its_neighbours(rgb):
    after = np.roll(rgb, 5, axis=1)
    sure = SURE.copy()
    sure[0] = False
    points = POINTS.copy()
    points[0] = 5.0, 5.0
    found = carried(grey_of(rgb), grey_of(after), points, sure, BOX)
    assert found is not None
    assert found[0] == pytest.approx((10.0, 5.0), abs=0.3)


def test_who_is_covered_leaves_or_shows_nothing_to_follow_is_not_carried(rgb):
    covered = rgb.copy()
    covered[60:280, 190:285] = np.random.default_rng(2).integers(0, 255, (220, 95, 3), np.uint8)
    assert carried(grey_of(rgb), grey_of(covered), POINTS, SURE, BOX) is None
    gone = np.roll(rgb, 300, axis=1)
    assert carried(grey_of(rgb), grey_of(gone), POINTS, SURE, BOX) is None
    flat = np.full_like(rgb, 90)
    assert carried(grey_of(flat), grey_of(flat), POINTS, SURE, BOX) is None
    assert carried(grey_of(rgb), grey_of(rgb), POINTS + 2000, SURE, BOX + 2000) is None
    assert carried(grey_of(rgb), grey_of(rgb), POINTS, ~SURE, BOX) is None
    assert carried(grey_of(rgb), grey_of(rgb[:-2]), POINTS, SURE, BOX) is None


class Textured(World):
    """People whose whole box has something to see, the same in every frame."""

    def frame(self, number):
        rgb = World.frame(self, number)
        for k, (x, y, height, colour) in enumerate(self.people(number)):
            high, wide = int(height), int(0.6 * height)
            patch = np.random.default_rng(k).integers(0, 70, (high // 6, wide // 6, 3), np.uint8)
            patch = cv2.resize(patch, (wide, high), interpolation=cv2.INTER_CUBIC)
            whole = np.clip(patch + np.array(colour) // 2, 0, 255).astype(np.uint8)
            top, left = int(y - high / 2), int(x - wide / 2)
            rgb[top : top + high, left : left + wide] = whole
        return rgb


def follow(world, frames, every=5, fps=30.0):
    follower = Follower(world.detector, world.pose_network, CARD, every, 20)
    return [follower(world.frame(number), number / fps).tracks for number in range(frames)]


def one(number):
    return [(150.0 + 3 * number, 240, 200, (200, 40, 40))]


def test_the_pose_network_runs_in_every_other_frame_and_joints_stay_where_they_are():
    world = Textured(one)
    seen = follow(world, 40)
    assert world.detections == list(range(0, 40, 5))
    assert sum(world.crops) == 20
    for number, tracks in enumerate(seen):
        ((_, person),) = tracks
        assert person.points[:, 0].mean() == pytest.approx(150 + 3 * number, abs=1.0)
        assert (person.box[0] + person.box[2]) / 2 == pytest.approx(150 + 3 * number, abs=4)


@pytest.mark.parametrize(("every", "fps"), [(1, 30.0), (5, 12.0)])
def test_it_runs_in_every_frame_if_the_detector_does_and_where_frames_are_far_apart(every, fps):
    world = Textured(one)
    follow(world, 20, every, fps)
    assert sum(world.crops) == 20


def test_it_runs_in_every_frame_for_people_who_overlap():
    world = Textured(lambda n: [*one(n), (190.0 + 3 * n, 240, 200, (40, 40, 200))])
    follow(world, 20)
    assert sum(world.crops) == 40


def test_somebody_new_is_seen_by_the_network_until_they_count():
    world = Textured(lambda n: [*one(n), *([(480.0, 240, 200, (40, 40, 200))] if n >= 10 else [])])
    seen = follow(world, 20)
    assert len(seen[10]) == 2
    assert sum(world.crops) == 10 + 6  # of the newcomer the first three frames, and every other one of the seven after
    assert all(len(tracks) == 2 for tracks in seen[10:])
