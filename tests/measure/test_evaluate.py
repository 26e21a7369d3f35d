"""hpe eval: known predictions give known figures, in every measure and every form."""

import contextlib
import dataclasses
import io
import json
import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.io import savemat
from train.figures import png, scenery, stick_sample, write_people, write_sceneries
from train.test_readers import mpii_rows, write_images

from hpe.commands.evaluate import data_source, evaluate, guess_kind
from hpe.errors import BadSettings
from hpe.measure.annotated import oks_ap
from hpe.measure.evaluate import Options, run_evaluation
from hpe.measure.models import TorchSession, open_model
from hpe.measure.protocols import Predictions, lsp_measures, mpii_measures, predict_in_boxes
from hpe.measure.report import Report, as_text
from hpe.measure.whole_image import nobody, placed, predict_whole
from hpe.pose.crops import crop_affine, undo_affine, warp
from hpe.pose.heatmaps import decode_joints
from hpe.pose.result import Pose
from hpe.pose.skeleton import INDEX
from hpe.train.checkpoint import read_network
from hpe.train.config import Source
from hpe.train.data.coco import COCO_JOINTS, SHARED
from hpe.train.data.files import spread
from hpe.train.data.readers import read_source
from hpe.train.network import PoseResNet

LABEL = (255, 0, 255)  # marks a picture's top left corner for the oracle


class Oracle:
    """In place of an estimator: sees the marked corner of a picture and says where the joints are from there."""

    def __init__(self, points: np.ndarray, found: bool = True) -> None:
        self._points, self._found = points, found

    def __call__(self, rgb: np.ndarray) -> list[Pose]:
        ys, xs = (rgb == LABEL).all(axis=2).nonzero()
        if len(xs) == 0 or not self._found:
            return []
        points = (self._points + np.array([xs[0], ys[0]])).astype(np.float32)
        return [Pose(points, np.full(len(points), 0.9, np.float32), np.zeros(4, np.float32), 0.9, 0.2)]


def marked(seed: int):
    sample = stick_sample(seed)
    image = sample.image()
    image[0, 0] = LABEL
    return dataclasses.replace(sample, encoded=png(image))


@pytest.fixture
def checkpoint(tmp_path):
    """A narrow network of random weights, as `hpe train` writes it."""
    torch.manual_seed(0)
    network = PoseResNet(18, deconv_channels=16, width=8)
    torch.nn.init.constant_(network.final_layer.bias, 0.4)
    content = {"state_dict": {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}}
    torch.save(content | {"size": 64, "sigma": 1.0}, tmp_path / "best.pt")
    return tmp_path / "best.pt"


# --- measures


def test_a_person_of_a_known_error_has_a_known_pck():
    samples = [stick_sample(0), stick_sample(1)]
    points = np.stack([s.points for s in samples]).astype(float)
    points[0, INDEX["left_wrist"]] += 1000
    points[1, INDEX["pelvis"]] += 1000  # counts for nothing
    (measure,) = lsp_measures(samples, points)
    assert measure.mean == pytest.approx(100 * 27 / 28)
    assert measure.limbs == pytest.approx(100 * 23 / 24)
    assert measure.groups["wrist"] == pytest.approx(75)
    assert measure.groups["head"] == 100
    assert measure.joints["left_wrist"] == 50
    assert "pelvis" not in measure.joints


def test_pckh_uses_the_head_box_and_else_the_head_segment():
    sample = stick_sample(0)
    points = sample.points[None].astype(float)
    points[0, INDEX["left_knee"], 0] += 8
    boxed = dataclasses.replace(sample, head_px=15.0)
    half, tenth = mpii_measures([boxed], points)
    assert (half.name, tenth.name) == ("PCKh@0.5", "PCKh@0.1")
    assert half.joints["left_knee"] == 0  # 8 px is over half of 15
    assert mpii_measures([dataclasses.replace(sample, head_px=17.0)], points)[0].joints["left_knee"] == 100
    head = np.linalg.norm(sample.points[INDEX["head_top"]] - sample.points[INDEX["upper_neck"]])
    points[0, INDEX["left_knee"]] = sample.points[INDEX["left_knee"]] + [0.51 * head, 0]
    assert mpii_measures([sample], points)[0].joints["left_knee"] == 0
    points[0, INDEX["left_knee"]] = sample.points[INDEX["left_knee"]] + [0.49 * head, 0]
    assert mpii_measures([sample], points)[0].joints["left_knee"] == 100


def coco_truth(folder, count=6):
    """People with all 17 joints, and an annotation file of them."""
    rng = np.random.default_rng(0)
    rows, images = [], []
    for i in range(count):
        joints = np.column_stack([rng.uniform(20, 180, (17, 2)), np.full(17, 2)])
        rows.append({"id": i + 1, "image_id": 100 + i, "category_id": 1, "bbox": [10, 10, 180, 180], "iscrowd": 0})
        rows[-1] |= {"keypoints": joints.ravel().tolist(), "num_keypoints": 17, "area": 180.0 * 180 * 0.6}
        images.append({"id": 100 + i, "file_name": f"{i}.jpg", "width": 200, "height": 200})
    path = folder / "person_keypoints_val2017.json"
    category = {"id": 1, "name": "person", "keypoints": list(COCO_JOINTS), "skeleton": []}
    path.write_text(json.dumps({"images": images, "annotations": rows, "categories": [category]}))
    write_images(folder / "val2017", [row["file_name"] for row in images], 200, 200)
    return path


def test_coco_ap_is_full_for_the_labels_and_by_hand_for_known_errors(tmp_path):
    path = coco_truth(tmp_path)
    samples = read_source(Source("coco", str(path)))
    points = np.stack([s.points[:16] for s in samples]).astype(float)
    scores = np.full((len(samples), 16), 0.9, np.float32)
    perfect = oks_ap(path, samples, Predictions(points, scores))
    assert perfect["AP"] == pytest.approx(100)
    assert perfect["AR"] == pytest.approx(100)
    # OKS by its formula: every joint off by d px gives exp(-d^2 / (2 s^2 k^2)), k twice COCO's sigmas
    sigmas = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
    area, off = 180 * 180 * 0.6, 20.0
    oks = np.mean([np.exp(-(off**2) / (2 * area * (2 * sigmas[theirs]) ** 2)) for theirs, _ in SHARED])
    assert 0.5 < oks < 0.75
    shifted = points + np.array([off, 0])
    result = oks_ap(path, samples, Predictions(shifted, scores))
    assert result["AP50"] == pytest.approx(100)
    assert result["AP75"] == pytest.approx(0)
    passed = sum(oks >= t for t in np.arange(0.5, 0.96, 0.05)) / 10
    assert result["AP"] == pytest.approx(100 * passed, abs=0.1)


def test_missing_half_of_coco_halves_recall(tmp_path):
    path = coco_truth(tmp_path)
    samples = read_source(Source("coco", str(path)))
    points = np.stack([s.points[:16] for s in samples]).astype(float)
    points[::2] += 500
    scores = np.full((len(samples), 16), 0.9, np.float32)
    assert oks_ap(path, samples, Predictions(points, scores))["AR"] == pytest.approx(50)


# --- through the product's estimator


def test_the_labelled_box_is_cropped_as_the_product_crops(checkpoint):
    sample = stick_sample(0)
    predictions = predict_in_boxes(open_model(str(checkpoint)), [sample])
    affine = crop_affine(sample.box, 64)
    maps = TorchSession(read_network(checkpoint)[0]).run(warp(sample.image(), affine, 64)[None])[0]
    expected = undo_affine(decode_joints(maps, 1.0)[0], affine)
    np.testing.assert_allclose(predictions.points[0], expected, atol=1e-6)


def test_a_person_hidden_in_a_larger_frame_is_looked_for_there():
    sample = marked(0)
    oracle = Oracle(sample.points)
    streets = [dataclasses.replace(sample, encoded=png(scenery(1) // 2))]
    whole = predict_whole(oracle, [sample] * 4, streets, (2.0, 3.0))
    assert whole.found.all()
    np.testing.assert_allclose(whole.points, np.stack([sample.points[:16]] * 4), atol=1e-3)


def test_a_person_who_is_not_found_misses_every_joint():
    sample = marked(0)
    whole = predict_whole(Oracle(sample.points, found=False), [sample], [], (1.0, 1.0))
    assert not whole.found.any()
    assert lsp_measures([sample], whole.points)[0].mean == 0


def test_frames_are_repeatable_and_hold_the_whole_picture():
    picture = stick_sample(3).image()
    places = set()
    for seed in range(8):
        frames = [placed(picture, scenery(1), 2.5, np.random.default_rng(seed)) for _ in range(2)]
        np.testing.assert_array_equal(frames[0][0], frames[1][0])
        frame, (x, y) = frames[0]
        assert frame.shape == (300, 300, 3)
        np.testing.assert_array_equal(frame[int(y) : int(y) + 120, int(x) : int(x) + 120], picture)
        places.add((x, y))
    assert len(places) == 8
    same, corner = placed(picture, None, 1.0, np.random.default_rng(0))
    np.testing.assert_array_equal(same, picture)
    assert corner.tolist() == [0, 0]


def test_nobody_is_found_where_there_is_nobody():
    person, street = marked(0), dataclasses.replace(stick_sample(0), encoded=png(scenery(2) // 2))
    assert nobody(Oracle(person.points), [person, street, street]).tolist() == [False, True, True]


def test_a_limit_spreads_over_the_data():
    assert spread(list(range(10)), 0) == list(range(10))
    assert spread(list(range(10)), 3) == [0, 4, 9]
    assert spread(list(range(3)), 5) == [0, 1, 2]


# --- the command


def call(*arguments) -> str:
    result = CliRunner().invoke(evaluate, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_measures_boxes_whole_images_and_empty_photos(checkpoint, tmp_path):
    people, empty = write_people(tmp_path, 3), write_sceneries(tmp_path, 10)
    arguments = ["--data", people, "--model", checkpoint, "--whole-image", "--negatives", empty, "--flip"]
    found = json.loads(call(*arguments, "--json"))
    assert found["people"] == 3
    assert found["flip"] is True
    assert found["input_size"] == "64x64"
    assert [m["name"] for m in found["measures"]] == ["PCK@0.2", "PCK@0.2 whole image"]
    assert all(0 <= m["mean"] <= 100 for m in found["measures"])
    assert found["figures"]["nobody_found_in_negatives"]["of"] == 2
    assert set(found["figures"]) == {"people_found_in_frames", "people_found", "nobody_found_in_negatives"}
    text = call(*arguments, "--per-joint")
    for expected in ("PCK@0.2", "wrist", "left_wrist", "photos without people: nobody found (test part)", "mirrored"):
        assert expected in text
    assert f"{found['measures'][0]['mean']:.1f}" in text


def test_the_command_measures_mpii_and_coco(checkpoint, tmp_path):
    rows = mpii_rows(3)
    (tmp_path / "valid.json").write_text(json.dumps(rows))
    write_images(tmp_path / "images", [row["image"] for row in rows])
    text = call("--data", tmp_path / "valid.json", "--model", checkpoint)
    assert "PCKh@0.5" in text
    assert "PCKh@0.1" in text
    assert "No head boxes given" in text
    savemat(tmp_path / "gt.mat", {"headboxes_src": np.full((2, 2, 3), [[[0.0]], [[9.0]]])})
    text = call("--data", tmp_path / "valid.json", "--model", checkpoint, "--head-boxes", tmp_path / "gt.mat")
    assert "No head boxes" not in text
    found = json.loads(call("--data", coco_truth(tmp_path), "--model", checkpoint, "--json"))
    (row,) = found["average_precision"].values()
    assert set(row) == {"AP", "AP50", "AP75", "medium", "large", "AR"}


def test_nothing_to_measure_is_said():
    result = CliRunner().invoke(evaluate, [])
    assert result.exit_code == 2
    assert "give --data, --negatives or both" in result.output


@pytest.mark.parametrize("option", ["--steadiness", "--turned"])
def test_what_only_whole_photos_have_is_not_measured_on_others(tmp_path, option):
    result = CliRunner().invoke(evaluate, ["--data", str(write_people(tmp_path, 1)), option])
    assert result.exit_code == 2
    assert f"{option}: only for --data of whole photos" in result.output


def test_formats_are_told_by_their_content(tmp_path):
    assert guess_kind(write_people(tmp_path, 1)) == "shards"
    assert guess_kind(coco_truth(tmp_path)) == "coco"
    assert guess_kind(tmp_path) == "lsp"
    assert guess_kind(tmp_path / "mpii.mat") == "mpii"
    (tmp_path / "valid.json").write_text(json.dumps(mpii_rows(1)))
    assert guess_kind(tmp_path / "valid.json") == "mpii"
    (tmp_path / "odd.json").write_text("[1]")
    with pytest.raises(BadSettings, match="say which with --kind"):
        guess_kind(tmp_path / "odd.json")
    options = {"kind": "mpii", "images": "x", "head_boxes": "", "first": 3, "last": 4}
    assert data_source(tmp_path / "valid.json", options).options == {"images": "x"}


def test_the_table_is_aligned_and_dashes_stand_for_nothing_measured():
    report = Report("m", "a net", "64x64", False, "val.json", 1)
    sample = dataclasses.replace(stick_sample(0), labelled=np.arange(21) != INDEX["head_top"])
    report.measures += lsp_measures([sample], sample.points[None].astype(float))
    lines = [line for line in as_text(report).splitlines() if "│" in line]
    assert len({len(line) for line in lines}) == 1
    assert " - " in lines[1]
    assert report.as_json()["measures"][0]["groups"]["head"] is None
    assert not any(isinstance(v, float) and math.isnan(v) for v in report.as_json()["measures"][0]["joints"].values())


def test_the_committed_model_is_measured_on_shared_data(shared):
    options = Options(Source("shards", str(shared / "data/pose/val.json")), limit=4)
    with contextlib.redirect_stderr(io.StringIO()):
        report = run_evaluation(options)
    assert report.people == 4
    assert report.measures[0].groups["head"] >= 50
