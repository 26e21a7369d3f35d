"""People cut out of large photos keep their joints in place."""

import json

import cv2
import numpy as np
import pytest
from train.figures import png, stick_figure, stick_sample, write_people
from train.test_readers import lsp_folder

from hpe.train.config import Source
from hpe.train.data.readers import read_shards
from hpe.train.data.samples import Sample, tight_box
from hpe.train.data.shards import PERSON_PX, training_samples, write_shards


def marked_photo(folder) -> Sample:
    """A 1500 x 1200 photo with a red dot on each of 21 keypoints of a person 900 px tall."""
    _, points = stick_figure(0, 1000)
    points = points + np.float32([300, 100])
    image = np.full((1200, 1500, 3), 90, np.uint8)
    for x, y in points:
        cv2.circle(image, (round(float(x)), round(float(y))), 9, (255, 0, 0), -1)
    path = folder / "photo.png"
    path.write_bytes(png(image))
    labelled = np.ones(21, np.bool_)
    return Sample("photo/0", path, points, labelled, tight_box(points, labelled), head_px=100.0)


def test_a_cut_out_person_is_small_and_joints_lie_on_their_marks(tmp_path):
    sample = marked_photo(tmp_path)
    write_shards([sample], tmp_path / "packed.json")
    (small,) = read_shards(tmp_path / "packed.json")
    factor = max(small.box[2:] - small.box[:2]) / max(sample.box[2:] - sample.box[:2])
    assert max(small.box[2:] - small.box[:2]) == pytest.approx(PERSON_PX, rel=0.01)
    assert small.head_px == pytest.approx(100 * factor, rel=0.01)
    image = small.image()
    assert max(image.shape) < 2 * PERSON_PX
    red = image[..., 0].astype(int) - image[..., 1] > 60
    ys, xs = red.nonzero()
    for point in small.points:
        near = np.hypot(xs - point[0], ys - point[1]) < 5
        centre = np.array([xs[near].mean(), ys[near].mean()])
        assert np.hypot(*(centre - point)) < 0.8


def test_a_small_person_is_not_blown_up(tmp_path):
    sample = stick_sample(1)
    write_shards([sample], tmp_path / "packed.json")
    (same,) = read_shards(tmp_path / "packed.json")
    np.testing.assert_allclose(same.points, sample.points, atol=0.02)
    assert same.image().shape == sample.image().shape


def test_a_folder_of_photos_is_packed_once_and_again_when_labels_change(tmp_path):
    lsp_folder(tmp_path / "lsp", 3, extended=False, digits=4)
    source = Source("lsp", str(tmp_path / "lsp"))
    first = training_samples(source, tmp_path / "cache")
    assert all(isinstance(s.encoded, bytes) for s in first)
    written = sorted((tmp_path / "cache").iterdir())
    assert [s.id for s in training_samples(source, tmp_path / "cache")] == [s.id for s in first]
    assert sorted((tmp_path / "cache").iterdir()) == written
    picked = training_samples(Source("lsp", str(tmp_path / "lsp"), match="lsp/0002"), tmp_path / "cache")
    assert [s.id for s in picked] == ["lsp/0002"]
    (tmp_path / "lsp/joints.mat").unlink()
    lsp_folder_joints = np.random.default_rng(1).uniform(5, 50, (3, 14, 3))
    from scipy.io import savemat

    savemat(tmp_path / "lsp/joints.mat", {"joints": lsp_folder_joints})
    training_samples(source, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2 * len(written)


def test_shards_need_no_packing(tmp_path):
    path = write_people(tmp_path, 2)
    assert len(training_samples(Source("shards", str(path)), tmp_path / "cache")) == 2
    assert not (tmp_path / "cache").exists()


def test_the_packed_rows_are_this_projects_format(tmp_path):
    write_shards([stick_sample(1)], tmp_path / "packed.json")
    (row,) = json.loads((tmp_path / "packed.json").read_text())
    assert set(row) == {"id", "file", "shard", "width", "height", "box", "own_box", "joints"}
    assert np.array(row["joints"]).shape == (21, 3)
