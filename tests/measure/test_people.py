"""Everybody in whole photos: known answers give known figures."""

import dataclasses

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from train.figures import stick_figure

from hpe.commands.evaluate import guess_kind
from hpe.measure import people as measured
from hpe.measure.box_ap import box_ap
from hpe.measure.found import Found, as_found
from hpe.measure.mosaic import mosaics
from hpe.measure.steadiness import steadiness
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX
from hpe.train.data.people import Photo

SIDE = 256


def photo(people: int = 1, ignore: bool = False, name: str = "a") -> Photo:
    """A picture of noise with people of 100x160 px side by side, all joints labelled."""
    rng = np.random.default_rng(7)
    picture = rng.integers(0, 256, (SIDE, SIDE * max(1, people), 3), np.uint8)
    points = stick_figure(1)[1]
    unit = (points - points.min(axis=0)) / np.ptp(points, axis=0)
    boxes = np.array([[SIDE * k + 50, 40, SIDE * k + 150, 200] for k in range(people)], np.float32).reshape(-1, 4)
    joints = np.ones((people, 16, 3), np.float32)
    for k, box in enumerate(boxes):
        joints[k, :, :2] = box[:2] + unit * (box[2:] - box[:2])
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    return Photo(name, encoded, boxes, np.full(people, ignore), joints)


def answer(one: Photo, shift_px: float = 0.0, score: float = 0.9, joint_score: float = 0.8) -> Found:
    """What a product would say that is `shift_px` off."""
    count = len(one.boxes)
    return Found(
        one.boxes.astype(np.float64) + shift_px,
        np.full(count, score),
        one.joints[:, :, :2].astype(np.float64) + shift_px,
        np.full((count, 16), joint_score),
    )


NOBODY = as_found([])


def test_right_answers_are_100_percent() -> None:
    photos = [photo(2), photo(1, name="b")]
    found = [answer(p) for p in photos]
    for name, value in (measured.box_precision(found, photos) | measured.oks_precision(found, photos)).items():
        assert value == pytest.approx(100, abs=0.01), name


def test_half_the_people_found_is_half_the_recall() -> None:
    photos = [photo(1), photo(1, name="b")]
    found = [answer(photos[0]), NOBODY]
    assert measured.box_precision(found, photos)["box AP50, all people"] == pytest.approx(50, abs=1)
    assert measured.oks_precision(found, photos)["OKS AP50 over 12 joints"] == pytest.approx(50, abs=1)
    assert measured.shown(found, photos)["of 2 people found (OKS 0.5)"] == 50


def test_nobody_found_is_zero_not_an_error() -> None:
    figures = measured.box_precision([NOBODY], [photo()]) | measured.oks_precision([NOBODY], [photo()])
    assert set(figures.values()) == {0.0}


def test_a_false_person_costs_precision_only_if_surer_than_the_right_one() -> None:
    one = photo()
    right = answer(one)
    strange = Found(
        np.concatenate([right.boxes, [[0, 210, 40, 250]]]),
        np.array([0.9, 0.5]),
        np.concatenate([right.points, right.points + 500]),
        np.ones((2, 16)),
    )
    assert measured.box_precision([strange], [one])["box AP50, people from 32 px"] == pytest.approx(100, abs=0.01)
    surer = dataclasses.replace(strange, scores=np.array([0.5, 0.9]))
    assert measured.box_precision([surer], [one])["box AP50, people from 32 px"] == pytest.approx(50, abs=0.5)
    assert measured.shown([strange], [one])["false people per 100 photos"] == 100


def test_areas_to_ignore_count_neither_way() -> None:
    ignored, one = photo(1, ignore=True), photo(1, name="b")
    for found in (answer(ignored), NOBODY):
        figures = measured.shown([found, answer(one)], [ignored, one])
        assert figures["false people per 100 photos"] == 0
        assert figures["of 1 photos without people: nobody found"] == 100
        assert box_ap([np.c_[found.boxes, found.scores], np.c_[one.boxes, [0.5]]], [ignored, one]) == pytest.approx(100)


def test_joints_are_near_up_to_a_tenth_of_the_box() -> None:
    one = photo()  # its longer side is 160 px
    name = "PCK@0.1 of the box, located people from 96 px"
    assert measured.joints_near([answer(one, 11.2)], [one])[name] == 100  # 15.8 px off
    assert measured.joints_near([answer(one, 11.5)], [one])[name] == 0  # 16.3 px


def test_joints_of_people_who_were_not_located_count_as_wrong() -> None:
    photos = [photo(), photo(name="b")]
    figures = measured.joints_near([answer(photos[0]), NOBODY], photos)
    assert figures["PCK@0.1 of the box, located people from 96 px"] == 100
    assert figures["PCK@0.1 of the box, all people from 96 px"] == 50


def test_reliability_says_how_many_joints_of_a_score_are_right() -> None:
    photos = [photo(), photo(name="b")]
    found = [answer(photos[0], joint_score=0.75), answer(photos[1], 20, joint_score=0.25)]
    assert measured.reliability(found, photos) == [
        (pytest.approx(0.25), 0.0, 12),
        (pytest.approx(0.75), 100.0, 12),
    ]


def test_a_half_length_portrait_has_shoulders_and_no_legs() -> None:
    joints = photo().joints[0].copy()
    assert not measured.is_portrait(joints)
    for side in ("left", "right"):
        joints[[INDEX[f"{side}_knee"], INDEX[f"{side}_ankle"]], 2] = 0
    assert measured.is_portrait(joints)


class Steady:
    """Finds the person where the picture says, `drift` px further each time it is asked."""

    def __init__(self, one: Photo, drift: float = 0.0, gone: bool = False, score: float = 0.9) -> None:
        self.one, self.drift, self.gone, self.score, self.calls = one, drift, gone, score, 0

    def __call__(self, rgb: np.ndarray) -> list[Pose]:
        self.calls += 1
        if self.gone and self.calls > 1:
            return []
        scale = rgb.shape[0] / SIDE
        shift = np.array([1.0 if self.calls == 5 else 0.0, 0.0])  # the fourth variant is the one that is shifted
        points = (self.one.joints[0, :, :2] + 0.5) * scale - 0.5 + shift + self.drift * (self.calls > 1)
        box = (self.one.boxes[0] + 0.5) * scale - 0.5 + np.tile(shift, 2)
        return [Pose(points.astype(np.float32), np.ones(16, np.float32), box.astype(np.float32), self.score, 0.2)]


def test_steadiness_undoes_what_was_done_to_the_photo() -> None:
    one = photo()
    figures = steadiness(Steady(one), [one])  # type: ignore[arg-type]
    values = list(figures.values())
    assert values[:2] == [0, 0]
    assert values[3] < 0.01
    drifting = list(steadiness(Steady(one, drift=8.0), [one]).values())  # type: ignore[arg-type]
    assert drifting[2] == pytest.approx(100 * 8 * 2**0.5 / 160, rel=0.1)


def test_steadiness_counts_people_who_go() -> None:
    one = photo()
    for score, sure in ((0.9, 100), (0.89, float("nan"))):
        figures = list(steadiness(Steady(one, gone=True, score=score), [one]).values())  # type: ignore[arg-type]
        assert figures[:2] == pytest.approx([100, sure], nan_ok=True)


def test_a_mosaic_has_every_photo_and_its_people_in_its_place() -> None:
    photos = [photo(name=name) for name in "abcde"]
    photos[3] = dataclasses.replace(photos[3], ignore=np.array([True]), faces=frozenset({0}))
    whole, rest = mosaics(photos, 2)
    rgb = whole.image()
    assert rgb.shape == (2 * SIDE, 2 * SIDE, 3)
    for k, one in enumerate(photos[:4]):
        x, y = k % 2 * SIDE, k // 2 * SIDE
        np.testing.assert_array_equal(rgb[y : y + SIDE, x : x + SIDE], one.image())
        np.testing.assert_array_equal(whole.boxes[k], one.boxes[0] + [x, y, x, y])
        np.testing.assert_allclose(whole.joints[k], one.joints[0] + [x, y, 0], rtol=1e-6)
    assert (whole.ignore.tolist(), whole.faces) == ([False, False, False, True], {3})
    assert not rest.image()[SIDE:].any()
    assert len(rest.boxes) == 1


def test_a_file_of_whole_photos_is_known_by_its_people(tmp_path) -> None:
    path = tmp_path / "people.json"
    path.write_text('[{"id": "a", "shard": "a.tar", "file": "a.webp", "people": []}]')
    assert guess_kind(path) == "people"


def test_hpe_eval_reports_whole_photos(tmp_path) -> None:
    """With the committed model, on a photo without anybody: every figure is there, and it finds nobody."""
    import io
    import json
    import tarfile

    from hpe.cli import main

    data = photo(0).encoded
    assert isinstance(data, bytes)
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        info = tarfile.TarInfo("a.png")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    rows = [{"id": "a", "shard": "a.tar", "file": "a.png", "width": SIDE, "height": SIDE, "people": []}]
    (tmp_path / "people.json").write_text(json.dumps(rows))
    result = CliRunner().invoke(
        main, ["eval", "--data", str(tmp_path / "people.json"), "--json", "--steadiness", "--mosaic", "2"]
    )
    assert result.exit_code == 0, result.output
    report = json.loads(result.output[result.output.index("{") :])
    assert report["photos"] == 1
    assert report["shares"]["of 1 photos without people: nobody found"] == 100
