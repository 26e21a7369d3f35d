"""Everybody in whole photos: known answers give known figures."""

import dataclasses

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from train.figures import stick_figure

from hpe.commands.evaluate import guess_kind
from hpe.measure.found import Found, Seen, as_found
from hpe.measure.kinds import by_kind
from hpe.measure.ranking import box_precision, oks_precision
from hpe.measure.report import Report, as_markdown
from hpe.measure.shown import is_portrait, joints_near, reliability, shown
from hpe.measure.steadiness import Steadiness
from hpe.measure.turned import TURNS, Turned, back
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX, JOINTS
from hpe.score.box_ap import box_ap
from hpe.train.data.samples import Photo

SIDE = 256


def photo(people: int = 1, ignore: bool = False, name: str = "a") -> Photo:
    """A picture of noise with people of 100x160 px side by side, all joints labelled."""
    rng = np.random.default_rng(7)
    picture = rng.integers(0, 256, (SIDE, SIDE * max(1, people), 3), np.uint8)
    points = stick_figure(1)[1][:16]
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


def seen(found: list[Found], photos: list[Photo]) -> Seen:
    """Everybody found, ranked and shown, and no one in labelled boxes."""
    nobody = [np.zeros(0, np.intp)] * len(photos)
    return Seen(photos, ranked=found, shown=found, boxed=[NOBODY] * len(photos), who=nobody)


def test_right_answers_are_100_percent() -> None:
    photos = [photo(2), photo(1, name="b")]
    found = [answer(p) for p in photos]
    rows = box_precision(found, photos) | oks_precision(seen(found, photos))
    assert rows["12 joints, product's boxes"]["AP75"] == pytest.approx(100, abs=0.01)
    for name in ("boxes of all people", "boxes of people from 32 px", "12 joints, product's boxes"):
        for column in ("AP", "AP50"):
            assert rows[name][column] == pytest.approx(100, abs=0.01), name


def test_half_the_people_found_is_half_the_recall() -> None:
    photos = [photo(1), photo(1, name="b")]
    found = [answer(photos[0]), NOBODY]
    assert box_precision(found, photos)["boxes of all people"]["AP50"] == pytest.approx(50, abs=1)
    row = oks_precision(seen(found, photos))["12 joints, product's boxes"]
    assert (row["AP50"], row["AR"]) == pytest.approx((50, 50), abs=1)
    figure = shown(found, photos)["found"]
    assert (figure.value, figure.of) == (50, 2)


def test_nobody_found_is_zero_not_an_error() -> None:
    rows = box_precision([NOBODY], [photo()]) | oks_precision(seen([NOBODY], [photo()]))
    assert {value for row in rows.values() for value in row.values()} == {0.0}


def test_the_face_counts_where_the_model_finds_one() -> None:
    one = dataclasses.replace(photo(), face=np.full((1, 5, 3), 60, np.float32))
    names = (*JOINTS, "nose", "left_eye", "right_eye", "left_ear", "right_ear")
    right = answer(one)
    whole = dataclasses.replace(right, points=np.concatenate([right.points, one.face[:, :, :2]], axis=1))
    rows = oks_precision(seen([whole], [one]), names)
    assert rows["17 keypoints, product's boxes"]["AP"] == pytest.approx(100, abs=0.01)
    elsewhere = dataclasses.replace(whole, points=np.concatenate([right.points, one.face[:, :, :2] + 500], axis=1))
    rows = oks_precision(seen([elsewhere], [one]), names)
    assert rows["17 keypoints, product's boxes"]["AP75"] == 0  # 12 of 17 in their place are an OKS of 0.71
    assert rows["12 joints, product's boxes"]["AP"] == pytest.approx(100, abs=0.01)
    assert "17 keypoints, product's boxes" not in oks_precision(seen([right], [one]))


def test_a_false_person_costs_precision_only_if_surer_than_the_right_one() -> None:
    one = photo()
    right = answer(one)
    strange = Found(
        np.concatenate([right.boxes, [[0, 210, 40, 250]]]),
        np.array([0.9, 0.5]),
        np.concatenate([right.points, right.points + 500]),
        np.ones((2, 16)),
    )
    assert box_precision([strange], [one])["boxes of people from 32 px"]["AP50"] == pytest.approx(100, abs=0.01)
    surer = dataclasses.replace(strange, scores=np.array([0.5, 0.9]))
    assert box_precision([surer], [one])["boxes of people from 32 px"]["AP50"] == pytest.approx(50, abs=0.5)
    assert shown([strange], [one])["false_people"].value == 100


def test_areas_to_ignore_count_neither_way() -> None:
    ignored, one = photo(1, ignore=True), photo(1, name="b")
    for found in (answer(ignored), NOBODY):
        figures = shown([found, answer(one)], [ignored, one])
        assert figures["false_people"].value == 0
        assert (figures["nobody_found"].value, figures["nobody_found"].of) == (100, 1)
        assert box_ap([np.c_[found.boxes, found.scores], np.c_[one.boxes, [0.5]]], [ignored, one]) == pytest.approx(100)


def test_joints_are_near_up_to_a_tenth_of_the_box() -> None:
    one = photo()  # its longer side is 160 px
    assert joints_near(seen([answer(one, 11.2)], [one]))["pck_located"].value == 100  # 15.8 px off
    assert joints_near(seen([answer(one, 11.5)], [one]))["pck_located"].value == 0  # 16.3 px


def test_joints_of_people_who_were_not_located_count_as_wrong() -> None:
    photos = [photo(), photo(name="b")]
    figures = joints_near(seen([answer(photos[0]), NOBODY], photos))
    assert figures["pck_located"].value == 100
    assert figures["pck_everybody"].value == 50


def test_joints_in_the_labelled_boxes_are_a_figure_of_their_own() -> None:
    one = photo()
    whole = Seen([one], boxed=[answer(one)], who=[np.array([0])])
    assert joints_near(whole)["pck_labelled_boxes"].value == 100
    assert set(oks_precision(whole)) == {"12 joints, labelled boxes"}


def test_reliability_says_how_many_joints_of_a_score_are_right() -> None:
    photos = [photo(), photo(name="b")]
    found = [answer(photos[0], joint_score=0.75), answer(photos[1], 20, joint_score=0.25)]
    assert reliability(found, photos) == [
        (pytest.approx(0.25), 0.0, 12),
        (pytest.approx(0.75), 100.0, 12),
    ]


def test_a_half_length_portrait_has_a_face_shoulders_and_no_legs() -> None:
    one = dataclasses.replace(photo(), face=np.ones((1, 5, 3), np.float32))
    assert not is_portrait(one, 0)
    for side in ("left", "right"):
        one.joints[0, [INDEX[f"{side}_knee"], INDEX[f"{side}_ankle"]], 2] = 0
    assert is_portrait(one, 0)
    one.face[0, 1, 2] = 0  # an eye
    assert not is_portrait(one, 0)


class Steady:
    """Finds the person where the picture says, `drift` px further each time it is asked."""

    def __init__(self, one: Photo, drift: float = 0.0, gone: bool = False) -> None:
        self.one, self.drift, self.gone, self.calls = one, drift, gone, 0

    def __call__(self, rgb: np.ndarray) -> list[Pose]:
        self.calls += 1
        if self.gone:
            return []
        scale = rgb.shape[0] / SIDE
        shift = np.array([1.0 if self.calls == 4 else 0.0, 0.0])  # the fourth variant is the one that is shifted
        return [self.pose(scale, shift, self.drift)]

    def pose(self, scale: float = 1.0, shift: float | np.ndarray = 0.0, drift: float = 0.0, score: float = 0.9) -> Pose:
        points = (self.one.joints[0, :, :2] + 0.5) * scale - 0.5 + shift + drift
        box = (self.one.boxes[0].reshape(2, 2) + 0.5) * scale - 0.5 + shift
        return Pose(points.astype(np.float32), np.ones(16, np.float32), box.ravel().astype(np.float32), score, 0.2)


def steady(one: Photo, finds: Steady, score: float = 0.9) -> dict[str, float]:
    figures = Steadiness()
    figures.add(finds, one, one.image(), [finds.pose(score=score)])  # type: ignore[arg-type]
    return {name: figure.value for name, figure in figures.figures().items()}


def test_steadiness_undoes_what_was_done_to_the_photo() -> None:
    one = photo()
    figures = steady(one, Steady(one))
    assert (figures["come_or_go"], figures["sure_ones_gone"]) == (0, 0)
    assert figures["joint_moves_p95"] < 0.01
    drifting = steady(one, Steady(one, drift=8.0))
    assert drifting["joint_moves_median"] == pytest.approx(100 * 8 * 2**0.5 / 160, rel=0.1)


def test_steadiness_counts_people_who_go() -> None:
    one = photo()
    for score, sure in ((0.9, 100), (0.89, float("nan"))):
        figures = steady(one, Steady(one, gone=True), score)
        assert figures["come_or_go"] == 100
        assert figures["sure_ones_gone"] == pytest.approx(sure, nan_ok=True)


class Turning:
    """Finds the person in the photo of noise turned by these quarters, where they are then; in others nobody."""

    def __init__(self, one: Photo, finds_in: set[int]) -> None:
        self.one, self.finds_in, self.rgb = one, finds_in, one.image()

    def __call__(self, rgb: np.ndarray) -> list[Pose]:
        quarters = next(q for q in range(4) if np.array_equal(np.rot90(self.rgb, q), rgb))
        if quarters not in self.finds_in:
            return []
        # turned on by what is left to a whole turn, a photo is upright: `back` puts points of it where they are now
        one = back(answer(self.one), (4 - quarters) % 4, rgb.shape[:2])
        return [
            Pose(one.points[0].astype(np.float32), np.ones(16, np.float32), one.boxes[0].astype(np.float32), 0.9, 0.2)
        ]


def test_people_found_in_turned_photos_are_counted_where_they_are() -> None:
    one = dataclasses.replace(photo(), encoded=cv2.imencode(".png", photo(2).image()[:, : SIDE + 90])[1].tobytes())
    turned = Turned()
    finds = Turning(one, {0, 1, 3})
    turned.add(finds, one, finds.rgb, finds(finds.rgb))  # type: ignore[arg-type]
    figures = {name: figure.value for name, figure in turned.figures().items()}
    assert {degrees: figures[f"turned_{degrees}_found"] for degrees in TURNS.values()} == {90: 100, 180: 0, 270: 100}
    assert figures["turned_found"] == pytest.approx(200 / 3)


def test_photos_without_people_are_turned_as_well() -> None:
    empty, turned = photo(0), Turned()
    finds = Turning(photo(1), {2})  # of the same noise, cut otherwise: never found
    finds.rgb = empty.image()
    turned.add(finds, empty, finds.rgb, [])  # type: ignore[arg-type]
    silent = turned.figures()["turned_nobody_found"]
    assert (silent.value, silent.of) == (pytest.approx(200 / 3), 3)


def test_the_pages_tables_have_every_figure() -> None:
    report = Report("m", "a net", "64x64", False, "coco-val.json", 2, 1)
    photos = [photo(2)]
    found = [answer(photos[0])]
    report.average_precision = oks_precision(seen(found, photos))
    report.figures, report.kinds = shown(found, photos), by_kind(found, photos, 0.5)
    report.reliability = reliability(found, photos)
    page = as_markdown(report)
    for row in (
        "| 12 joints, product's boxes | 100.0 | 100.0 | 100.0 | 100.0 | - | 100.0 |",
        "| of 2 people found (OKS 0.5) | 100.0 % |",
        "| all | 2 | 100.0 | 24 | 100.0 | 0.0 | 0.0 |",
        "| are right, % | 100 |",
    ):
        assert row in page
    tables = [[line.count("|") for line in part.splitlines()] for part in page.split("\n\n")[1:]]
    assert all(len(set(columns)) == 1 for columns in tables)


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
        main, ["eval", "--data", str(tmp_path / "people.json"), "--json", "--steadiness", "--turned"]
    )
    assert result.exit_code == 0, result.output
    report = json.loads(result.output[result.output.index("{") :])
    assert report["photos"] == 1
    assert (report["figures"]["nobody_found"]["value"], report["figures"]["nobody_found"]["of"]) == (100, 1)
    assert report["kinds"]["from behind"]["people"] == 0
