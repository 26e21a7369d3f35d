"""Corrected labels and chosen thresholds, on cases worked by hand."""

import dataclasses
import json

import cv2
import numpy as np
import pytest
import scipy.io
import torch
import yaml
from click.testing import CliRunner
from train.figures import stick_figure, stick_sample, write_people, write_photos

from hpe.commands.relabel import relabel
from hpe.commands.train import train
from hpe.errors import BadData, BadSettings
from hpe.label.correct import Rules, add_labels, correct_labels, write_corrected_labels
from hpe.pose.boxes import AREA_OF_BOX
from hpe.pose.skeleton import FLIP_ORDER, INDEX
from hpe.train.config import Source, read_config
from hpe.train.data.lsp import ORDER
from hpe.train.data.readers import read_source
from hpe.train.data.shards import training_samples
from hpe.train.network import PoseResNet

SURE = np.full(21, 0.9)


def test_a_label_is_kept_where_the_model_agrees_or_is_unsure():
    sample = stick_sample(0)
    agreeing = sample.points + 2
    assert correct_labels(sample, agreeing, SURE, Rules()) == (sample, [])
    far = sample.points + 60
    assert correct_labels(sample, far, np.full(21, 0.5), Rules()) == (sample, [])


def test_a_label_moves_where_the_model_is_sure_of_another_place():
    sample = stick_sample(0)
    seen = sample.points.copy()
    seen[INDEX["left_hip"]] += [25, 0]
    corrected, done = correct_labels(sample, seen, SURE, Rules())
    assert done == ["left_hip moved"]
    np.testing.assert_allclose(corrected.points[INDEX["left_hip"]], seen[INDEX["left_hip"]])
    middle = (seen[INDEX["left_hip"]] + sample.points[INDEX["right_hip"]]) / 2
    np.testing.assert_allclose(corrected.points[INDEX["pelvis"]], middle, atol=1e-4)
    others = [i for i in range(21) if i not in (INDEX["left_hip"], INDEX["pelvis"], INDEX["thorax"])]
    np.testing.assert_array_equal(corrected.points[others], sample.points[others])


def test_a_person_labelled_the_wrong_way_round_is_turned():
    sample = stick_sample(0)
    corrected, done = correct_labels(sample, sample.points[list(FLIP_ORDER)], SURE, Rules())
    swapped = {line.removesuffix(" swapped") for line in done}
    assert swapped == {name for name in INDEX if name.startswith(("left_", "right_"))}
    np.testing.assert_allclose(corrected.points[list(FLIP_ORDER)][:6], sample.points[:6])


def test_an_unlabelled_joint_stays_unlabelled():
    sample = stick_sample(0)
    labelled = np.arange(21) != INDEX["left_knee"]
    partly = dataclasses.replace(sample, labelled=labelled)
    corrected, done = correct_labels(partly, sample.points + np.float32([40, 0]), SURE, Rules())
    assert done
    assert not corrected.labelled[INDEX["left_knee"]]


def test_added_labels_are_those_the_set_leaves_out_and_the_model_sees():
    sample = stick_sample(0)
    labelled = ~np.isin(np.arange(21), [INDEX["upper_neck"], INDEX["head_top"]])
    headless = dataclasses.replace(sample, labelled=labelled)
    seen = sample.points + np.float32([40, 0])
    scores = np.where(np.arange(21) == INDEX["head_top"], 0.3, 0.5)
    added, done = add_labels(headless, seen, scores, Rules())
    assert done == ["upper_neck added"]
    assert added.labelled[INDEX["upper_neck"]]
    assert not added.labelled[INDEX["head_top"]]
    np.testing.assert_array_equal(added.points[INDEX["upper_neck"]], seen[INDEX["upper_neck"]])
    np.testing.assert_array_equal(added.points[:6], sample.points[:6])  # far from what the model sees, and left alone
    assert add_labels(sample, seen, SURE, Rules()) == (sample, [])


def test_a_midpoint_labelled_elsewhere_stays():
    sample = stick_sample(1)
    headless = np.arange(21) != INDEX["head_top"]
    mpii = dataclasses.replace(sample, labelled=headless)
    grown, done = add_labels(mpii, sample.points, np.where(headless, 0, 0.9), Rules())
    assert done == ["head_top added"]
    assert grown.labelled[INDEX["thorax"]]
    np.testing.assert_array_equal(grown.points[INDEX["thorax"]], sample.points[INDEX["thorax"]])


def test_a_midpoint_is_added_once_both_its_ends_are():
    sample = stick_sample(0)
    labelled = ~np.isin(np.arange(21), [INDEX["left_hip"], INDEX["pelvis"]])
    added, done = add_labels(dataclasses.replace(sample, labelled=labelled), sample.points, SURE, Rules())
    assert done == ["left_hip added"]
    ends = sample.points[[INDEX["left_hip"], INDEX["right_hip"]]]
    np.testing.assert_allclose(added.points[INDEX["pelvis"]], ends.mean(axis=0), atol=1e-4)
    assert added.labelled[INDEX["pelvis"]]


@pytest.fixture
def config_path(tmp_path):
    people = str(write_people(tmp_path, 3))
    content = {
        "name": "tiny",
        "depth": 18,
        "deconv_channels": 16,
        "train": [{"kind": "shards", "path": people}],
        "val": {"kind": "shards", "path": people},
        "stages": [{"start": 0.0, "size": 64, "batch": 2}],
        "steps": 2,
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "tiny.yaml"


def lsp_folder(folder, count):
    """Leeds Sports Pose as it is published, of stick figures."""
    (folder / "images").mkdir(parents=True)
    joints = np.ones((3, 14, count))
    for i in range(count):
        image, points = stick_figure(i, 240)
        cv2.imwrite(str(folder / f"images/im{i + 1:04d}.jpg"), image[..., ::-1])
        joints[:2, :, i] = points[[INDEX[name] for name in ORDER]].T
        joints[2, :, i] = 0
    scipy.io.savemat(folder / "joints.mat", {"joints": joints})
    return folder


def certain_checkpoint(path):
    """Sees every joint at the same place, near the crop's middle, and is sure of it."""
    network = PoseResNet(18, deconv_channels=16, width=8)
    first, second, third = (network.deconv_layers[i] for i in (0, 3, 6))
    torch.nn.init.zeros_(first.weight)  # what the backbone sees makes no difference
    torch.nn.init.ones_(network.deconv_layers[1].bias)
    for layer in (second, third):  # sums that lack what is beyond the edge: the map falls off towards it
        torch.nn.init.constant_(layer.weight, 1 / (4 * 16))
    torch.nn.init.constant_(network.final_layer.weight, 0.9 / 16)
    torch.nn.init.zeros_(network.final_layer.bias)
    torch.save({"state_dict": network.state_dict(), "size": 64}, path)
    return path


def test_the_command_writes_labels_that_a_config_can_name(config_path, tmp_path):
    model = certain_checkpoint(tmp_path / "model.pt")
    arguments = ["--config", str(config_path), "--out", str(tmp_path / "run"), "--model", str(model)]
    result = CliRunner().invoke(relabel, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "3 of 3 people corrected" in result.output
    rows = json.loads((tmp_path / "run/labels.json").read_text())
    assert [row["id"] for row in rows] == ["stick/0", "stick/1", "stick/2"]
    content = yaml.safe_load(config_path.read_text())
    content["train"][0]["labels"] = str(tmp_path / "run/labels.json")
    config_path.write_text(yaml.safe_dump(content))
    corrected = read_source(read_config(config_path).train[0])
    np.testing.assert_allclose(corrected[1].points, np.array(rows[1]["joints"])[:, :2], atol=0.01)


def test_corrected_labels_are_px_of_the_pictures_that_are_trained_on(tmp_path):
    source = Source("lsp", str(lsp_folder(tmp_path / "lsp", 2)), labels=str(tmp_path / "labels.json"))
    model = certain_checkpoint(tmp_path / "model.pt")
    write_corrected_labels(str(model), source, tmp_path / "labels.json", tmp_path / "cache", Rules(far=0.01))
    plain = training_samples(dataclasses.replace(source, labels=""), tmp_path / "cache")
    rows = json.loads((tmp_path / "labels.json").read_text())
    assert rows
    for before, after in zip(plain, training_samples(source, tmp_path / "cache"), strict=True):
        done = next((row["done"] for row in rows if row["id"] == after.id), [])
        kept = ~np.isin(np.arange(21), [INDEX[what.split()[0]] for what in done] + [INDEX["pelvis"], INDEX["thorax"]])
        np.testing.assert_allclose(after.points[kept], before.points[kept], atol=0.06)
        height, width = after.image().shape[:2]
        assert (after.points >= 0).all()
        assert (after.points <= [width, height]).all()


NEAR = 0.5


def relabelled_photos(config_path, tmp_path, **source):
    """Two photos without heads' labels, relabelled by a model that sees every joint in the middle of the box."""
    labelled = [j for j in range(21) if j not in (INDEX["upper_neck"], INDEX["head_top"])]
    wanted = {
        "kind": "people",
        "path": str(write_photos(tmp_path, 2, labelled)),
        "labels": str(tmp_path / "more.json"),
        **source,
    }
    content = yaml.safe_load(config_path.read_text()) | {"train": [wanted]}
    config_path.write_text(yaml.safe_dump(content))
    model = certain_checkpoint(tmp_path / "model.pt")
    arguments = ["--config", str(config_path), "--model", str(model)]
    result = CliRunner().invoke(relabel, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    rows = json.loads((tmp_path / "more.json").read_text())
    before = read_source(Source("people", wanted["path"]))
    return result.output, rows, before, read_source(read_config(config_path).train[0])


def test_joints_without_labels_are_added_to_people_in_whole_photos_and_people_s_own_stay(config_path, tmp_path):
    output, rows, before, after = relabelled_photos(config_path, tmp_path, add_labels=True)
    assert "36 joints of 4 people in 2 photos" in output  # two joints of the first of each photo, 16 of the second
    assert [(name, person) for name, person, _ in rows] == [
        ("photo/0", 0),
        ("photo/0", 1),
        ("photo/1", 0),
        ("photo/1", 1),
    ]
    assert not before[0].labelled[INDEX["head_top"]]
    assert (len(before), len(after)) == (2, 4)
    assert after[0].labelled.all()
    head = after[0].points[INDEX["head_top"]]
    assert (head >= after[0].box[:2]).all()
    assert (head <= after[0].box[2:]).all()
    kept = before[0].labelled
    np.testing.assert_array_equal(after[0].points[kept], before[0].points[kept])


def test_labels_by_other_networks_move_halfway_where_the_model_sees_the_joint_nearby(
    config_path, tmp_path, monkeypatch
):
    monkeypatch.setattr("hpe.label.joints.NEAR", NEAR)  # half of a stick figure's joints are that near to its middle
    _, _, before, after = relabelled_photos(config_path, tmp_path)
    by_id = {sample.id: sample for sample in after}
    moved = stayed = 0
    for one in before:
        new = by_id[one.id]
        seen = new.points[INDEX["head_top"]]  # as every joint
        near = NEAR * np.sqrt(AREA_OF_BOX * np.prod(one.box[2:] - one.box[:2]))
        for j in np.flatnonzero(one.labelled[:16]):
            apart = np.linalg.norm(one.points[j] - seen)
            if apart < near - 0.2:
                np.testing.assert_allclose(new.points[j], (one.points[j] + seen) / 2, atol=0.16)
                moved += 1
            elif apart > near + 0.2:
                np.testing.assert_array_equal(new.points[j], one.points[j])
                stayed += 1
    assert moved > 2
    assert stayed > 2


def test_joints_that_are_not_believed_are_labelled_anew_and_those_by_people_count_before_all(config_path, tmp_path):
    hip = INDEX["left_hip"]
    (tmp_path / "human.json").write_text(json.dumps([["photo/1", 0, [[hip, 7.0, 9.0]]]]))
    options = {"without": ["hip"], "human": str(tmp_path / "human.json")}
    _, _, before, after = relabelled_photos(config_path, tmp_path, options=options, add_labels=True)
    new = {sample.id: sample.points[hip] for sample in after}
    assert new["photo/1#0"].tolist() == [7.0, 9.0]
    (other,) = [sample for sample in after if sample.id == "photo/0#0"]
    assert other.labelled[hip]
    np.testing.assert_allclose(other.points[hip], other.points[INDEX["head_top"]], atol=0.1)
    assert not np.allclose(other.points[hip], before[0].points[hip], atol=0.5)


def test_labels_of_other_photos_are_refused(tmp_path):
    path = write_photos(tmp_path, 1)
    (tmp_path / "more.json").write_text(json.dumps([["elsewhere/1", 0, [[9, 1.0, 2.0]]]]))
    with pytest.raises(BadData, match="not of this set's photos: make them again"):
        read_source(Source("people", str(path), labels=str(tmp_path / "more.json")))


def test_two_sources_with_one_file_for_labels_are_refused(config_path, tmp_path):
    content = yaml.safe_load(config_path.read_text())
    content["train"] = [{**content["train"][0], "labels": str(tmp_path / "labels.json")}] * 2
    config_path.write_text(yaml.safe_dump(content))
    result = CliRunner().invoke(relabel, ["--config", str(config_path), "--model", "model.pt"])
    assert isinstance(result.exception, BadSettings)
    assert "give each its own" in str(result.exception)


def test_every_source_that_names_a_file_gets_one_and_its_own_rule(config_path, tmp_path):
    content = yaml.safe_load(config_path.read_text())
    people = content["train"][0]
    content["train"] = [
        {**people, "labels": str(tmp_path / "labels/corrected.json")},
        people,
        {**people, "labels": str(tmp_path / "labels/added.json"), "add_labels": True},
    ]
    config_path.write_text(yaml.safe_dump(content))
    rows = json.loads((tmp_path / "people.json").read_text())
    for row in rows:
        row["joints"][INDEX["head_top"]][2] = 0
    (tmp_path / "people.json").write_text(json.dumps(rows))
    model = certain_checkpoint(tmp_path / "model.pt")
    arguments = ["--config", str(config_path), "--out", str(tmp_path / "run"), "--model", str(model)]
    result = CliRunner().invoke(relabel, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    corrected, added = (json.loads((tmp_path / f"labels/{n}.json").read_text()) for n in ("corrected", "added"))
    assert all("head_top added" not in row["done"] for row in corrected)
    assert [row["done"] for row in added] == [["head_top added"]] * 3
    assert not (tmp_path / "run").exists()  # nothing was trained


def test_the_command_trains_and_says_where_the_weights_are(config_path, tmp_path):
    arguments = ["--config", str(config_path), "--out", str(tmp_path / "run"), "--device", "cpu", "--steps", "1"]
    result = CliRunner().invoke(train, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "best.pt: best validation" in result.output
    assert "after 1 steps" in result.output
    assert (tmp_path / "run/best.pt").exists()
