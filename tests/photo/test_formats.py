"""hpe.photo: what other tools read, read by those tools."""

import contextlib
import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from commands.test_predict import Fake
from PIL import Image

from hpe.cli import main
from hpe.commands.predict import work
from hpe.photo import coco, openpose, svg, yolo
from hpe.photo.answer import Answer
from hpe.photo.formats import FORMATS
from hpe.photo.tables import as_csv, header
from hpe.pose.angles import ANGLES
from hpe.pose.result import Pose
from hpe.pose.skeleton import COCO_JOINTS, INDEX, JOINTS, KEYPOINTS, LIMBS

SVG = "{http://www.w3.org/2000/svg}"
SIZE = (320, 240)


def pose(
    x: float = 100,
    y: float = 20,
    height: float = 200,
    score: float = 0.8,
    unsure: tuple[str, ...] = (),
    names: tuple[str, ...] = JOINTS,
) -> Pose:
    """A person who stands upright, facing the camera; joints named in `unsure` score 0.05."""
    places = {
        "ankle": (0.06, 1.0), "knee": (0.06, 0.75), "hip": (0.06, 0.5), "shoulder": (0.1, 0.2), "elbow": (0.16, 0.35),
        "wrist": (0.18, 0.5), "pelvis": (0, 0.5), "thorax": (0, 0.2), "upper_neck": (0, 0.16), "head_top": (0, 0.0),
        "nose": (0, 0.09), "eye": (0.02, 0.07), "ear": (0.05, 0.08),
    }  # fmt: skip
    points = np.zeros((len(names), 2), np.float32)
    for at, name in enumerate(names):
        across, down = places[name.removeprefix("left_").removeprefix("right_")]
        sign = 1 if name.startswith("left_") else -1
        points[at] = x + sign * across * height, y + down * height
    scores = np.array([0.05 if name in unsure else 0.5 + 0.02 * n for n, name in enumerate(names)], np.float32)
    box = np.array([*points.min(0), *points.max(0)], np.float32)
    return Pose(points, scores, box, score, 0.2, SIZE)


def answer(*people: Pose, file: str = "a.jpg") -> Answer:
    return Answer(people, *SIZE, SIZE, 0.2, {"name": "m", "sha256": "0" * 64}, {}, file)


def line(answer: Answer, format: str) -> str:
    write = FORMATS[format].line
    assert write is not None
    return write(answer)


# --- COCO


def test_coco_has_the_joints_that_both_know_and_zeros_for_the_face() -> None:
    one = pose()
    keypoints = np.reshape(one.to_coco()["keypoints"], (17, 3))
    assert np.array_equal(keypoints[:5], np.zeros((5, 3)))
    for name, (x, y, score) in zip(COCO_JOINTS[5:], keypoints[5:], strict=True):
        assert (x, y) == pytest.approx(tuple(one.points[INDEX[name]]), abs=0.01)
        assert score == pytest.approx(one.scores[INDEX[name]], abs=1e-4)
    assert one.to_coco()["bbox"] == pytest.approx([64, 20, 72, 200], abs=0.01)


def test_coco_edges_join_what_ours_join() -> None:
    named = {frozenset((COCO_JOINTS[a - 1], COCO_JOINTS[b - 1])) for a, b in coco.EDGES}
    ours = {frozenset((JOINTS[a], JOINTS[b])) for a, b in LIMBS}
    corners = {"left_shoulder", "right_shoulder", "left_hip", "right_hip"}
    face = set(COCO_JOINTS[:5])
    assert {edge for edge in named if not edge <= corners and not edge & face} <= ours
    # COCO's trunk has no middle
    assert len({edge for edge in named if edge <= corners}) == 4
    assert len(named) == 19


def test_an_unsure_joint_is_not_labelled_in_a_dataset_and_scored_in_results() -> None:
    found = answer(pose(unsure=("left_wrist",)))
    wrist = 3 * COCO_JOINTS.index("left_wrist")
    (marked,) = coco.annotations(found, 1, 1)
    assert marked["keypoints"][wrist : wrist + 3] == [0, 0, 0]
    assert marked["num_keypoints"] == 11
    (scored,) = coco.results(found, 1)
    assert scored["keypoints"][wrist : wrist + 3] == pytest.approx([136, 120, 0.05], abs=0.01)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["val/000000123456.jpg", "7.png"], [123456, 7]),
        (["7.png", "a7.jpg"], [1, 2]),
        (["a/0001.jpg", "b/0001.jpg"], [1, 2]),
        (["x/day.jpg", "\u0663.jpg", f"{'9' * 30}.jpg"], [1, 2, 3]),
    ],
)
def test_ids_are_cocos_numbers_or_all_counted(files: list[str], expected: list[int]) -> None:
    assert coco.ids_of(files) == expected


# --- OpenPose


def test_openpose_has_25_joints_with_the_unsure_ones_empty() -> None:
    one = pose(unsure=("right_wrist",))
    (person,) = openpose.document(answer(one))["people"]
    body = np.reshape(person["pose_keypoints_2d"], (25, 3))
    known = {1: "thorax", 2: "right_shoulder", 5: "left_shoulder", 7: "left_wrist", 8: "pelvis", 9: "right_hip"}
    known |= {10: "right_knee", 11: "right_ankle", 12: "left_hip", 13: "left_knee", 14: "left_ankle"}
    for at, name in known.items():
        assert tuple(body[at, :2]) == pytest.approx(tuple(one.points[INDEX[name]]), abs=0.01), name
    assert np.array_equal(body[[0, 4, *range(15, 25)]], np.zeros((12, 3)))
    assert openpose.document(answer()) == {"version": 1.3, "people": [], "canvas_width": 320, "canvas_height": 240}


def test_openpose_has_the_face_that_the_model_finds() -> None:
    one = pose(names=KEYPOINTS)
    (person,) = openpose.document(answer(one))["people"]
    body = np.reshape(person["pose_keypoints_2d"], (25, 3))
    for at, name in {0: "nose", 15: "right_eye", 16: "left_eye", 17: "right_ear", 18: "left_ear"}.items():
        assert tuple(body[at]) == pytest.approx(tuple(one[name]), abs=0.01), name


def test_openpose_of_18_joints_has_scores_that_controlnet_keeps() -> None:
    one = pose(unsure=("right_wrist",), names=KEYPOINTS)
    (person,) = openpose.document(answer(one), "COCO_18")["people"]
    body = np.reshape(person["pose_keypoints_2d"], (18, 3))
    order = ["nose", "thorax", "right_shoulder", "right_elbow", "", "left_shoulder", "left_elbow", "left_wrist"]
    order += ["right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"]
    order += ["right_eye", "left_eye", "right_ear", "left_ear"]
    for row, name in zip(body, order, strict=True):
        assert tuple(row) == (pytest.approx((*one[name][:2], 1), abs=0.01) if name else (0, 0, 0))


# --- YOLO


def test_yolo_has_a_line_for_each_person_in_shares_of_the_photo() -> None:
    one = pose(unsure=("left_wrist",), names=KEYPOINTS)
    text = yolo.document(answer(one, pose(220, 40, 150)))
    rows = [[float(word) for word in row.split(" ")] for row in text.splitlines()]
    assert [len(row) for row in rows] == [5 + 17 * 3] * 2
    assert all(0 <= number <= 2 for row in rows for number in row)
    name, x, y, width, height, *keypoints = rows[0]
    assert name == 0
    x0, y0, x1, y1 = one.box
    assert (x * 320, y * 240) == pytest.approx(((x0 + x1 + 1) / 2, (y0 + y1 + 1) / 2), abs=0.01)
    assert (width * 320, height * 240) == pytest.approx((x1 - x0, y1 - y0), abs=0.01)
    for joint, place in zip(COCO_JOINTS, np.reshape(keypoints, (17, 3)), strict=True):
        if joint == "left_wrist":
            assert tuple(place) == (0, 0, 0)
        else:
            assert (place[0] * 320 - 0.5, place[1] * 240 - 0.5) == pytest.approx(one[joint][:2], abs=0.01)
            assert place[2] in (1, 2)


def test_yolo_of_nobody_is_an_empty_file_and_nothing_leaves_the_photo() -> None:
    assert yolo.document(answer()) == ""
    (row,) = yolo.document(answer(pose(310, 100, 200))).splitlines()
    assert all(0 <= float(word) <= 2 for word in row.split())


# --- tables


def test_rows_are_as_many_as_their_headers_say() -> None:
    for people in ((), (pose(),), (pose(), pose(220, 40, 150))):
        rows = list(csv.DictReader(io.StringIO(header() + as_csv(answer(*people)))))
        assert len(rows) == max(1, 16 * len(people))
        assert {row["people"] for row in rows} == {str(len(people))}
        wide = list(csv.DictReader(io.StringIO(header(wide=True) + as_csv(answer(*people), wide=True))))
        assert len(wide) == max(1, len(people))
        assert None not in (wide[0].keys() | rows[0].keys())


def test_tables_have_angles_beside_the_joint_they_are_at() -> None:
    one = answer(pose(unsure=("left_wrist",)))
    rows = {row["joint"]: row for row in csv.DictReader(io.StringIO(header() + as_csv(one)))}
    at = {"elbow", "shoulder", "hip", "knee", "pelvis", "thorax"}
    assert {name for name, row in rows.items() if row["degrees"]} == (
        {name for name in JOINTS if name.split("_")[-1] in at} - {"left_elbow"}
    )
    (wide,) = csv.DictReader(io.StringIO(header(wide=True) + as_csv(one, wide=True)))
    told = one.people[0].to_dict(angles=True)["angles"]
    assert {name for name in told if wide[f"{name}_degrees"]} == {*told} - {"left_elbow"}
    assert float(wide["trunk_degrees"]) == told["trunk"]["degrees"] == float(rows["pelvis"]["degrees"])
    assert float(wide["right_elbow_degrees_error"]) == told["right_elbow"]["error"]


def test_a_wide_row_has_the_face_and_every_state() -> None:
    (wide,) = csv.DictReader(io.StringIO(header(wide=True) + as_csv(answer(pose(names=KEYPOINTS)), wide=True)))
    assert wide["nose_x"] == "100.0"
    assert {wide[f"{name}_state"] for name in KEYPOINTS} <= {"visible", "hidden"}
    (wide,) = csv.DictReader(io.StringIO(header(wide=True) + as_csv(answer(pose()), wide=True)))
    assert (wide["nose_x"], wide["nose_state"]) == ("", "")


def test_a_table_without_names_has_no_column_for_them() -> None:
    text = header(named=False) + as_csv(answer(pose(), file=""))
    assert text.startswith("people,person,person_score,joint,")
    assert len(next(csv.reader(io.StringIO(text.splitlines()[1])))) == 11


def test_lines_are_lines_whatever_the_name() -> None:
    odd = answer(pose(), file='a\n"b",c.jpg')
    for format in ("json", "coco", "parquet"):
        text = line(odd, format)
        assert text.count("\n") == 1
        assert json.loads(text)["file"] == odd.file
    assert next(csv.DictReader(io.StringIO(header() + line(odd, "csv"))))["file"] == odd.file


# --- SVG


def test_svg_has_the_sure_joints_and_the_limbs_between_them() -> None:
    root = ElementTree.fromstring(svg.document(answer(pose(unsure=("left_wrist",)), pose(220, 40, 150))))
    assert (root.get("width"), root.get("viewBox")) == ("320", "0 0 320 240")
    near, far = [group for group in root.iter(f"{SVG}g") if group.get("class") == "person"][::-1]
    assert (near.get("data-score"), far.get("data-score")) == ("0.8000", "0.8000")
    joints = {circle.get("data-joint") for circle in near.iter(f"{SVG}circle")} - {None}
    assert joints == set(JOINTS) - {"left_wrist"}
    assert sum(one.get("class") == "limb" for one in near.iter(f"{SVG}line")) == 14
    assert sum(one.get("class") == "limb" for one in far.iter(f"{SVG}line")) == 15


def test_svg_of_odd_names_is_still_xml() -> None:
    root = ElementTree.fromstring(svg.document(answer(file='<a> & "b".jpg'), "a%20%3C&\"'.jpg"))
    assert root.find(f"{SVG}title").text == '<a> & "b".jpg'  # type: ignore[union-attr]
    assert root.find(f"{SVG}image").get("href") == "a%20%3C&\"'.jpg"  # type: ignore[union-attr]


# --- read by others


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with three photos in album/ of which the second has nobody in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(work, "open_estimator", lambda _: Fake())
    (tmp_path / "album").mkdir()
    for name, colour in {"a b.jpg": (200, 180, 160), "b.jpg": (0, 0, 9), "000000000139.jpg": (200, 180, 160)}.items():
        Image.new("RGB", SIZE, colour).save(tmp_path / "album" / name)
    return tmp_path


def predict(*args: str) -> None:
    result = CliRunner().invoke(main, ["predict", "album", *args])
    assert result.exit_code == 0, result.output


def test_pycocotools_loads_a_dataset_and_finds_its_own_results_perfect(album: Path) -> None:
    pytest.importorskip("pycocotools", reason="needs pycocotools: pip install -r requirements-dev.txt")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    predict("--format", "coco", "--dataset", "-o", "truth.json")
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO("truth.json")
        names = {image["file_name"]: image["id"] for image in truth.loadImgs(truth.getImgIds())}
        assert set(names) == {"album/000000000139.jpg", "album/a b.jpg", "album/b.jpg"}
        assert [len(truth.getAnnIds(names[name])) for name in sorted(names)] == [2, 2, 0]
        predict("--format", "coco", "-o", "found.json")
        found = json.loads(Path("found.json").read_text())
        assert {entry["image_id"] for entry in found} == {names["album/000000000139.jpg"], names["album/a b.jpg"]}
        evaluation = COCOeval(truth, truth.loadRes("found.json"), "keypoints")
        evaluation.params.imgIds = [names["album/000000000139.jpg"]]
        # two people at one place: the better one is found for sure
        evaluation.params.maxDets = [1]
        evaluation.evaluate()
    (image,) = [one for one in evaluation.evalImgs if one and one["aRng"] == [0, 1e10]]
    assert image["dtScores"] == [0.75]
    assert (np.array(image["dtMatches"]) > 0).all(), "matched at every OKS up to 0.95"


def test_json_has_angles_if_asked_and_tables_always(album: Path) -> None:
    predict("-o", "x.jsonl")
    predict("-o", "y.jsonl", "--angles")
    plain, angles = (
        [json.loads(text) for text in Path(name).read_text().splitlines()] for name in ("x.jsonl", "y.jsonl")
    )
    assert all("angles" not in person for one in plain for person in one["people"])
    told = [person["angles"] for one in angles for person in one["people"]]
    assert len(told) == 4
    assert all({*one} == {*ANGLES} for one in told)
    refused = CliRunner().invoke(main, ["predict", "album", "--angles", "--format", "svg"])
    assert (refused.exit_code, "--angles is for --format json, csv" in refused.stderr) == (2, True)


def test_controlnet_pictures_go_into_a_folder_and_are_no_photos_of_a_second_run(album: Path) -> None:
    predict("--format", "controlnet", "-o", "album")
    with Image.open("album/b.controlnet.pose.png") as empty, Image.open("album/a b.controlnet.pose.png") as drawn:
        assert (empty.size, drawn.size) == (SIZE, SIZE)
        assert not np.asarray(empty).any()
        assert np.asarray(drawn).any()
    predict("--format", "controlnet", "-o", "album", "--overwrite")
    assert len([path for path in Path("album").iterdir() if not path.name.startswith(".")]) == 6


def test_coco_goes_to_standard_output(album: Path) -> None:
    result = CliRunner().invoke(main, ["predict", "album", "--format", "coco"])
    assert len(json.loads(result.stdout)) == 4
    assert {path.name for path in album.iterdir()} == {"album"}
    empty = CliRunner().invoke(main, ["predict", "album/b.jpg", "--format", "coco"])
    assert json.loads(empty.stdout) == []


def test_pandas_loads_every_table(album: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas: pip install -r requirements-dev.txt")
    predict("-o", "x.csv")
    predict("-o", "x.parquet")
    predict("-o", "wide.csv", "--format", "csv-wide")
    predict("-o", "x.jsonl")
    long, parquet = pandas.read_csv("x.csv"), pandas.read_parquet("x.parquet")
    assert list(parquet.columns) == list(long.columns)
    assert len(long) == len(parquet) == 65
    assert long["x"].equals(parquet["x"])
    assert (parquet["confident"].dtype, parquet.groupby("file")["people"].first().sum()) == (object, 4)
    wide = pandas.read_csv("wide.csv")
    assert len(wide) == 5
    wrist = long[(long.joint == "left_wrist") & (long.person == 2)]
    assert list(wrist["x"]) == list(wide[wide.person == 2]["left_wrist_x"])
    nested = pandas.read_json("x.jsonl", lines=True)
    assert list(nested["people"].map(len)) == [2, 2, 0]


def test_parquet_needs_a_file_and_pyarrow(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "parquet is not text" in CliRunner().invoke(main, ["predict", "album", "--format", "parquet"]).stderr
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    result = CliRunner().invoke(main, ["predict", "album", "-o", "x.parquet"])
    assert (result.exit_code, 'pip install "hpe-pose[parquet]"' in result.stderr) == (1, True)
    assert {path.name for path in album.iterdir()} == {"album"}
