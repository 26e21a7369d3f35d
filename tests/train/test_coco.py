"""Labels of one's own: what hpe predict writes, corrected in a labelling tool and exported again, is trained on."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from train.figures import png, stick_figure

from hpe.commands.train import train
from hpe.errors import BadData
from hpe.photo.answer import Answer
from hpe.photo.coco import document, line
from hpe.pose.result import Pose
from hpe.pose.skeleton import COCO_JOINTS, INDEX, JOINTS
from hpe.train.data.coco import plain, read_coco
from hpe.train.data.samples import Sample

Dataset = dict[str, Any]
OURS = [INDEX[name] for name in COCO_JOINTS]


def predicted(folder: Path, count: int = 2) -> tuple[Dataset, dict[str, bytes]]:
    """What `hpe predict photos/ --format coco --dataset` writes of stick figures, and their photos."""
    lines, photos = [], {}
    for seed in range(count):
        image, points = stick_figure(seed, 120)
        box = np.array([*(points.min(axis=0) - 6), *(points.max(axis=0) + 6)], np.float32)
        pose = Pose(points, np.full(len(points), 0.9, np.float32), box, 0.9, 0.5)
        photos[f"{seed + 1}.png"] = png(image)
        answer = Answer([pose], 120, 120, (120, 120), 0.5, {}, {}, f"{seed + 1}.png")
        lines.append(line(answer).encode())
    return json.loads("".join(document(lambda: lines, dataset=True))), photos


def write(folder: Path, file: str, content: object, photos: dict[str, bytes], beside: str) -> Path:
    for name, data in photos.items():
        place = folder / beside / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def as_it_is(dataset: Dataset, photos: dict[str, bytes], folder: Path) -> Path:
    return write(folder, "people.json", dataset, photos, "photos")


def cvat(dataset: Dataset, photos: dict[str, bytes], folder: Path) -> Path:
    """COCO Keypoints 1.0: annotations/ beside images/, the skeleton's own order of labels, attributes."""
    order = np.random.default_rng(0).permutation(len(COCO_JOINTS)).tolist()
    category = {"id": 1, "name": "person", "supercategory": "", "skeleton": [[1, 2]]}
    category["keypoints"] = [COCO_JOINTS[k] for k in order]
    rows = []
    for row in dataset["annotations"]:
        triples = np.array(row["keypoints"]).reshape(-1, 3)[order]
        rows.append(
            {"segmentation": [], "attributes": {"occluded": False}, **row, "keypoints": triples.ravel().tolist()}
        )
        del rows[-1]["score"]
    images = [{**row, "license": 0, "flickr_url": "", "coco_url": "", "date_captured": 0} for row in dataset["images"]]
    content = {"licenses": [], "info": {}, "categories": [category], "images": images, "annotations": rows}
    return write(folder, "annotations/person_keypoints_default.json", content, photos, "images/default")


def label_studio(dataset: Dataset, photos: dict[str, bytes], folder: Path) -> Path:
    """COCO with images: a category of boxes, one of keypoints named "default", whole px, boxes tight round them."""
    names = [name.replace("_", " ").title() for name in COCO_JOINTS]
    categories = [
        {"id": 0, "name": "person"},
        {"id": 1, "name": "default", "supercategory": "default", "keypoints": names, "skeleton": []},
    ]
    rows: list[Dataset] = []
    for row in dataset["annotations"]:
        whole = {"image_id": row["image_id"] - 1, "iscrowd": 0}
        rows.append({"id": len(rows), "category_id": 0, "segmentation": [], "bbox": row["bbox"], "ignore": 0, **whole})
        triples = np.rint(np.array(row["keypoints"]).reshape(-1, 3)).astype(int)
        low, high = triples[:, :2].min(axis=0).tolist(), triples[:, :2].max(axis=0).tolist()
        rows.append({"id": len(rows), "category_id": 1, "num_keypoints": 17, **whole})
        rows[-1]["keypoints"] = triples.ravel().tolist()
        rows[-1]["bbox"] = [*low, high[0] - low[0], high[1] - low[1]]
    images = [
        {"id": k, "width": 120, "height": 120, "file_name": f"images/3fd1c2a{k}-{row['file_name']}"}
        for k, row in enumerate(dataset["images"])
    ]
    content = {"images": images, "categories": categories, "annotations": rows, "info": {"contributor": "Label Studio"}}
    renamed = {f"3fd1c2a{k}-{name}": data for k, (name, data) in enumerate(photos.items())}
    return write(folder, "result.json", content, renamed, "images")


def roboflow(dataset: Dataset, photos: dict[str, bytes], folder: Path) -> Path:
    """COCO JSON: photos renamed and beside their annotations, a category above the people's, numbers from 0."""
    new = {name: f"{Path(name).stem}_png.rf.0a1b2c{k}.jpg" for k, name in enumerate(photos)}
    keypoints = {"keypoints": [name.replace("_", "-") for name in COCO_JOINTS], "skeleton": [[16, 14]]}
    categories = [
        {"id": 0, "name": "people", "supercategory": "none"},
        {"id": 1, "name": "person", "supercategory": "people", **keypoints},
    ]
    images = [
        {**row, "id": k, "license": 1, "file_name": new[row["file_name"]], "extra": {"name": row["file_name"]}}
        for k, row in enumerate(dataset["images"])
    ]
    rows = [{**row, "id": row["id"] - 1, "image_id": row["image_id"] - 1} for row in dataset["annotations"]]
    content = {"info": {}, "licenses": [], "categories": categories, "images": images, "annotations": rows}
    return write(folder, "train/_annotations.coco.json", content, {new[n]: d for n, d in photos.items()}, "train")


@pytest.mark.parametrize("tool", [as_it_is, cvat, label_studio, roboflow])
def test_corrected_labels_come_back_with_joints_in_their_places(
    tmp_path: Path, tool: Callable[[Dataset, dict[str, bytes], Path], Path]
) -> None:
    samples = read_coco(tool(*predicted(tmp_path), tmp_path))
    assert len(samples) == 2
    for seed, sample in enumerate(samples):
        image, points = stick_figure(seed, 120)
        np.testing.assert_allclose(sample.points[OURS], points[OURS], atol=0.51)
        assert sample.labelled.tolist() == [index in OURS for index in range(21)]
        # a box drawn tightly round the joints is not taken for the person's
        assert (sample.box[:2] < points[OURS].min(axis=0) - 2).all()
        np.testing.assert_array_equal(sample.image(), image)


def test_a_phone_photo_on_its_side_is_read_upright(tmp_path: Path) -> None:
    dataset, _ = predicted(tmp_path, 1)
    image = stick_figure(0, 120)[0]
    lying = Image.fromarray(np.rot90(image))  # shown upright by "turn me clockwise"
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "lying.png", exif=exif)
    (sample,) = read_coco(as_it_is(dataset, {"1.png": (tmp_path / "lying.png").read_bytes()}, tmp_path))
    np.testing.assert_array_equal(sample.image(), image)


def test_it_is_trained_on(tmp_path: Path) -> None:
    path = cvat(*predicted(tmp_path), tmp_path)
    config = f"""
name: mine
task: pose
depth: 18
deconv_channels: 16
width: 8
train: [{{kind: coco, path: {path}}}]
val: [{{kind: coco, path: {path}}}]
stages: [{{start: 0.0, size: 64, batch: 2}}]
steps: 1
cache: {tmp_path / "cache"}
"""
    (tmp_path / "mine.yaml").write_text(config)
    run = ["--config", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "run"), "--device", "cpu"]
    result = CliRunner().invoke(train, run, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run/best.pt").exists()


def changed(folder: Path, change: Callable[[Dataset], object], count: int = 3) -> Path:
    dataset, photos = predicted(folder, count)
    change(dataset)
    return as_it_is(dataset, photos, folder)


UNFINISHED = {
    "nothing in it is labelled": {"keypoints": []},
    "nothing in it is labelled ": {"keypoints": None},
    "its box [] is empty": {"bbox": []},
    "its box None is empty": {"bbox": None},
    "its box [0, 0, 0, 0] is empty": {"bbox": [0, 0, 0, 0]},
    "is empty": {"bbox": [1, 2, float("nan"), 4]},
    "a keypoint of it is not a number": {"keypoints": [float("nan"), 5, 2] * 17},
    "it has 6 keypoint numbers instead of 51": {"keypoints": [4, 5, 2] * 2},
    "something in it is not a number": {"keypoints": ["x"] * 51},
    "its photo 77 is not among the file's images": {"image_id": 77},
}


@pytest.mark.parametrize("reason", UNFINISHED)
def test_an_unfinished_person_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    path = changed(tmp_path, lambda dataset: dataset["annotations"][1].update(UNFINISHED[reason]))
    with caplog.at_level(logging.WARNING):
        samples = read_coco(path)
    assert [sample.id for sample in samples] == ["coco/1/1", "coco/3/3"]
    assert "left out as unfinished: 1 people, the first is annotation 2: " in caplog.text
    assert reason.strip() in caplog.text


def test_other_categories_are_left_out_with_a_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def add_dogs(dataset: Dataset) -> None:
        dog = {"id": 2, "name": "dog", "keypoints": ["tail", "nose"]}
        dataset["categories"].insert(0, dog)
        dataset["annotations"] += [{"id": 9, "image_id": 1, "category_id": 2, "keypoints": [1, 1, 2, 3, 3, 2]}] * 3

    with caplog.at_level(logging.WARNING):
        assert len(read_coco(changed(tmp_path, add_dogs))) == 3
    assert "left out of other categories: 3 annotations" in caplog.text


def _all(key: str, value: object) -> Callable[[Dataset], object]:
    return lambda dataset: [row.update({key: value}) for row in dataset["annotations"]]


WRONG: dict[str, Callable[[Dataset], object]] = {
    "it lacks 'images'": lambda d: d.pop("images"),
    "it lacks 'annotations'": lambda d: d.pop("annotations"),
    "images and annotations are not lists": lambda d: d.update(images=4),
    "no person in it is labelled; left out: 3, the first is annotation 1: nothing in it": _all("keypoints", []),
    "no person in it is labelled$": lambda d: d.update(annotations=[]),
    "names the keypoints a, b: expected nose, left_eye": lambda d: d["categories"][0].update(keypoints=["a", "b"]),
    "in any order, each once": lambda d: d["categories"][0].update(keypoints=["nose"] * 17),
    "2 categories have keypoints: name the people's one person": lambda d: d.update(
        categories=[{**d["categories"][0], "id": k, "name": f"worker {k}"} for k in (1, 2)]
    ),
    "its categories are not those of a COCO file": lambda d: d.update(categories="person"),
    "1 of 3 images are missing, gone.png first": lambda d: d["images"][2].update(file_name="gone.png"),
    "nowhere.png is in none of .*give the photos' folder in the option images": lambda d: [
        row.update(file_name="nowhere.png") for row in d["images"]
    ],
}


@pytest.mark.parametrize("message", WRONG)
def test_a_file_that_is_wrong_as_a_whole_is_one_line(tmp_path: Path, message: str) -> None:
    with pytest.raises(BadData, match=message) as caught:
        read_coco(changed(tmp_path, WRONG[message]))
    assert "\n" not in str(caught.value)


def test_results_and_a_tools_own_json_are_told_from_a_data_set(tmp_path: Path) -> None:
    (tmp_path / "found.json").write_text('[{"image_id": 1, "keypoints": []}]')
    with pytest.raises(BadData, match=r"is a list, not a COCO data set .* export it as COCO keypoints"):
        read_coco(tmp_path / "found.json")


@pytest.mark.parametrize("images", ["photos", "elsewhere/photos"])
def test_the_photos_folder_may_be_named(tmp_path: Path, images: str) -> None:
    dataset, photos = predicted(tmp_path)
    path = write(tmp_path, "labels/people.json", dataset, photos, images)
    samples: list[Sample] = read_coco(path, images=str(tmp_path / images))
    assert [sample.encoded for sample in samples] == [tmp_path / images / name for name in photos]


def test_names_are_read_as_tools_write_them() -> None:
    for name in ("left_shoulder", "Left Shoulder", "left-shoulder", "leftShoulder", " LEFT_SHOULDER "):
        assert plain(name) == "left_shoulder"


def test_joints_that_mpii_has_and_coco_lacks_are_read(tmp_path: Path) -> None:
    def rename(dataset: Dataset) -> None:
        dataset["categories"][0]["keypoints"][:2] = ["head_top", "tail"]

    samples = read_coco(changed(tmp_path, rename))
    points = stick_figure(0, 120)[1]
    np.testing.assert_allclose(samples[0].points[JOINTS.index("head_top")], points[INDEX["nose"]], atol=0.01)
    assert not samples[0].labelled[INDEX["nose"]]
