"""Who is who from frame to frame, told by stand-ins whose truth is known."""

import json

import numpy as np
from video.world import CARD, World

from hpe.video.follow import Follower

RED, BLUE, GREEN = (200, 40, 40), (40, 40, 200), (40, 200, 40)
FPS = 30


def follow(world: World, frames: range, every: int = 5, follower: Follower | None = None):
    """-> for each frame {identity: x of the person}, and the follower."""
    follower = follower or Follower(world.detector, world.pose_network, CARD, every, 20)
    seen = []
    for number in frames:
        found = follower(world.frame(number), number / FPS)
        seen.append({follower.ids[key]: person for key, person in found.tracks if key in follower.ids})
    return seen, follower


def test_people_who_walk_keep_their_identities():
    world = World(lambda n: [(100 + 3 * n, 240, 200, RED), (500 - 2 * n, 240, 180, BLUE)], noise=1.0)
    seen, _ = follow(world, range(60))
    for number, people in enumerate(seen):
        assert set(people) == {1, 2}
        by_x = {id: float(np.mean(person.points[:, 0])) for id, person in people.items()}
        truth = sorted(((100 + 3 * number), (500 - 2 * number)))
        assert np.allclose(sorted(by_x.values()), truth, atol=6)
    first = {id: person.points[:, 0].mean() for id, person in seen[0].items()}
    red = min(first, key=lambda id: abs(first[id] - 100))
    assert abs(seen[-1][red].points[:, 0].mean() - (100 + 3 * 59)) < 6


class Doubtful(World):
    """The detector doubts whoever is green, until a frame."""

    until, doubt = 0, 0.4

    def detector(self, rgb, most):
        boxes, located = super().detector(rgb, most)
        number = self.number(rgb)
        return boxes, np.where(
            [p[3] == GREEN and number < self.until for p in self.people(number)], self.doubt, located
        )


def test_what_is_never_more_than_doubtful_is_nobody_and_has_its_identity_once_it_is_sure():
    world = Doubtful(lambda n: [(100, 240, 200, RED), None if n < 8 else (500, 240, 180, GREEN)])
    for until, at_the_end in ((100, {1}), (30, {1, 2}), (0, {1, 2})):
        world.until = until
        seen, follower = follow(world, range(45))
        assert set(seen[-1]) == at_the_end
        assert {id for people in seen[:until] for id in people} == ({1} if until else set())
        assert len(follower.tracks) == 2, "it is followed all the same"


def test_who_is_half_behind_somebody_is_somebody_only_for_sure():
    for x, doubt, at_the_end in ((345, 0.6, {1}), (500, 0.6, {1, 2}), (345, 0.9, {1, 2})):
        world = Doubtful(lambda n, x=x: [(300, 240, 200, RED), None if n < 8 else (x, 240, 200, GREEN)])
        world.until, world.doubt = 100, doubt
        seen, _ = follow(world, range(30))
        assert set(seen[-1]) == at_the_end, (x, doubt)


def test_the_detector_runs_in_every_fifth_frame_and_one_person_costs_one_crop_between():
    world = World(lambda n: [(200 + n, 240, 200, RED)])
    follow(world, range(20))
    assert world.detections == [0, 5, 10, 15]
    assert world.crops == [1] * 20


def test_below_25_frames_a_second_the_detector_runs_by_time_and_in_every_other_frame_at_most():
    for fps, every, expected in ((12.5, 5, 3), (10, 5, 2), (1, 5, 2), (10, 10, 4), (24, 5, 5), (60, 5, 5), (10, 1, 1)):
        world = World(lambda n: [(200, 240, 200, RED)])
        follower = Follower(world.detector, world.pose_network, CARD, every, 20)
        for number in range(21):
            follower(world.frame(number), number / fps)
        assert set(np.diff(world.detections)) == {expected}, fps


def test_who_is_lost_is_looked_for_in_the_same_frame():
    # a jump that no crop can follow
    world = World(lambda n: [(150 if n < 7 else 240, 240, 200, RED)])
    seen, _ = follow(world, range(12))
    assert 7 in world.detections
    assert [set(people) for people in seen] == [{1}] * 12


def test_somebody_hidden_for_half_a_second_comes_back_as_themselves():
    def path(n):
        return [None if 20 <= n < 35 else (100 + 4 * n, 240, 200, RED), (320, 200, 150, BLUE)]

    seen, _ = follow(World(path, noise=0.5), range(70))
    assert all(len(people) == 1 for people in seen[21:34])
    assert {id for people in seen for id in people} == {1, 2}
    assert set(seen[69]) == {1, 2}


def test_somebody_of_other_colours_in_the_same_place_is_somebody_else():
    def path(n):
        return [(300, 240, 200, RED) if n < 20 else None if n < 30 else (300, 240, 200, GREEN)]

    seen, _ = follow(World(path), range(60))
    assert set(seen[10]) == {1}
    assert set(seen[59]) == {2}


def test_somebody_of_whom_too_little_is_seen_at_first_to_know_them_comes_back_as_themselves():
    # behind a sign at first, whose colours are seen instead of theirs
    def path(n):
        return [None if 20 <= n < 35 else (100 + 4 * n, 240, 200, GREEN if 35 <= n < 37 else RED)]

    seen, follower = follow(World(path), range(60))
    assert set(seen[50]) == {1}
    assert follower.people == 1
    assert all(len(people) <= 1 for people in seen)


def test_who_walks_out_from_behind_a_sign_is_not_who_stands_behind_it():
    def path(n):
        walker = None if 20 <= n < 30 else (200 + 4 * n, 240, 200, BLUE if 30 <= n < 34 else RED)
        return [walker, None if 30 <= n < 52 else (322, 240, 190, BLUE)]

    seen, follower = follow(World(path), range(75))
    assert set(seen[19]) == {1, 2}
    assert set(seen[30]) == {2}, "taken for who stood there, whose colours it has"
    red, blue = (
        float(seen[74][id].points[:, 0].mean()) for id in sorted(seen[74], key=lambda id: seen[19][id].points[0, 0])
    )
    assert abs(red - (200 + 4 * 74)) < 8
    assert abs(blue - 322) < 8
    assert follower.people == 2


def test_two_who_cross_do_not_swap():
    def path(n):
        near, far = 120 + 6 * n, 520 - 6 * n
        hidden = abs(near - far) < 60  # the one behind is covered
        return [(near, 250, 220, RED), None if hidden else (far, 235, 190, BLUE)]

    seen, _ = follow(World(path, noise=1.0), range(66))
    first = {id: person.points[:, 0].mean() for id, person in seen[3].items()}
    last = {id: person.points[:, 0].mean() for id, person in seen[65].items()}
    assert set(first) == set(last) == {1, 2}
    assert all((first[id] < 320) != (last[id] < 320) for id in (1, 2))


def test_somebody_of_whom_only_the_wrong_side_shows_comes_back_on_the_other_as_themselves():
    def path(n):
        near, far = 120 + 6 * n, 520 - 6 * n
        # behind the other, what shows of them goes along with the one in front
        return [(near, 250, 220, RED), (near + 50 if 28 <= n < 39 else far, 240, 190, BLUE)]

    seen, _ = follow(World(path, noise=0.5), range(66))
    assert {id for people in seen for id in people} == {1, 2}
    first = {id: person.points[:, 0].mean() for id, person in seen[3].items()}
    last = {id: person.points[:, 0].mean() for id, person in seen[65].items()}
    assert all((first[id] < 320) != (last[id] < 320) for id in (1, 2))


def test_never_two_tracks_on_one_person():
    # two who stood side by side become one: the other has left behind them
    def path(n):
        return [(300, 240, 200, RED), (300 + 90 - 6 * n, 240, 200, BLUE) if n < 15 else None]

    seen, _ = follow(World(path), range(40))
    assert len(seen[2]) == 2
    assert all(len(people) == 1 for people in seen[16:])


def test_what_flickers_is_nobody():
    def path(n):
        return [(150, 240, 200, RED), (450, 240, 150, BLUE) if n == 10 else None]

    seen, follower = follow(World(path), range(40))
    assert list(follower.ids.values()) == [1]
    assert all(set(people) == {1} for people in seen)


def test_a_cut_ends_every_track():
    class Cut(World):
        def frame(self, number):
            rgb = World.frame(self, number)
            if number >= 12:
                rgb[32:] = 255 - rgb[32:]
            return rgb

    world = Cut(lambda n: [(200, 240, 200, RED)] if n < 12 else [(420, 240, 180, BLUE)])
    seen, _ = follow(world, range(20))
    assert 12 in world.detections
    assert set(seen[11]) == {1}
    assert set(seen[12]) == {2}


def test_no_more_people_than_asked_for():
    world = World(lambda n: [(60 + 100 * k, 240, 120, RED) for k in range(6)])
    follower = Follower(world.detector, world.pose_network, CARD, 5, 3)
    seen, _ = follow(world, range(12), follower=follower)
    assert all(len(people) == 3 for people in seen)


def test_a_follower_that_is_restored_goes_on_as_if_nothing_had_happened():
    def path(n):
        return [(100 + 3 * n, 240, 200, RED), None if 25 <= n < 33 else (500 - 2 * n, 240, 180, BLUE)]

    whole, _ = follow(World(path), range(60))
    _, before = follow(World(path), range(28))
    world = World(path)
    after = Follower(world.detector, world.pose_network, CARD, 5, 20)
    after.restore(json.loads(json.dumps(before.state())))
    rest, _ = follow(world, range(28, 60), follower=after)
    for one, other in zip(whole[28:], rest, strict=True):
        assert set(one) == set(other)
        for id in one:
            assert np.allclose(one[id].points, other[id].points)
