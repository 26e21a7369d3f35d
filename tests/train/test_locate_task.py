"""The locator's examples: boxes lie where people are in the mosaic, and its maps are those that the product decodes."""

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from engine import stand_ins
from train.figures import png, write_people, write_photos, write_sceneries, write_tar

from hpe.errors import BadData
from hpe.pose import boxes as product
from hpe.train.augment.chance import Chance
from hpe.train.augment.mosaic import IGNORE, NOBODY, PERSON, Photos, mosaics
from hpe.train.augment.pixels import Draw
from hpe.train.config import Augmentation, Source, Stage, TrainConfig
from hpe.train.data.people import read_photos
from hpe.train.network import normalise
from hpe.train.tasks.centres import encode_boxes
from hpe.train.tasks.locate import LocateTask, read_whole_photos

CPU = torch.device("cpu")
COLOURS = ((230, 20, 20), (20, 230, 20), (20, 20, 230))
BOXES = ((10, 15, 39, 84), (60, 20, 119, 59), (70, 70, 99, 94))
STILL = Augmentation(
    flip_p=0.5, colour=0, grey_p=0, blur_p=0, motion_p=0, low_resolution_p=0, jpeg_p=0, occlude_p=0, mosaic=(1.0, 0.0)
)
IDENTITY = np.array([[1.0, 0, 0], [0, 1, 0]])


def rectangles(folder: Path) -> Path:
    """A photo of three coloured rectangles, the last of which is to be ignored."""
    image = np.full((100, 130, 3), 90, np.uint8)
    for (x0, y0, x1, y1), colour in zip(BOXES, COLOURS, strict=True):
        cv2.rectangle(image, (x0, y0), (x1, y1), colour, -1)
    # the outer edges of pixels whose centres are at whole numbers
    people = [{"box": [b[0] - 0.5, b[1] - 0.5, b[2] + 0.5, b[3] + 0.5], "ignore": b is BOXES[2]} for b in BOXES]
    write_tar(folder / "boxes-0.tar", {"0.png": png(image)})
    row = {"id": "boxes/0", "shard": "boxes-0.tar", "file": "0.png", "people": people}
    (folder / "boxes.json").write_text(json.dumps([row]))
    return folder / "boxes.json"


def frames(folder: Path, settings: Augmentation, count: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """-> (N, H, W, 3) pictures, (N, 9, K, 4) boxes, (N, 9, K) kinds."""
    photos = Photos(read_photos(rectangles(folder)), CPU)
    pictures, boxes, kind = mosaics(photos, Draw([1.0], CPU), 128, 160, settings, Chance(1, 0, count, CPU))
    return pictures.numpy(), boxes.view(count, 9, -1, 4).numpy(), kind.view(count, 9, -1).numpy()


def masks(picture: np.ndarray) -> list[np.ndarray]:
    return [np.abs(picture.astype(int) - colour).max(axis=2) < 70 for colour in COLOURS]


def test_boxes_are_the_edges_of_what_is_shown_of_each_person(tmp_path: Path) -> None:
    pictures, boxes, kind = frames(tmp_path, dataclasses.replace(STILL, zoom=(0.5, 2.5)))
    # the largest first, the ignored one last
    order = [1, 0, 2]
    seen = 0
    for picture, places, kinds in zip(pictures, boxes[:, 0], kind[:, 0], strict=True):
        shown = masks(picture)
        for k, which in enumerate(order):
            if kinds[k] == NOBODY:
                assert shown[which].sum() < 60
                continue
            ys, xs = shown[which].nonzero()
            edges = [xs.min() - 0.5, ys.min() - 0.5, xs.max() + 0.5, ys.max() + 0.5]
            np.testing.assert_allclose(places[k], edges, atol=1.6)
            assert kinds[k] == IGNORE if which == 2 else kinds[k] in (PERSON, IGNORE)
            seen += 1
    assert seen > 20
    assert not kind[:, 1:].any()  # one photo alone fills the frame


@pytest.mark.parametrize("mosaic", [(0.0, 1.0), (0.0, 0.0)])
def test_in_a_mosaic_everybody_is_boxed_and_nothing_else(tmp_path: Path, mosaic: tuple[float, float]) -> None:
    pictures, boxes, kind = frames(tmp_path, dataclasses.replace(STILL, mosaic=mosaic), 6)
    used = (kind != NOBODY).any(axis=2).sum(axis=1)
    assert used.max() == (4 if mosaic[1] else 9)
    for picture, places, kinds in zip(pictures, boxes.reshape(6, -1, 4), kind.reshape(6, -1), strict=True):
        coloured = np.any(masks(picture), axis=0)
        boxed = np.zeros_like(coloured)
        for x0, y0, x1, y1 in np.ceil(places[kinds != NOBODY]).astype(int):
            boxed[max(y0, 0) : y1, max(x0, 0) : x1] = True
        assert coloured[boxed].mean() > 0.9
        assert (coloured & ~boxed).sum() < 0.04 * coloured.sum()


def test_a_person_mostly_cut_off_or_tiny_counts_neither_way(tmp_path: Path) -> None:
    _, boxes, kind = frames(tmp_path, dataclasses.replace(STILL, zoom=(0.1, 0.1)))
    assert (np.ptp(boxes[:, 0, 0], axis=1) > 0).all()
    longer = (boxes[:, 0, :2, 2:] - boxes[:, 0, :2, :2]).max(axis=2)
    assert (kind[:, 0, :2][longer < 7.9] == IGNORE).all()
    assert (kind[:, 0, :2][longer > 8.1] == PERSON).all()
    assert 0 < (longer < 7.9).mean() < 1


def test_the_maps_decode_to_the_boxes_they_were_made_of() -> None:
    people = np.array([[10, 20, 60, 140], [90, 30, 150, 90], [100, 100, 124, 124]], float)
    kind = torch.tensor([[PERSON, PERSON, PERSON, NOBODY]])
    given = torch.from_numpy(np.concatenate([people, [[0, 0, 9, 9]]])).float()[None]
    centres, background, size, weight = encode_boxes(given, kind, 160, 160, 160)
    maps = torch.cat([centres, size[0]]).numpy()
    found, scores = product.decode_boxes(maps, IDENTITY, (160, 160), 160, 0.5, 20)
    assert len(found) == 3
    assert scores.min() > 0.99
    nearest = np.argmax(product.box_iou(people, found), axis=1)
    np.testing.assert_allclose(found[nearest], people, atol=2.1)  # centres are raised to 1 at the cell nearest to them
    theirs, near = stand_ins.encode_boxes(people, (160, 160), 160)
    ours = maps.copy()
    ours[0][centres[0].numpy() == 1] = theirs[0][centres[0].numpy() == 1]
    np.testing.assert_allclose(ours[0], theirs[0], atol=0.002)
    np.testing.assert_allclose(ours[1:, near], theirs[1:, near], atol=1e-4)
    assert background.all()
    # each person weighs about the same, however large
    sums = [float(weight[0][size[0, 0] == np.float32((x1 - x0) / 160)].sum()) for x0, _, x1, _ in people]
    assert max(sums) < 1.3 * min(sums)


def test_areas_to_ignore_are_no_background() -> None:
    boxes = torch.tensor([[[8.0, 16.0, 40.0, 60.0], [64.0, 64.0, 96.0, 96.0]]])
    centres, background, _, weight = encode_boxes(boxes, torch.tensor([[IGNORE, PERSON]]), 128, 128, 128)
    rows, columns = (background[0] == 0).nonzero(as_tuple=True)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 15, 2, 10)
    assert int((background[0] == 0).sum()) == 12 * 9
    assert float(centres[0, :16, :11].max()) < 0.01
    assert float(weight[0, :16, :11].max()) == 0


@pytest.fixture
def task(tmp_path: Path) -> LocateTask:
    source = Source("people", str(write_photos(tmp_path, 2)))
    empty = Source("empty", str(write_sceneries(tmp_path, 2)), weight=0.5)
    return LocateTask(TrainConfig("x", (source, empty), (source,), "locate", 18, 16, 8, steps=1), CPU)


def test_the_loss_falls_to_nothing_on_perfect_maps_and_rises_with_every_mistake(task: LocateTask) -> None:
    _, targets = task.batch(0, Stage(0.0, 128, 6))
    centres, background, size, _ = targets
    assert (centres == 1).any()
    assert not background.all()
    sure = torch.where(centres == 1, 2.0, -1.0)
    perfect = torch.cat([sure[:, None], size], dim=1)
    assert float(task.loss(perfect, targets)) < 1e-3
    blind, seeing_things = perfect.clone(), perfect.clone()
    blind[:, 0] = -1
    seeing_things[:, 0] = torch.where(background == 0, 2.0, sure)
    wrong_sizes = perfect + torch.tensor([0.0, 0.2, 0.2])[:, None, None]
    assert float(task.loss(blind, targets)) > 5
    assert float(task.loss(wrong_sizes, targets)) > 0.3
    assert float(task.loss(seeing_things, targets)) < 1e-3  # in areas to ignore
    n, y, x = ((centres < 1e-4) & (background == 1)).nonzero()[0]
    perfect[n, 0, y, x] = 2.0
    assert float(task.loss(perfect, targets)) > 0.2


def test_a_batch_is_a_function_of_its_step(task: LocateTask) -> None:
    stage = Stage(0.0, 64, 4)
    first, again, other = (task.batch(step, stage) for step in (3, 3, 4))
    assert torch.equal(first[0], again[0])
    assert all(torch.equal(a, b) for a, b in zip(first[1], again[1], strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_new_network_is_sure_of_nobody(task: LocateTask) -> None:
    network = task.network().eval()
    with torch.no_grad():
        maps = network(normalise(torch.full((1, 64, 64, 3), 90, dtype=torch.uint8)))
    assert maps.shape == (1, 3, 16, 16)
    score = torch.sigmoid(product.LOGIT_SLOPE * maps[:, 0] + product.LOGIT_INTERCEPT)
    assert float(score.max()) < 0.1


def test_a_network_that_finds_everybody_has_an_ap_of_100(task: LocateTask) -> None:
    class Knowing(torch.nn.Module):
        """Answers with the maps of the labelled boxes, in the validation's order."""

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            photos = [photo for source in task.config.val for photo in read_whole_photos(source)]
            scale = pictures.shape[-1] / 280
            boxes = [torch.from_numpy((p.boxes[~p.ignore] + 0.5) * scale - 0.5)[None] for p in photos]
            frame = tuple(pictures.shape[-2:])
            made = [encode_boxes(b, torch.ones(b.shape[:2], dtype=torch.long), *frame, task.unit) for b in boxes]
            return torch.cat([torch.cat([centres[:, None], size], dim=1) for centres, _, size, _ in made])

    measures = task.validate(Knowing(), Stage(0.0, 160, 2))
    assert list(measures) == ["ap50_32", "ap50_96", "ap50_0"]
    assert all(value == pytest.approx(100) for value in measures.values())


def test_sizes_count_in_one_unit_in_every_stage(tmp_path: Path) -> None:
    source = Source("people", str(write_photos(tmp_path, 2)))
    stages = (Stage(0.0, 64, 4), Stage(0.5, 128, 4))
    for unit, expected in ((0, 128), (416, 416)):
        config = TrainConfig("x", (source,), (), "locate", 18, 16, 8, stages=stages, size_unit=unit, steps=1)
        task = LocateTask(config, CPU)
        assert task.facts()["size_unit"] == expected
        frames, (_, _, size, weight) = task.batch(0, stages[0])
        assert frames.shape[-3:-1] == (64, 64)
        assert float((size * expected * (weight > 0)[:, None]).max()) <= 64 * 1.02


def test_of_one_boxed_person_nothing_is_known_outside_their_box(tmp_path: Path) -> None:
    source = Source("shards", str(write_people(tmp_path, 3)))
    small = dataclasses.replace(STILL, zoom=(0.4, 0.8))
    config = TrainConfig("x", (source,), (), "locate", 18, 16, 8, steps=1, augmentation=small)
    task = LocateTask(config, CPU)
    _, (centres, background, _, _) = task.batch(0, Stage(0.0, 128, 6))
    assert ((centres == 1).flatten(1).sum(1) == 1).all()
    inside = background > 0
    assert inside.flatten(1).any(1).all()
    for box, centre in zip(inside, centres, strict=True):
        rows, columns = box.nonzero(as_tuple=True)
        area = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
        assert int(area) == int(box.sum())  # a rectangle, and smaller than the frame
        assert int(area) < 0.9 * box.numel()
        assert bool(box[centre == 1].all())


def test_sources_without_photos_are_refused(tmp_path: Path) -> None:
    photos = Source("people", str(write_photos(tmp_path, 1)), match="other/")
    with pytest.raises(BadData, match=r"no photos \(match='other/'\)"):
        LocateTask(TrainConfig("x", (photos,), (), "locate", steps=1), CPU)
