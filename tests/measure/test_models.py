"""A network by the name of its model and by its task."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from hpe.errors import BadModel
from hpe.measure.models import open_network
from hpe.train.network import PoseResNet


def test_a_model_has_a_network_for_each_task(root):
    model = str(root / "models" / "pose.json")
    assert open_network(model, "pose", 1).run(np.zeros((1, 256, 192, 3), np.uint8)).shape == (1, 21, 64, 48)
    assert open_network(model, "locate", 1).run(np.zeros((1, 64, 96, 3), np.uint8)).shape == (1, 3, 16, 24)


@pytest.mark.parametrize(("task", "maps"), [("pose", 16), ("locate", 3)])
def test_a_checkpoint_has_one(tmp_path: Path, task, maps):
    torch.save(PoseResNet(18, maps, 16, 8).state_dict(), tmp_path / "one.pt")
    assert open_network(str(tmp_path / "one.pt"), task).run(np.zeros((1, 64, 64, 3), np.uint8)).shape[1] == maps
    with pytest.raises(BadModel, match=f"gives {maps} maps"):
        open_network(str(tmp_path / "one.pt"), {"pose": "locate", "locate": "pose"}[task])


def test_a_model_without_a_locator_says_so(root, tmp_path):
    alone = json.loads((root / "models" / "pose.json").read_text())
    del alone["locate"]
    (tmp_path / "pose.json").write_text(json.dumps(alone))
    shutil.copy(root / "models" / "pose.onnx", tmp_path)
    with pytest.raises(BadModel, match="has no locator"):
        open_network(str(tmp_path / "pose.json"), "locate")
