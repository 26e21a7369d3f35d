"""Whether a person who was found is right, by people's labels."""

import numpy as np

from hpe.measure.found import Found
from hpe.measure.worth import quality, who_is_there
from hpe.train.data.samples import Photo

POINTS = np.random.default_rng(0).uniform(20, 180, (16, 2))


def photo(labelled: bool = True, ignore: bool = False) -> Photo:
    joints = np.concatenate([POINTS, np.full((16, 1), float(labelled))], axis=1).astype(np.float32)[None]
    return Photo("a", b"", np.array([[10, 10, 190, 190]], np.float32), np.array([ignore]), joints)


def found(*shifts: float) -> Found:
    boxes = np.array([[10, 10, 190, 190]] * len(shifts), np.float64)
    points = np.stack([POINTS + shift for shift in shifts])
    return Found(boxes, np.linspace(0.9, 0.5, len(shifts)), points, np.ones((len(shifts), 16)))


def test_a_skeleton_in_its_place_is_right_at_every_step_and_one_elsewhere_at_none() -> None:
    worth, known = quality(found(0.0), photo())
    assert worth.tolist() == [1.0]
    worth, known = quality(found(150.0), photo())
    assert (worth.tolist(), known.tolist()) == ([0.0], [True])


def test_the_further_off_the_fewer_steps() -> None:
    worths = [float(quality(found(shift), photo())[0][0]) for shift in (0.0, 6.0, 12.0, 20.0)]
    assert worths == sorted(set(worths), reverse=True)


def test_the_second_skeleton_on_one_person_is_wrong() -> None:
    worth, known = quality(found(0.0, 1.0), photo())
    assert (worth[0] > 0, worth[1], known.tolist()) == (True, 0.0, [True, True])


def test_nobody_knows_about_people_without_joints_and_areas_to_ignore() -> None:
    for one in (photo(labelled=False), photo(ignore=True)):
        assert quality(found(0.0), one)[1].tolist() == [False]
    assert who_is_there(found(0.0), photo(labelled=False))[0].tolist() == [True]
    assert who_is_there(found(0.0), photo(ignore=True))[1].tolist() == [False]
