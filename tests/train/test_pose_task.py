"""The pose network's examples: targets lie on the joints however the crop was made, and say what is known."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from train.figures import png, stick_figure, write_people, write_sceneries, write_tar

from hpe.pose import crops
from hpe.pose.heatmaps import decode_joints
from hpe.pose.skeleton import INDEX, KEYPOINTS, NUM_JOINTS
from hpe.train.augment.chance import Chance
from hpe.train.augment.crops import back, crop_affine, cut_off, mirrored, random_affine
from hpe.train.config import Augmentation, Source, Stage, TrainConfig
from hpe.train.tasks.pose import FACE_WEIGHT, PoseTask, heatmaps, peaks

CPU = torch.device("cpu")
STAGE = Stage(0.0, (128, 96), 12)
STILL = Augmentation(
    flip_p=0, colour=0, grey_p=0, blur_p=0, motion_p=0, low_resolution_p=0, jpeg_p=0, occlude_p=0, rotation_p=0,
    scale=0, aspect=0, box_shift=0, box_size=0, cut_p=0, scenery_p=0,
)  # fmt: skip
WILD = dataclasses.replace(STILL, rotation_p=1, rotation_deg=30, scale=0.15, aspect=0.15, box_shift=0.06, box_size=0.12)
KNEES = {"left_knee": (255, 0, 0), "right_knee": (0, 0, 255)}


def dotted_people(folder: Path, count: int = 3, unlabelled: tuple[str, ...] = (), room: float = 4) -> Source:
    """Whole photos of one person each: dots on a grey ground, the left knee's red and the right knee's blue."""
    rows, files = [], {}
    for seed in range(count):
        _, points = stick_figure(seed, side := 160)
        image = np.full((side, side, 3), 60, np.uint8)
        for name, colour in KNEES.items():
            cv2.circle(image, tuple(round(float(v)) for v in points[INDEX[name]]), 5, colour, -1)
        files[f"{seed}.png"] = png(image)
        known = [[float(x), float(y), int(KEYPOINTS[j] not in unlabelled)] for j, (x, y) in enumerate(points)]
        box = [float(v) for v in (*(points.min(axis=0) - room), *(points.max(axis=0) + room))]
        person = {"box": box, "joints": known[:16], "face": known[16:]}
        rows.append({"id": f"dots/{seed}", "shard": "dots-0.tar", "file": f"{seed}.png", "people": [person]})
    write_tar(folder / "dots-0.tar", files)
    (folder / "dots.json").write_text(json.dumps(rows))
    return Source("people", str(folder / "dots.json"))


def task(tmp_path: Path, *sources: Source, augmentation: Augmentation = STILL) -> PoseTask:
    config = TrainConfig("x", sources, (), steps=1, sigma=1.5, augmentation=augmentation)
    return PoseTask(config, tmp_path / "cache", CPU)


def example(made: PoseTask) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-> (N, H, W, 3) pictures, (N, J, h, w) targets, (N, J, h, w) weights."""
    pictures, (targets, weights) = made.batch(0, STAGE)
    assert pictures.dtype == torch.uint8
    return pictures.numpy(), targets.numpy(), weights.numpy()


def dot(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Centre of the px of about that colour, (2,) x, y."""
    ys, xs = (np.abs(picture.astype(int) - colour).max(axis=2) < 90).nonzero()
    assert len(xs) > 5
    return np.array([xs.mean(), ys.mean()])


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_targets_lie_on_their_joints_turned_scaled_and_mirrored(tmp_path: Path, flip: float) -> None:
    changes = dataclasses.replace(WILD, flip_p=flip)
    pictures, targets, _ = example(task(tmp_path, dotted_people(tmp_path), augmentation=changes))
    names = {"left_knee": "right_knee", "right_knee": "left_knee"} if flip else {name: name for name in KNEES}
    apart = []
    for picture, maps in zip(pictures, targets, strict=True):
        for name, colour in KNEES.items():
            x, y = decode_joints(maps, 1.5)[0][INDEX[names[name]]]
            apart.append(np.hypot(*(dot(picture, colour) - (x, y))))
    assert max(apart) < 1.5
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)  # all different


def test_a_batch_is_a_function_of_its_step(tmp_path: Path) -> None:
    made = task(tmp_path, dotted_people(tmp_path), augmentation=Augmentation())
    first, again, next_one = (made.batch(step, STAGE) for step in (4, 4, 5))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1][0], again[1][0])
    assert not torch.equal(first[0], next_one[0])


def test_joints_beyond_the_edge_of_a_cut_photo_have_empty_targets_that_count(tmp_path: Path) -> None:
    changes = dataclasses.replace(STILL, cut_p=1.0)
    pictures, targets, weights = example(task(tmp_path, dotted_people(tmp_path), augmentation=changes))
    shown = targets.max(axis=(2, 3)) > 0.1
    assert 0 < shown.mean() < 1
    assert (shown.sum(axis=1) >= 3).all()
    assert (weights[:, :NUM_JOINTS] == 1).all()  # every joint is labelled here
    assert (weights[:, NUM_JOINTS:] == FACE_WEIGHT).all()
    for picture, joints in zip(pictures, shown, strict=True):
        for name, colour in KNEES.items():
            visible = (np.abs(picture.astype(int) - colour).max(axis=2) < 90).sum()
            assert visible > 20 if joints[INDEX[name]] else visible < 60


def test_an_unlabelled_joint_counts_only_outside_a_box_that_holds_the_whole_person(tmp_path: Path) -> None:
    pictures, targets, weights = example(task(tmp_path, dotted_people(tmp_path, unlabelled=("left_wrist",))))
    wrist = weights[:, INDEX["left_wrist"]]
    assert (targets[:, INDEX["left_wrist"]] == 0).all()
    assert (weights[:, INDEX["left_knee"]] == 1).all()
    # the box fills 1 / 1.25 of the crop in one direction at least; 5 % of it more on each side is left open
    assert (wrist[:, 4:-4, 4:-4] == 0).all()
    assert (wrist[:, :, [0, -1]] == 1).all() or (wrist[:, [0, -1], :] == 1).all()
    assert len(pictures) == STAGE.batch


def test_where_the_box_is_drawn_round_joints_an_unlabelled_one_never_counts(tmp_path: Path) -> None:
    path = write_people(tmp_path, 2)
    rows = json.loads(path.read_text())
    for row in rows:
        row["joints"][INDEX["left_wrist"]][2] = 0
    path.write_text(json.dumps(rows))
    _, targets, weights = example(task(tmp_path, Source("shards", str(path))))
    assert (weights[:, INDEX["left_wrist"]] == 0).all()
    assert (weights[:, INDEX["left_elbow"]] == 1).all()
    assert (targets[:, INDEX["left_elbow"]].max(axis=(1, 2)) > 0.8).all()


def test_photos_without_people_have_empty_targets_that_count(tmp_path: Path) -> None:
    pictures, targets, weights = example(task(tmp_path, Source("empty", str(write_sceneries(tmp_path, 2)))))
    assert (targets == 0).all()
    assert (weights[:, :NUM_JOINTS] == 1).all()
    assert (weights[:, NUM_JOINTS:] == FACE_WEIGHT).all()
    assert pictures.std() > 10


def test_a_lookalike_is_seen_in_the_box_that_a_locator_drew_round_it(tmp_path: Path) -> None:
    scenery = np.full((100, 200, 3), 255, np.uint8)
    scenery[20:60, 120:150] = (0, 200, 0)
    path = tmp_path / "empty.tar"
    write_tar(path, {"a.png": png(scenery)})
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps([{"id": "a.png", "boxes": [[120, 20, 149, 59]]}] * 40))
    source = Source("empty", str(path), labels=str(labels))
    pictures, targets, weights = example(task(tmp_path, source))
    assert (targets == 0).all()
    assert (weights[:, :NUM_JOINTS] == 1).all()
    assert (weights[:, NUM_JOINTS:] == FACE_WEIGHT).all()
    green = [(np.abs(picture.astype(int) - (0, 200, 0)).max(axis=2) < 60).mean() for picture in pictures]
    assert np.median(green) == pytest.approx(0.64, abs=0.05)  # 1 / 1.25 of each side, like a person


def test_cut_out_people_get_other_scenery_and_whole_photos_end_where_they_end(tmp_path: Path) -> None:
    empty = Source("empty", str(write_sceneries(tmp_path, 2)), weight=1e-6)
    changes = dataclasses.replace(STILL, scenery_p=1.0)
    people = Source("shards", str(write_people(tmp_path, 2)))
    for source, scenery in ((people, True), (dotted_people(tmp_path, room=40), False)):
        pictures, _, _ = example(task(tmp_path, source, empty, augmentation=changes))
        assert bool(pictures[:, 0].any()) == scenery  # the uppermost row lies outside the picture


def test_the_crop_is_the_products() -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(-20, 200, (50, 2))
    boxes = np.concatenate([low, low + rng.uniform(2, 300, (50, 2))], axis=1)
    ours = crop_affine(torch.from_numpy(boxes), 256, 192).numpy()
    theirs = [crops.crop_affine(box, (256, 192)) for box in boxes]
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    none = torch.zeros(50, dtype=torch.bool)
    errors = random_affine(torch.from_numpy(boxes).float(), none, 256, 192, STILL, Chance(1, 0, 50, CPU))
    np.testing.assert_allclose(errors, theirs, atol=1e-3)


def test_a_box_errs_in_place_size_and_aspect() -> None:
    box = torch.tensor([[100.0, 100.0, 160.0, 180.0]]).repeat(400, 1)
    changes = dataclasses.replace(STILL, box_shift=0.05, box_size=0.1)
    none = torch.zeros(400, dtype=torch.bool)
    affine = random_affine(box, none, 256, 192, changes, Chance(1, 0, 400, CPU)).numpy()
    x, y = (affine @ [130, 140, 1] - [95.5, 127.5]).T
    # a deviation of 5 % of the sides, in network px of this crop of 256 / 100
    assert np.std(x) == pytest.approx(0.05 * 60 * 2.56, rel=0.25)
    assert np.std(y) == pytest.approx(0.05 * 80 * 2.56, rel=0.25)
    assert 0.05 < np.std(np.log(affine[:, 0, 0])) < 0.15


def stretch_of(squashed: bool) -> float:
    """The deviation of the logarithm of crops' aspect."""
    box = torch.tensor([[100.0, 100.0, 160.0, 180.0]]).repeat(400, 1)
    changes = dataclasses.replace(STILL, aspect=0.1)
    affine = random_affine(box, torch.full((400,), squashed), 256, 192, changes, Chance(1, 0, 400, CPU)).numpy()
    return float(np.std(np.log(affine[:, 0, 0] / affine[:, 1, 1])))


def test_a_picture_that_was_resized_to_a_square_is_stretched_more() -> None:
    assert stretch_of(False) == pytest.approx(0.1, rel=0.15)
    assert stretch_of(True) == pytest.approx(0.2, rel=0.15)


def test_crops_are_turned_by_any_angle_as_often_as_asked() -> None:
    box, whole = torch.tensor([[100.0, 100.0, 160.0, 180.0]]).repeat(400, 1), torch.zeros(400, dtype=torch.bool)
    for turn_p in (0.0, 0.3, 1.0):
        changes = dataclasses.replace(STILL, turn_p=turn_p)
        affine = random_affine(box, whole, 256, 192, changes, Chance(1, 0, 400, CPU)).numpy()
        angle = np.arctan2(affine[:, 1, 0], affine[:, 0, 0])
        assert (np.abs(angle) > 1e-4).mean() == pytest.approx(turn_p, abs=0.07)
        if turn_p:
            turned = angle[np.abs(angle) > 1e-4]
            assert np.histogram(turned, 4, (-np.pi, np.pi))[0].min() > 0.15 * len(turned)
        np.testing.assert_allclose(affine @ [130, 140, 1], [[95.5, 127.5]] * 400, atol=1e-2)  # about the middle


def test_mirroring_twice_changes_nothing_and_back_undoes_the_crop() -> None:
    box, whole = torch.tensor([[10.0, 20.0, 90.0, 150.0]]), torch.zeros(1, dtype=torch.bool)
    affine = random_affine(box, whole, 64, 48, WILD, Chance(2, 0, 1, CPU))
    torch.testing.assert_close(mirrored(mirrored(affine, 48), 48), affine)
    x, y = back(affine, 64, 48)
    there = affine[0, :, :2] @ torch.stack([x[0, 7, 5], y[0, 7, 5]]) + affine[0, :, 2]
    np.testing.assert_allclose(there, [5, 7], atol=1e-3)


def test_a_cut_leaves_three_labelled_joints_or_is_not_made() -> None:
    _, points = stick_figure(0, 160)
    frame, box = torch.tensor([[-0.5, -0.5, 159.5, 159.5]]), torch.tensor([[*points.min(axis=0), *points.max(axis=0)]])
    many = [t.repeat(500, *[1] * (t.dim() - 1)) for t in (frame, box, torch.from_numpy(points)[None])]
    labelled = torch.zeros(500, 21, dtype=torch.bool)
    labelled[:, [INDEX[n] for n in ("left_ankle", "right_ankle", "left_knee", "head_top")]] = True
    shown = cut_off(*many, labelled, dataclasses.replace(STILL, cut_p=1.0), Chance(1, 0, 500, CPU))
    cut = (shown != many[0]).any(dim=1)
    assert 0 < cut.float().mean() < 1
    inside = ((many[2] >= shown[:, None, :2]) & (many[2] <= shown[:, None, 2:])).all(dim=2) & labelled
    assert (inside.sum(dim=1) >= 3).all()
    assert (shown[:, :2] >= many[0][:, :2]).all()
    assert (shown[:, 2:] <= many[0][:, 2:]).all()


def test_heatmaps_decode_to_the_points_they_were_made_of() -> None:
    places = torch.tensor([[[10.3, 20.0], [33.9, 47.1], [-40.0, 8.0]]])
    maps, inside = heatmaps(places, 64, 48, 1.5)
    assert inside.tolist() == [[True, True, False]]
    found, _ = decode_joints(maps[0].numpy(), 1.5)
    np.testing.assert_allclose(found[:2], places[0, :2], atol=0.1)
    np.testing.assert_allclose(peaks(maps)[0, :2] * 4, places[0, :2], atol=1.5)


def test_the_loss_is_half_the_weighted_mean_square(tmp_path: Path) -> None:
    made = task(tmp_path, dotted_people(tmp_path, 1))
    # two joints of two cells; differences 2, 0 and 1, 3; the last cell does not count
    outputs = torch.tensor([[[[2.0, 0.0]], [[1.0, 3.0]]]])
    weights = torch.tensor([[[[1.0, 1.0]], [[1.0, 0.0]]]])
    assert float(made.loss(outputs, (torch.zeros(1, 2, 1, 2), weights))) == pytest.approx(0.5 * (4 + 0 + 1) / 4)
    assert float(made.loss(outputs, (outputs, weights))) == 0
