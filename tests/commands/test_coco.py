"""`hpe predict --format coco`: ids that no two photos share, and results that fit a data set, ours or another's."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from commands.test_predict import Fake
from PIL import Image

from hpe.cli import main
from hpe.commands.predict import work
from hpe.pose.skeleton import COCO_JOINTS

NAMES = ["a/0001.jpg", "b/0001.jpg", "2023.jpg", "x.jpg"]


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Fake()
    monkeypatch.setattr(work, "open_estimator", lambda _: found)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with photos/ of four in it: two of one name, one named by a number."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        save(tmp_path / "photos" / name)
    return tmp_path


def save(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (160, 120), (200, 180, 160)).save(path)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["predict", *args, "--format", "coco"])


def read(path: str) -> Any:
    return json.loads(Path(path).read_text())


def loaded(dataset: str, results: str) -> Any:
    """Both as pycocotools reads them; it prints."""
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO(dataset)
        return known, known.loadRes(results)


def ids_by_name(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["file_name"]: entry["image_id"] for entry in results}


def test_ids_are_numbers_that_no_two_photos_share(photos: Path) -> None:
    assert run("photos", "-o", "found.json").exit_code == 0
    ids = ids_by_name(read("found.json"))
    assert ids == {"photos/2023.jpg": 1, "photos/a/0001.jpg": 2, "photos/b/0001.jpg": 3, "photos/x.jpg": 4}


def test_photos_that_are_all_named_by_numbers_keep_them(photos: Path) -> None:
    save(photos / "val/000000000139.jpg")
    save(photos / "val/000000000785.jpg")
    assert run("val", "-o", "found.json").exit_code == 0
    assert ids_by_name(read("found.json")) == {"val/000000000139.jpg": 139, "val/000000000785.jpg": 785}
    assert run("val", "--dataset", "-o", "people.json").exit_code == 0
    assert [image["id"] for image in read("people.json")["images"]] == [139, 785]


def test_photos_of_the_working_folder_are_named_as_data_sets_name_theirs(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos / "photos" / "a")
    assert run(".", "--dataset", "-o", "../people.json").exit_code == 0
    assert run(".", "-o", "../found.json").exit_code == 0
    assert [image["file_name"] for image in read("../people.json")["images"]] == ["0001.jpg"]
    assert ids_by_name(read("../found.json")) == {"0001.jpg": 1}


@pytest.mark.parametrize("folder", ["photos", "photos/a"])
def test_own_results_fit_the_own_data_set(photos: Path, folder: str) -> None:
    assert run(folder, "--dataset", "-o", "people.json").exit_code == 0
    assert run(folder, "-o", "found.json").exit_code == 0
    assert run("./photos/x.jpg", "photos/a", "--dataset", "people.json", "-o", "of.json").exit_code == (
        folder != "photos"
    )
    for results in ("found.json", "of.json"):
        dataset, found = loaded("people.json", results)
        assert len(found.getAnnIds()) == len(read(results)) > 0
        for entry in read(results):
            (image,) = dataset.loadImgs(entry["image_id"])
            assert Path(image["file_name"]) == Path(entry["file_name"])


def other(path: Path, names: list[str], **category: Any) -> None:
    images = [{"id": 70 + n, "file_name": name, "width": 160, "height": 120} for n, name in enumerate(names)]
    person = {"id": 9, "name": "person", "keypoints": list(COCO_JOINTS), "skeleton": [], **category}
    categories = [{"id": 1, "name": "dog"}, person]
    path.write_text(json.dumps({"images": images, "annotations": [], "categories": categories}))


def test_results_take_the_ids_the_category_and_the_order_of_another_data_set(photos: Path) -> None:
    other(photos / "other.json", ["b/0001.jpg", "a/0001.jpg", "deep\\down\\x.jpg"])
    assert run("photos", "-o", "plain.json").exit_code == 0
    save(photos / "down/x.jpg")
    result = run("photos", "down", "--dataset", "other.json", "-o", "found.json")
    assert ids_by_name(read("found.json")) == {"photos/a/0001.jpg": 71, "photos/b/0001.jpg": 70, "down/x.jpg": 72}
    assert "photos/2023.jpg: it is not among the images of other.json" in result.stderr
    assert "photos/x.jpg: it is not among the images of other.json" in result.stderr
    assert {entry["category_id"] for entry in read("found.json")} == {9}
    loaded("other.json", "found.json")
    other(photos / "back.json", ["a/0001.jpg"], keypoints=list(COCO_JOINTS)[::-1])
    run("photos/a", "--dataset", "back.json", "-o", "back-found.json")
    plain = next(one for one in read("plain.json") if one["file_name"] == "photos/a/0001.jpg")["keypoints"]
    back = read("back-found.json")[0]["keypoints"]
    assert [back[at : at + 3] for at in range(0, 51, 3)][::-1] == [plain[at : at + 3] for at in range(0, 51, 3)]


def test_a_photo_that_may_be_two_images_and_two_that_are_one_are_told(photos: Path) -> None:
    other(photos / "other.json", ["a/0001.jpg", "b/0001.jpg", "x.jpg"])
    save(photos / "0001.jpg")
    save(photos / "more/x.jpg")
    result = run("0001.jpg", "photos/x.jpg", "more", "--dataset", "other.json", "-o", "found.json")
    assert "0001.jpg: it may be a/0001.jpg or b/0001.jpg of other.json: name it with its folders" in result.stderr
    assert "more/x.jpg: photos/x.jpg is that image of other.json already" in result.stderr
    assert ids_by_name(read("found.json")) == {"photos/x.jpg": 72}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "No such file"),
        ("[]", "give the JSON of a COCO data set"),
        ("{", "give the JSON of a COCO data set"),
        ('{"images": [{"id": 1}]}', "give the JSON of a COCO data set"),
        (
            json.dumps({"images": [], "categories": [{"id": 1, "name": "person", "keypoints": ["x"]}]}),
            "other keypoints",
        ),
    ],
)
def test_file_that_is_no_data_set_is_one_line(photos: Path, text: str | None, told: str) -> None:
    if text is not None:
        (photos / "other.json").write_text(text)
    result = run("photos", "--dataset", "other.json", "-o", "found.json")
    assert (result.exit_code, result.stderr.count("\n"), told in result.stderr) == (1, 1, True), result.stderr
    assert not (photos / "found.json").exists()


def test_the_bare_option_before_a_photo_still_asks_for_a_data_set(photos: Path) -> None:
    assert run("--dataset", "photos", "-o", "people.json").exit_code == 0
    assert len(read("people.json")["images"]) == 4
