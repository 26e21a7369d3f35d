"""estimator.many: many images in, a sequence that is a table and files out."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from engine.stand_ins import CARD, BoxSession, DotSession, box_of, person, scene
from PIL import Image

from hpe import PoseEstimator, Results
from hpe.engine.networks import compose
from hpe.errors import BadSettings, HpeError
from hpe.photo.tables import LONG, WIDE
from hpe.pose.crops import apply_affine, fit_affine

PICTURE = (480, 320)
PEOPLE = [person(60, 60, 30), person(300, 80, 30)]


@pytest.fixture
def estimator() -> PoseEstimator:
    boxes = np.array([box_of(points) for points in PEOPLE])
    network = apply_affine(boxes.reshape(-1, 2), fit_affine(*PICTURE, 416)[0]).reshape(-1, 4)
    return PoseEstimator(compose(BoxSession(network), DotSession(), CARD))


def two() -> np.ndarray:
    return scene(*PICTURE, PEOPLE, 4)


def nobody() -> np.ndarray:
    return np.zeros((320, 480, 3), np.uint8)


def test_each_image_has_a_result_in_order(estimator: PoseEstimator, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(two()).save(path)
    results = estimator.many([path, path.read_bytes(), nobody(), str(path)])
    assert [len(result) for result in results] == [2, 2, 0, 2]
    assert [result.file for result in results] == [str(path), "", "", str(path)]
    assert list(results[0]) == estimator(path)
    assert (results[0].width, results[0].height) == PICTURE
    assert (len(results), len(results[1:]), results[-1].file) == (4, 3, str(path))


def test_images_are_asked_for_a_few_at_a_time(estimator: PoseEstimator) -> None:
    taken = []

    def images() -> Iterator[np.ndarray]:
        for number in range(40):
            taken.append(number)
            yield nobody()

    results = estimator.many(images())
    assert not taken
    next(iter(results))
    assert len(taken) == 8
    assert len(results) == 40
    assert len(list(results)) == 40, "what was done is kept"


def test_a_bad_image_raises_or_is_told(estimator: PoseEstimator, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no photo")
    with pytest.raises(HpeError, match=r"not an image|image type|kind"):
        list(estimator.many([tmp_path / "bad.jpg"]))
    results = estimator.many([two(), tmp_path / "bad.jpg", two()], skip_bad=True)
    assert [len(result) for result in results] == [2, 0, 2]
    assert list(results.problems) == [str(tmp_path / "bad.jpg")]
    assert set(results.to_df()["file"]) == {"0", "2"}


def test_a_table_has_a_row_for_each_joint_or_person(estimator: PoseEstimator) -> None:
    pytest.importorskip("pandas", reason="needs pandas: pip install -r requirements-dev.txt")
    results = estimator.many([two(), nobody()])
    table, wide = results.to_df(), results.to_df(wide=True)
    assert list(table.columns) == ["file", *LONG]
    assert list(wide.columns) == ["file", *WIDE]
    assert (len(table), len(wide)) == (2 * 16 + 1, 3)
    assert set(table["state"].dropna()) <= {"visible", "hidden", "outside", "unsure"}
    assert table["degrees"].notna().any()


def test_nothing_is_safe_to_use(estimator: PoseEstimator, tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="needs pandas: pip install -r requirements-dev.txt")
    results = estimator.many([])
    assert (len(results), list(results), results.problems, len(results.to_df())) == (0, [], {}, 0)
    for name in ("x.json", "x.jsonl", "x.csv", "x.coco", "x.parquet"):
        results.save(tmp_path / name)
    assert json.loads((tmp_path / "x.json").read_text()) == []
    assert json.loads((tmp_path / "x.coco").read_text())["images"] == []


@pytest.mark.parametrize(("name", "format"), [("x.json", None), ("x", "json"), ("x.jsonl", None), ("x.coco", None)])
def test_json_is_saved(estimator: PoseEstimator, tmp_path: Path, name: str, format: str | None) -> None:
    estimator.many([two(), nobody()]).save(tmp_path / name, format)
    text = (tmp_path / name).read_text()
    if name == "x.coco":
        content = json.loads(text)
        assert (len(content["images"]), len(content["annotations"])) == (2, 2)
    else:
        answers = [json.loads(line) for line in text.splitlines()] if name == "x.jsonl" else json.loads(text)
        assert [len(one["people"]) for one in answers] == [2, 0]
        assert "angles" in answers[0]["people"][0]


def test_tables_are_saved_as_they_are_shown(estimator: PoseEstimator, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas: pip install -r requirements-dev.txt")
    results = estimator.many([two(), nobody()])
    results.save(tmp_path / "x.csv")
    results.save(tmp_path / "x.parquet")
    results.save(tmp_path / "wide.csv", "csv-wide")
    csv, parquet = pandas.read_csv(tmp_path / "x.csv"), pandas.read_parquet(tmp_path / "x.parquet")
    assert list(csv.columns) == list(parquet.columns) == ["file", *LONG]
    assert len(csv) == len(parquet) == len(results.to_df())
    assert len(pandas.read_csv(tmp_path / "wide.csv")) == 3


def test_an_svg_is_of_one_image_and_several_need_a_folder(estimator: PoseEstimator, tmp_path: Path) -> None:
    results = estimator.many([two(), nobody()])
    results[:1].save(tmp_path / "x.svg")
    assert (tmp_path / "x.svg").read_text().startswith("<svg")
    with pytest.raises(BadSettings, match="an SVG shows one image, and there are 2: give a folder"):
        results.save(tmp_path / "y.svg")
    results.save(tmp_path / "out", "svg")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0000-0.svg", "0001-1.svg"]


@pytest.mark.parametrize("name", ["x.docx", "x"])
def test_an_unknown_ending_is_told_with_those_that_are_known(estimator: PoseEstimator, name: str) -> None:
    with pytest.raises(BadSettings, match=r"does not say in which format: end it in \.json, \.jsonl, \.csv"):
        estimator.many([]).save(name)


def test_results_go_to_other_processes(estimator: PoseEstimator) -> None:
    results = estimator.many([two(), nobody()])
    copy = pickle.loads(pickle.dumps(results))
    assert isinstance(copy, Results)
    assert [list(one) for one in copy] == [list(one) for one in results]
    assert repr(copy) == "Results(2 images done, 2 people)"


def test_a_notebook_draws_a_result(estimator: PoseEstimator) -> None:
    drawn = estimator.many([two()])[0]._repr_html_()
    assert drawn.count('<g class="person"') == 2
