"""What a configuration file may say, and the one line that says what is wrong with it."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from hpe.errors import BadData, BadSettings
from hpe.train.config import Source, check_files, read_config
from hpe.train.data.readers import READERS
from hpe.train.limits import CHOICES

GOOD = {
    "name": "tiny",
    "depth": 18,
    "train": [{"kind": "people", "path": "people.json"}],
    "val": {"kind": "people", "path": "people-val.json"},
    "stages": [{"start": 0.0, "size": 64, "batch": 2}],
    "steps": 2,
}


def read(folder: Path, content: dict[str, object]):
    (folder / "tiny.yaml").write_text(yaml.safe_dump(content))
    return read_config(folder / "tiny.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hours": 1}, "give either steps or hours"),
        ({"steps": 0}, "give either steps or hours"),
        ({"steps": -5}, "steps -5: give a whole number from 0 to"),
        ({"steps": 2.5}, "steps 2.5: give a whole number"),
        ({"hours": float("nan")}, "hours nan: give a number from 0 to"),
        ({"lr": "1e-3"}, r"lr '1e-3': give a number .* write 1.0e-3"),
        ({"lr": 1.0e-4, "lr_end": 1.0e-3}, "lr_end 0.001 is above lr 0.0001"),
        ({"depth": 20}, "depth 20: choose one of 18, 34, 50"),
        ({"width": 0}, "width 0: give a whole number from 8"),
        ({"seed": -1}, "seed -1: give a whole number from 0"),
        ({"ema": 1}, "ema 1: give a number from 0 to 0.999999"),
        ({"name": "a/b"}, "name 'a/b': give a name for the run's folder"),
        ({"name": 3}, "name 3: give text"),
        ({"stages": []}, "stages is empty"),
        ({"stages": [7]}, "stages is 7: give keys and values"),
        ({"stages": [{"start": 0.0, "size": 100, "batch": 4}]}, "stage size 100: sides must be multiples of 32"),
        ({"stages": [{"start": 0.0, "size": [64], "batch": 4}, 1]}, "stages is 1"),
        ({"stages": [{"start": 0.0, "size": "big", "batch": 4}]}, "stage size 'big'"),
        ({"stages": [{"start": 0.5, "size": 64, "batch": 4}]}, "the first must start at 0"),
        ({"stages": [{"start": 0.0, "size": 64, "batch": 1}]}, "batch 1: give a whole number from 2"),
        ({"colour": 3}, "the file has an unknown key 'colour': choose from name, train"),
        ({"task": "segment"}, "task 'segment': choose one of pose, locate"),
        ({"init_channels": "bgra"}, "choose one of rgb, bgr"),
        ({"augmentation": None}, "augmentation is None: give keys and values, .* or leave it out"),
        ({"augmentation": {"warp": 1}}, "augmentation has an unknown key 'warp'"),
        ({"augmentation": {"flip_p": 1.5}}, "flip_p 1.5: give a number from 0 to 1"),
        ({"augmentation": {"mosaic": [0.8, 0.5]}}, "mosaic .*together at most 1"),
        ({"augmentation": {"mosaic": 0.5}}, "mosaic 0.5: give two numbers"),
        ({"augmentation": {"zoom": [2.0, 0.5]}}, "zoom .*the least first"),
        ({"train": []}, "train is empty"),
        ({"train": [{"path": "x.json"}]}, "the key 'kind' is missing from train"),
        ({"train": [{"kind": "voc", "path": "x.json"}]}, "kind 'voc': choose one of shards, mpii"),
        ({"train": [{"kind": "people", "path": "x.json", "weight": 0}]}, "weight 0: give a number from"),
        ({"train": [{"kind": "people", "path": "x.json", "options": 3}]}, "options 3: give keys and values"),
        ({"train": [{"kind": "people", "path": "x.json", "add_labels": 3}]}, "add_labels 3: give true or false"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it(tmp_path, change, message):
    with pytest.raises(BadSettings, match=message) as caught:
        read(tmp_path, GOOD | change)
    assert str(caught.value).startswith(str(tmp_path / "tiny.yaml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        (b"- 1", "expected keys and values"),
        (b"a: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"name: x", "the key 'train' is missing"),
        (b"base: gone.yaml", r"gone.yaml: No such file"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "x.yaml").write_bytes(text)
    with pytest.raises(BadSettings, match=message):
        read_config(tmp_path / "x.yaml")


def test_sizes_are_a_side_or_height_and_width(tmp_path):
    stages = [{"start": 0, "size": [64, 96], "batch": 2}, {"start": 0.5, "size": 128, "batch": 2}]
    first, second = read(tmp_path, GOOD | {"stages": stages}).stages
    assert (first.height, first.width, second.height, second.width) == (64, 96, 128, 128)


def test_a_file_takes_what_it_does_not_say_from_its_base(tmp_path):
    whole = read(tmp_path, GOOD)
    (tmp_path / "more.yaml").write_text("base: tiny.yaml\nname: more\nlr: 2.0e-3\n")
    assert read_config(tmp_path / "more.yaml") == dataclasses.replace(whole, name="more", lr=2e-3)


def test_every_kind_of_source_has_its_reader():
    assert set(CHOICES["kind"]) == set(READERS)


def test_the_configurations_in_the_repository_are_read(root):
    configs = {path.stem: read_config(path) for path in sorted((root / "configs").glob("*.yaml"))}
    assert all(name == config.name for name, config in configs.items())
    assert {config.task for config in configs.values()} == {"pose", "locate"}


def test_all_missing_files_are_named_at_once(tmp_path):
    path = tmp_path / "tiny.yaml"
    config = read(tmp_path, GOOD | {"init": "weights.pt"})
    with pytest.raises(BadData, match=r"people.json, people-val.json, weights.pt: docs/training.md says where"):
        check_files(config, path)
    (tmp_path / "here.json").write_text("[]")
    here = Source("people", str(tmp_path / "here.json"), labels="gone.json")
    config = dataclasses.replace(config, train=(here,), val=(here,), init="")
    with pytest.raises(BadData, match=r"labels that are not made yet: gone.json: first run hpe relabel .*--model"):
        check_files(config, path)
    check_files(config, path, labels=False)
