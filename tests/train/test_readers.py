"""Every published format, read from tiny files made in that format."""

import dataclasses
import json

import cv2
import numpy as np
import pytest
from scipy.io import savemat
from train.figures import png, scenery, write_people, write_photos, write_sceneries, write_tar

from hpe.errors import BadData
from hpe.pose.skeleton import INDEX
from hpe.train.config import Source
from hpe.train.data.coco import COCO_JOINTS
from hpe.train.data.lsp import ORDER
from hpe.train.data.readers import read_empty, read_source


def write_images(folder, names, width=60, height=80):
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        cv2.imwrite(str(folder / name), scenery(i, width, height)[..., ::-1])


# --- this project's shards


def test_shards_give_joints_box_and_picture(tmp_path):
    path = write_people(tmp_path, 3)
    samples = read_source(Source("shards", str(path)))
    row = json.loads(path.read_text())[1]
    assert [s.id for s in samples] == ["stick/0", "stick/1", "stick/2"]
    np.testing.assert_allclose(samples[1].points, np.array(row["joints"])[:, :2], atol=1e-4)
    assert samples[1].labelled.all()
    assert samples[1].image().shape == (120, 120, 3)
    assert not samples[1].empty


def test_match_keeps_ids_that_begin_so(tmp_path):
    path = write_people(tmp_path, 3)
    assert [s.id for s in read_source(Source("shards", str(path), match="stick/2"))] == ["stick/2"]
    with pytest.raises(BadData, match="no samples"):
        read_source(Source("shards", str(path), match="lsp/"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda row: row.update(joints=row["joints"][:14]), r"joints have shape \(14, 3\), expected \(16, 3\)"),
        (lambda row: row.update(joints=[[1, 2, 3], [4]]), "joints are not rows of numbers"),
        (lambda row: row.update(file="other.png"), "lacks 'other.png'"),
        (lambda row: row.pop("joints"), "lacks 'joints'"),
        (lambda row: row.update(shard="gone-9.tar"), "gone-9.tar: No such file"),
    ],
)
def test_a_broken_shard_row_is_named(tmp_path, change, message):
    path = write_people(tmp_path, 2)
    rows = json.loads(path.read_text())
    change(rows[1])
    path.write_text(json.dumps(rows))
    with pytest.raises(BadData, match=message):
        read_source(Source("shards", str(path)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory: give"),
        ("{", "is not JSON"),
        ("[]", "non-empty list"),
        ("3", "non-empty list"),
    ],
)
def test_a_broken_annotation_file_is_named(tmp_path, content, message):
    path = tmp_path / "people.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadData, match=message):
        read_source(Source("shards", str(path)))


def test_a_truncated_tar_is_named(tmp_path):
    path = write_people(tmp_path, 3)
    tar = tmp_path / "people-0.tar"
    tar.write_bytes(tar.read_bytes()[:700])
    with pytest.raises(BadData, match=r"people-0.tar"):
        read_source(Source("shards", str(path)))


def test_an_unreadable_picture_is_named(tmp_path):
    write_tar(tmp_path / "people-0.tar", {"0.png": b"not a picture"})
    rows = json.loads(write_people(tmp_path, 1, "other").read_text())
    (tmp_path / "people.json").write_text(json.dumps([{**rows[0], "shard": "people-0.tar"}]))
    sample = read_source(Source("shards", str(tmp_path / "people.json")))[0]
    with pytest.raises(BadData, match="stick/0: the image cannot be decoded"):
        sample.image()


def test_an_unknown_kind_or_option_is_refused(tmp_path):
    path = write_people(tmp_path, 1)
    with pytest.raises(BadData, match="kind 'voc': choose one of shards, mpii, lsp, coco, empty"):
        read_source(Source("voc", str(path)))
    with pytest.raises(BadData, match=r"no such option: .*colour"):
        read_source(Source("shards", str(path), options={"colour": 1}))


# --- photos without people


def test_empty_photos_are_split_one_in_five(tmp_path):
    path = str(write_sceneries(tmp_path, 10))
    parts = {
        part: {s.id for s in read_source(Source("empty", path, options={"part": part}))} for part in ("test", "train")
    }
    assert parts["test"] == {"0.png", "5.png"}
    assert len(parts["train"]) == 8
    everything = read_source(Source("empty", path))
    assert {s.id for s in everything} == parts["test"] | parts["train"]
    assert everything[0].empty
    assert everything[0].labelled.all()
    assert everything[0].box.tolist() == [0, 0, 150, 110]
    with pytest.raises(BadData, match="part 'half'"):
        read_source(Source("empty", path, options={"part": "half"}))


def test_the_photos_that_lend_lookalikes_are_not_those_that_thresholds_are_chosen_on(tmp_path):
    path = write_sceneries(tmp_path, 10)
    parts = {part: {s.id for s in read_empty(path, part)} for part in ("train", "lookalikes", "thresholds")}
    assert not parts["lookalikes"] & parts["thresholds"]
    assert parts["lookalikes"] | parts["thresholds"] == parts["train"]


def test_photos_that_name_nobody_are_photos_without_people(tmp_path):
    path = write_photos(tmp_path, 3)
    rows = json.loads(path.read_text())
    rows[1]["people"] = []
    path.write_text(json.dumps(rows))
    (only,) = read_source(Source("empty", str(path)))
    assert only.id == rows[1]["id"]
    assert only.empty


def test_each_lookalike_is_a_sample_of_its_own(tmp_path):
    path, labels = write_sceneries(tmp_path, 10), tmp_path / "lookalikes.json"
    labels.write_text(
        json.dumps(
            [{"id": "1.png", "boxes": [[1, 2, 30, 40], [5, 6, 70, 80]]}, {"id": "5.png", "boxes": [[0, 0, 9, 9]]}]
        )
    )
    samples = read_source(Source("empty", str(path), options={"part": "train"}, labels=str(labels)))
    assert len(samples) == 8 + 2  # the fifth is of the other part
    boxes = {tuple(s.box.tolist()): s.id for s in samples if s.lookalike}
    assert boxes == {(1, 2, 30, 40): "1.png", (5, 6, 70, 80): "1.png"}
    assert all(s.empty and s.labelled.all() for s in samples)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('[["photo/1", 0, []]]', "expected boxes of photos"),
        ('[{"id": "1.png"}]', "expected boxes of photos"),
        ('[{"id": "1.png", "boxes": [[1, 2, 3]]}]', "expected boxes of photos"),
        ('[{"id": "elsewhere.png", "boxes": [[1, 2, 3, 4]]}]', "names none of the source's photos"),
    ],
)
def test_a_file_of_other_labels_is_refused(tmp_path, content, why):
    path, labels = write_sceneries(tmp_path, 5), tmp_path / "labels.json"
    labels.write_text(content)
    with pytest.raises(BadData, match=why):
        read_source(Source("empty", str(path), labels=str(labels)))


# --- LSP and LSPET


def lsp_folder(folder, count, extended, digits):
    rng = np.random.default_rng(count)
    joints = rng.uniform(5, 55, (count, 14, 3))
    joints[..., 2] = rng.random((count, 14)) > 0.3
    folder.mkdir()
    savemat(folder / "joints.mat", {"joints": joints.transpose(1, 2, 0) if extended else joints.transpose(2, 1, 0)})
    write_images(folder / "images", [f"im{i + 1:0{digits}d}.jpg" for i in range(count)])
    return joints


def test_lsp_labels_every_joint_and_adds_midpoints(tmp_path):
    joints = lsp_folder(tmp_path / "lsp", 4, extended=False, digits=4)
    samples = read_source(Source("lsp", str(tmp_path / "lsp"), options={"first": 2, "last": 3}))
    assert [s.id for s in samples] == ["lsp/0002", "lsp/0003"]
    person = samples[0]
    assert person.labelled.tolist() == [True] * 16 + [False] * 5
    for i, name in enumerate(ORDER):
        np.testing.assert_allclose(person.points[INDEX[name]], joints[1, i, :2], atol=1e-4)
    hips = (person.points[INDEX["left_hip"]] + person.points[INDEX["right_hip"]]) / 2
    np.testing.assert_allclose(person.points[INDEX["pelvis"]], hips, atol=1e-4)
    assert person.image().shape == (80, 60, 3)
    low, high = person.points[:16].min(axis=0), person.points[:16].max(axis=0)
    beyond = 0.08 * (high - low).max()  # hands and feet reach further than wrists and ankles
    np.testing.assert_allclose(person.box, [*(low - beyond), *(high + beyond)], atol=1e-3)


def test_lspet_takes_the_third_value_as_labelled(tmp_path):
    joints = lsp_folder(tmp_path / "lspet", 3, extended=True, digits=5)
    samples = read_source(Source("lsp", str(tmp_path / "lspet")))
    assert [s.id for s in samples] == ["lspet/00001", "lspet/00002", "lspet/00003"]
    for sample, rows in zip(samples, joints, strict=True):
        assert [bool(sample.labelled[INDEX[n]]) for n in ORDER] == (rows[:, 2] > 0).tolist()
        both = sample.labelled[INDEX["left_shoulder"]] and sample.labelled[INDEX["right_shoulder"]]
        assert sample.labelled[INDEX["thorax"]] == both


def test_lsp_says_what_is_missing(tmp_path):
    lsp_folder(tmp_path / "lsp", 3, extended=False, digits=4)
    (tmp_path / "lsp/images/im0002.jpg").unlink()
    with pytest.raises(BadData, match=r"1 of 3 images are missing, im0002.jpg first"):
        read_source(Source("lsp", str(tmp_path / "lsp")))
    with pytest.raises(BadData, match="images 1 to 2000 were asked for; there are 1 to 3"):
        read_source(Source("lsp", str(tmp_path / "lsp"), options={"last": 2000}))
    with pytest.raises(BadData, match=r"joints.mat: .*give the data set's .mat file"):
        read_source(Source("lsp", str(tmp_path)))
    savemat(tmp_path / "joints.mat", {"joints": np.zeros((16, 2, 5))})
    with pytest.raises(BadData, match=r"joints have shape \(16, 2, 5\), expected \(3, 14, N\)"):
        read_source(Source("lsp", str(tmp_path)))
    savemat(tmp_path / "joints.mat", {"other": np.zeros(3)})
    with pytest.raises(BadData, match="holds other, expected a variable 'joints'"):
        read_source(Source("lsp", str(tmp_path)))
    (tmp_path / "joints.mat").write_text("no MATLAB")
    with pytest.raises(BadData, match="is not a MATLAB file"):
        read_source(Source("lsp", str(tmp_path)))


# --- MPII


def mpii_rows(count):
    rng = np.random.default_rng(count)
    rows = []
    for i in range(count):
        joints = rng.uniform(2, 50, (16, 2))
        seen = (rng.random(16) > 0.2).astype(int)
        joints[seen == 0] = -1
        rows.append({"image": f"{i:05d}.jpg", "joints": joints.tolist(), "joints_vis": seen.tolist()})
        rows[-1] |= {"center": [30.0, 40.0], "scale": 0.25}
    return rows


def test_mpii_json_counts_from_one_and_boxes_by_centre_and_scale(tmp_path):
    rows = mpii_rows(3)
    (tmp_path / "valid.json").write_text(json.dumps(rows))
    write_images(tmp_path / "images", [row["image"] for row in rows])
    boxes = np.zeros((2, 2, 3))
    boxes[1] = [[3, 6, 9], [4, 8, 12]]  # diagonals of 5, 10 and 15 px
    savemat(tmp_path / "gt_valid.mat", {"headboxes_src": boxes})
    source = Source("mpii", str(tmp_path / "valid.json"), options={"head_boxes": str(tmp_path / "gt_valid.mat")})
    samples = read_source(source)
    np.testing.assert_allclose(samples[0].points[:16], np.array(rows[0]["joints"]) - 1, atol=1e-4)
    assert samples[0].labelled.tolist() == [bool(v) for v in rows[0]["joints_vis"]] + [False] * 5
    # centre (29, 39) from 0, down by 15 * 0.25, sides of 200 * 0.25
    assert samples[0].box.tolist() == [4.0, 17.75, 54.0, 67.75]
    np.testing.assert_allclose([s.head_px for s in samples], [3.0, 6.0, 9.0])
    without = read_source(Source("mpii", str(tmp_path / "valid.json")))
    assert np.isnan(without[0].head_px)


def test_mpii_json_says_what_is_wrong(tmp_path):
    rows = mpii_rows(2)
    path = tmp_path / "valid.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(BadData, match=r"images: No such file or directory: give the data set's image folder"):
        read_source(Source("mpii", str(path)))
    write_images(tmp_path / "images", ["00000.jpg"])
    with pytest.raises(BadData, match=r"1 of 2 images are missing, 00001.jpg first"):
        read_source(Source("mpii", str(path)))
    savemat(tmp_path / "gt.mat", {"headboxes_src": np.zeros((2, 2, 5))})
    with pytest.raises(BadData, match="2 people but 5 head boxes"):
        read_source(Source("mpii", str(path), options={"head_boxes": str(tmp_path / "gt.mat")}))
    path.write_text(json.dumps([{**rows[0], "joints": rows[0]["joints"][:14]}]))
    with pytest.raises(BadData, match=r"person 0: joints have shape \(14, 2\)"):
        read_source(Source("mpii", str(path)))
    path.write_text(json.dumps([{"image": "00000.jpg"}]))
    with pytest.raises(BadData, match="person 0: lacks or garbles 'joints'"):
        read_source(Source("mpii", str(path)))


def test_mpii_mat_gives_the_annotated_people_of_the_training_half(tmp_path):
    def person(points, scale=0.25):
        joints = [{"x": x, "y": y, "id": j, "is_visible": 1} for j, (x, y) in points.items()]
        head = {"x1": 1.0, "y1": 1.0, "x2": 4.0, "y2": 5.0}
        return {**head, "scale": scale, "objpos": {"x": 30.0, "y": 40.0}, "annopoints": {"point": joints}}

    bystander = {"x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.0}
    pictures = [
        {"image": {"name": "a.jpg"}, "annorect": [person({0: (11, 12), 9: (21, 22)}), person({6: (5, 6)})]},
        {"image": {"name": "b.jpg"}, "annorect": [bystander]},
        {"image": {"name": "c.jpg"}, "annorect": []},
        {"image": {"name": "test.jpg"}, "annorect": [person({0: (1, 1)})]},
    ]
    release = {"annolist": pictures, "img_train": np.array([1, 1, 1, 0])}
    savemat(tmp_path / "mpii.mat", {"RELEASE": release})
    write_images(tmp_path / "photos", ["a.jpg", "b.jpg", "c.jpg"])
    samples = read_source(Source("mpii", str(tmp_path / "mpii.mat"), options={"images": str(tmp_path / "photos")}))
    assert [s.id for s in samples] == ["mpii/a/0", "mpii/a/1"]
    assert samples[0].labelled.nonzero()[0].tolist() == [0, 9]
    assert samples[0].points[9].tolist() == [20.0, 21.0]
    assert samples[0].head_px == pytest.approx(0.6 * 5)
    assert samples[1].labelled.nonzero()[0].tolist() == [6]  # a single point is no list in MATLAB


def test_mpii_mat_without_its_fields_is_refused(tmp_path):
    savemat(tmp_path / "mpii.mat", {"RELEASE": {"version": 12}})
    with pytest.raises(BadData, match="RELEASE lacks a field"):
        read_source(Source("mpii", str(tmp_path / "mpii.mat")))


# --- COCO


def coco_content():
    keypoints = [0.0] * 51
    for i, name in enumerate(COCO_JOINTS):
        if name in ("nose", "left_hip", "right_wrist"):
            keypoints[3 * i : 3 * i + 3] = [10.0 + i, 20.0 + i, 2]
    person = {"id": 5, "image_id": 7, "category_id": 1, "bbox": [5, 6, 30, 40], "keypoints": keypoints, "iscrowd": 0}
    crowd = {**person, "id": 6, "iscrowd": 1}
    unlabelled = {**person, "id": 8, "keypoints": [0] * 51}
    images = [{"id": 7, "file_name": "000000000007.jpg"}]
    return {"images": images, "annotations": [person, crowd, unlabelled], "categories": [{"id": 1, "name": "person"}]}


def test_coco_has_twelve_joints_and_the_face(tmp_path):
    path = tmp_path / "person_keypoints_val2017.json"
    path.write_text(json.dumps(coco_content()))
    write_images(tmp_path / "val2017", ["000000000007.jpg"])
    (sample,) = read_source(Source("coco", str(path)))
    assert sample.id == "coco/7/5"
    assert {i for i in range(21) if sample.labelled[i]} == {INDEX["left_hip"], INDEX["right_wrist"], INDEX["nose"]}
    assert sample.points[INDEX["left_hip"]].tolist() == [21.0, 31.0]
    assert sample.points[INDEX["right_wrist"]].tolist() == [20.0, 30.0]
    assert sample.box.tolist() == [5, 6, 34, 45]
    (tight,) = read_source(Source("coco", str(path), options={"box": "joints"}))
    np.testing.assert_allclose(tight.box, [9.12, 19.12, 21.88, 31.88], atol=1e-4)
    with pytest.raises(BadData, match="box 'mask': choose bbox or joints"):
        read_source(Source("coco", str(path), options={"box": "mask"}))


def test_coco_says_what_is_wrong(tmp_path, caplog):
    path = tmp_path / "person_keypoints_val2017.json"
    path.write_text(json.dumps([1]))
    with pytest.raises(BadData, match="is a list, not a COCO data set of images, annotations and categories"):
        read_source(Source("coco", str(path)))
    content = coco_content()
    content["annotations"][0]["keypoints"] = [1, 2, 3]
    path.write_text(json.dumps(content))
    with pytest.raises(BadData, match="no samples"):
        read_source(Source("coco", str(path)))
    assert "annotation 5: it has 3 keypoint numbers instead of 51" in caplog.text
    path.write_text(json.dumps(coco_content()))
    with pytest.raises(BadData, match=r"is in none of .*val2017.*: give the photos. folder in the option images"):
        read_source(Source("coco", str(path)))


# --- corrected labels


def test_corrected_labels_replace_those_they_name(tmp_path):
    path = write_people(tmp_path, 2)
    corrected = [[1.0, 2.0, 1], [30.0, 40.0, 1]] + [[0.0, 0.0, 0]] * 14
    (tmp_path / "labels.json").write_text(json.dumps([{"id": "stick/1", "joints": corrected}]))
    source = Source("shards", str(path))
    before = read_source(source)
    after = read_source(dataclasses.replace(source, labels=str(tmp_path / "labels.json")))
    np.testing.assert_array_equal(after[0].points, before[0].points)
    assert after[1].points[1].tolist() == [30.0, 40.0]
    assert after[1].labelled.sum() == 2
    np.testing.assert_allclose(after[1].box, [-2.04, -1.04, 33.04, 43.04], atol=1e-4)
    (tmp_path / "labels.json").write_text(json.dumps([{"id": "lspet/1", "joints": corrected}]))
    (tmp_path / "none.json").write_text("[]")
    assert read_source(dataclasses.replace(source, labels=str(tmp_path / "none.json"))), "nobody needed correcting"
    with pytest.raises(BadData, match="names none of the source's 2 samples"):
        read_source(dataclasses.replace(source, labels=str(tmp_path / "labels.json")))


def test_shared_validation_data_are_read_whole(shared):
    samples = read_source(Source("shards", str(shared / "data/pose/val.json")))
    assert len(samples) == 500
    assert all(s.labelled.tolist() == [True] * 16 + [False] * 5 for s in samples)
    assert samples[0].image().shape == (169, 95, 3)
    assert png(samples[0].image())
